// Package join knows which hosts belong to the mesh: it keeps the join tokens that
// let hosts in, and for each host that has joined the key by which it is known.
//
// A name belongs to the key that took it first. Another key gets it only with a
// join token that an operator has made for that very host. A revoked host keeps
// its name, so that nobody else can take it.
package join

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	memberPrefix = "member/"
	// maxMembers bounds the joined hosts of one master.
	maxMembers = 100_000
	// maxClaims bounds the hosts for which a refused claim is remembered.
	maxClaims = 1000
)

// ErrRefused is wrapped by the error of a host that is not let in.
var ErrRefused = errors.New("refused")

// ErrToken is wrapped by the error for an unknown token.
var ErrToken = fmt.Errorf("%w: this join token is not known here, or no longer", ErrRefused)

// Store has the members of one master. New makes it, Open gives it its state. It is
// safe for use from many goroutines after that.
type Store struct {
	taken   func(name string) bool // by another kind of token
	hasHost func(host string) bool // by a token that is for that host alone
	approve bool                   // every host waits for an operator
	store   state.Store            // set by Open

	mu      sync.Mutex
	tokens  map[string]Token       // guarded by mu; by checksum
	members map[string]wire.Member // guarded by mu; by host
	claims  map[string]wire.Claim  // guarded by mu; by host
}

// Options are what a Store needs to know.
type Options struct {
	// Taken reports whether a name belongs to a token of another kind.
	Taken func(name string) bool
	// HasToken reports whether a token of an agent is for that host.
	HasToken func(host string) bool
	// Approve makes every host wait for an operator, whatever its join token says.
	Approve bool
}

// New makes a Store without a state.
func New(o Options) *Store {
	return &Store{
		taken: o.Taken, hasHost: o.HasToken, approve: o.Approve,
		tokens: make(map[string]Token), members: make(map[string]wire.Member), claims: make(map[string]wire.Claim),
	}
}

// Open reads the state, which the Store uses from then on and leaves open.
func (s *Store) Open(ctx context.Context, store state.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = store
	err := load(ctx, store, tokenPrefix, func(t Token) { s.tokens[t.SHA256] = t })
	if err == nil {
		err = load(ctx, store, memberPrefix, func(m wire.Member) { s.members[m.Host] = m })
	}
	return err
}

func load[T any](ctx context.Context, store state.Store, prefix string, take func(T)) error {
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return fmt.Errorf("cannot read who has joined: %w", err)
	}
	for _, entry := range entries {
		var t T
		if err := json.Unmarshal(entry.Value, &t); err != nil {
			return fmt.Errorf("cannot read %q of the state: %w", entry.Key, err)
		}
		take(t)
	}
	return nil
}

// Ask is a host that wants to join.
type Ask struct {
	Secret string // of the join token
	Host   string
	Key    [32]byte // the key that it has proved to have
	From   string   // its address
}

// CheckSecret returns ErrToken for an unknown secret, before any more work is done
// for its sender.
func (s *Store) CheckSecret(secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.tokens[jointoken.Hash(secret)]; !ok {
		return ErrToken
	}
	return nil
}

// Join lets a host in, or makes it wait. A host that asks again with the same key
// and token gets the same answer, and does not use up the token further. replaced
// says that the host was known by another key, which is invalid from now on.
func (s *Store) Join(ctx context.Context, ask Ask) (_ wire.Member, replaced bool, _ error) {
	if err := inspectors.ValidateHost(ask.Host); err != nil {
		return wire.Member{}, false, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, ok := s.tokens[jointoken.Hash(ask.Secret)]
	if !ok {
		return wire.Member{}, false, ErrToken
	}
	key := hex.EncodeToString(ask.Key[:])
	before, known := s.members[ask.Host]
	if known && before.Key == key && before.Token == token.Name && before.State != wire.MemberRevoked {
		return before, false, nil
	}
	if err := s.mayJoinLocked(&token, ask.Host, key); err != nil {
		if known || s.hasHost(ask.Host) {
			s.claimLocked(ask.Host, ask.From, err)
		}
		return wire.Member{}, false, err
	}
	m := wire.Member{
		Host: ask.Host, State: wire.MemberJoined, Key: key, Token: token.Name, From: ask.From,
		Labels: token.Labels, JoinedMS: time.Now().UnixMilli(),
	}
	if token.Approve || s.approve {
		m.State = wire.MemberWaiting
	}
	used := token
	used.Used++
	attempt := audit.NewAttempt(token.Name, "join token", ask.From, Action)
	changes := []state.Change{
		state.Put(tokenPrefix+token.SHA256, encode(used), state.VersionOf(encode(token))),
		s.putLocked(m), attempt.Change(m.Host, describeMember(&m)),
	}
	if err := s.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		return wire.Member{}, false, fmt.Errorf("cannot store that host %q has joined: %w", m.Host, err)
	}
	s.tokens[token.SHA256], s.members[m.Host] = used, m
	return m, known && before.Key != key, nil
}

// Action is the audit log's name for the attempt of a host to join.
const Action = "hosts.join"

// mayJoinLocked returns why a host may not join with a token.
func (s *Store) mayJoinLocked(token *Token, host, key string) error {
	before, known := s.members[host]
	switch {
	case time.Now().UnixMilli() >= token.EndsMS:
		return fmt.Errorf("%w: the join token %q has ended", ErrRefused, token.Name)
	case token.Used >= token.Uses:
		return fmt.Errorf("%w: the join token %q is used up: it was for %d", ErrRefused, token.Name, token.Uses)
	case token.Host != "" && token.Host != host:
		return fmt.Errorf("%w: the join token %q is for host %q, not for %q", ErrRefused, token.Name, token.Host, host)
	case token.Host == host:
		return nil // an operator has allowed it
	case known && before.State == wire.MemberRevoked:
		return fmt.Errorf("%w: host %q was revoked; an operator can let it in again with `vedette join-token --host %s`", ErrRefused, host, host)
	case known && before.Key != key:
		return fmt.Errorf("%w: the name %q belongs to another host, which joined from %s; choose another with --host. Where it is that host with a new disk, `vedette join-token --host %s` lets it in", ErrRefused, host, before.From, host)
	case !known && s.hasHost(host):
		return fmt.Errorf("%w: the name %q belongs to the host of an agent's token; `vedette join-token --host %s` lets it in", ErrRefused, host, host)
	case !known && len(s.members) >= maxMembers:
		return fmt.Errorf("%w: %d hosts have joined, which is the limit", ErrRefused, maxMembers)
	}
	return nil
}

func describeMember(m *wire.Member) string {
	text := fmt.Sprintf("key %.12s, join token %s", m.Key, m.Token)
	if m.State == wire.MemberWaiting {
		text += ", waits for approval"
	}
	return text
}

// putLocked is the change that stores a member.
func (s *Store) putLocked(m wire.Member) state.Change {
	want := state.None
	if before, known := s.members[m.Host]; known {
		want = state.VersionOf(encode(before))
	}
	return state.Put(memberPrefix+m.Host, encode(m), want)
}

// Claimed notes that a host claimed the name of one that has joined, and was
// refused.
func (s *Store) Claimed(host, from string, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.members[host]; known {
		s.claimLocked(host, from, why)
	}
}

func (s *Store) claimLocked(host, from string, why error) {
	if _, known := s.claims[host]; !known && len(s.claims) >= maxClaims {
		clear(s.claims)
	}
	s.claims[host] = wire.Claim{From: from, AtMS: time.Now().UnixMilli(), Why: why.Error()}
}

// Certified notes until when the newest certificate of a host is valid. It returns
// an error if no host has joined with that name and key.
func (s *Store) Certified(ctx context.Context, host string, key [32]byte, ends time.Time, renewed bool) (wire.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.members[host]
	switch {
	case !known || m.Key != hex.EncodeToString(key[:]):
		return m, fmt.Errorf("%w: this is not the key of host %q", ErrRefused, host)
	case m.State != wire.MemberJoined:
		return m, fmt.Errorf("%w: host %q is %s", ErrRefused, host, m.State)
	}
	m.EndsMS = ends.UnixMilli()
	if renewed {
		m.RenewedMS = time.Now().UnixMilli()
	}
	if err := s.store.Apply(context.WithoutCancel(ctx), s.putLocked(m)); err != nil {
		return m, fmt.Errorf("cannot store that host %q has a certificate: %w", host, err)
	}
	s.members[host] = m
	return m, nil
}

// Joined reports whether a host is one that has joined with that key.
func (s *Store) Joined(host string, key [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.members[host]
	return known && m.State == wire.MemberJoined && m.Key == hex.EncodeToString(key[:])
}

// Members returns the hosts that have joined, or wait, by name.
func (s *Store) Members() []wire.Member {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.SortedFunc(maps.Values(s.members), func(a, b wire.Member) int { return strings.Compare(a.Host, b.Host) })
	for i := range list {
		if claim, ok := s.claims[list[i].Host]; ok {
			list[i].Claim = &claim
		}
	}
	return list
}

// Approve lets in a waiting host.
func (s *Store) Approve(ctx context.Context, host string) (wire.Member, error) {
	return s.turn(ctx, host, func(m *wire.Member) error {
		switch m.State {
		case wire.MemberJoined:
			return rpc.Errorf(wire.CodeConflict, "host %q has joined already", host)
		case wire.MemberRevoked:
			return rpc.Errorf(wire.CodeConflict, "host %q was revoked; `vedette join-token --host %s` lets it in again", host, host)
		}
		m.State = wire.MemberJoined
		return nil
	})
}

// Revoke invalidates the certificates of a host, and ends its waiting.
func (s *Store) Revoke(ctx context.Context, host string) (wire.Member, error) {
	return s.turn(ctx, host, func(m *wire.Member) error {
		if m.State == wire.MemberRevoked {
			return rpc.Errorf(wire.CodeConflict, "host %q is revoked already", host)
		}
		m.State = wire.MemberRevoked
		return nil
	})
}

// turn changes a member, together with the line of the audit log.
func (s *Store) turn(ctx context.Context, host string, change func(*wire.Member) error) (wire.Member, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.members[host]
	if !known {
		return m, rpc.Errorf(wire.CodeNotFound, "no host %q has joined, or waits to%s", host, nearest.Ask(host, slices.Sorted(maps.Keys(s.members))))
	}
	if err := change(&m); err != nil {
		return m, err
	}
	attempt := audit.From(ctx)
	m.By = attempt.Who()
	if err := s.store.Apply(context.WithoutCancel(ctx), s.putLocked(m), attempt.Change(host, describeMember(&m))); err != nil {
		return m, fmt.Errorf("cannot store that host %q is %s: %w", host, m.State, err)
	}
	attempt.Written()
	s.members[host] = m
	return m, nil
}

// Known reports whether a host has joined, waits, or was revoked.
func (s *Store) Known(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.members[host]
	return known
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cannot encode an entry of the state: %v", err)) // strings and numbers only
	}
	return data
}

func invalid(format string, args ...any) error {
	return rpc.Errorf(rpc.CodeInvalidParams, format, args...)
}
