// Package tokens keeps the bearer tokens that were made on the running master. The
// state has their checksums and their purposes; the tokens themselves are shown
// once, to their makers.
package tokens

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	prefix = "token/"
	// secretPrefix begins every token, so that tools which look for secrets in files
	// know one.
	secretPrefix = "vedette_"
	secretBytes  = 32
	// maxTokens bounds the tokens of one master.
	maxTokens    = 10_000
	maxNameBytes = 100
	// keepEnded is how long an expired token is still listed.
	keepEnded = 30 * 24 * time.Hour
)

// Record is the stored form of a token.
type Record struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	Host   string `json:"host,omitempty"`
	Hosts  string `json:"hosts,omitempty"` // a selector
	SHA256 string `json:"sha256"`
	By     string `json:"by"`
	// Person is the key of the person who has made it, or twopersons.Nobody. Tokens of
	// the time before that was kept have none.
	Person    string `json:"person,omitempty"`
	CreatedMS int64  `json:"created_ms"`
	EndsMS    int64  `json:"ends_ms,omitempty"` // 0: never
}

// ended reports whether the time of the token is over.
func (r *Record) ended(now time.Time) bool { return r.EndsMS != 0 && now.UnixMilli() >= r.EndsMS }

// Store has the tokens of one master. New makes it, Open gives it its state. It is
// safe for use from many goroutines after that.
type Store struct {
	// taken reports whether the configuration has a token of that name.
	taken func(name string) bool
	store state.Store // set by Open

	mu    sync.Mutex
	all   map[string]Record // guarded by mu; by checksum
	swept time.Time         // guarded by mu: expired tokens were looked for up to this time
}

// New makes a Store without a state. taken reports whether a name belongs to a
// token elsewhere.
func New(taken func(name string) bool) *Store {
	return &Store{taken: taken, all: make(map[string]Record)}
}

// Open reads the state, which the Store uses from then on and leaves open.
func (s *Store) Open(ctx context.Context, store state.Store) error {
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return fmt.Errorf("cannot read the tokens: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.swept = store, time.Now()
	for _, entry := range entries {
		var r Record
		if err := json.Unmarshal(entry.Value, &r); err != nil {
			return fmt.Errorf("cannot read the token %q: %w", entry.Key, err)
		}
		s.all[r.SHA256] = r
	}
	return nil
}

// Records returns the valid tokens, and those that expired recently, by name.
func (s *Store) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.all), func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
}

// Create makes a token, and returns it with its record. It is on the disk, with
// its line in the audit log, when Create returns.
func (s *Store) Create(ctx context.Context, p wire.TokenParams) (token string, _ Record, _ error) {
	r := Record{Name: p.Name, Role: p.Role, Host: p.Host, Hosts: p.Hosts, CreatedMS: time.Now().UnixMilli()}
	if r.Name == "" {
		r.Name = p.Host
	}
	if err := check(&r, p.ForMS); err != nil {
		return "", r, err
	}
	if p.ForMS > 0 {
		r.EndsMS = r.CreatedMS + p.ForMS
	}
	token, r.SHA256 = newSecret()
	attempt := audit.From(ctx)
	r.By, r.Person = attempt.Who(), twopersons.Nobody
	if person := twopersons.From(ctx); person.Known() {
		r.Person = person.Key
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.roomLocked(r.Name); err != nil {
		return "", r, err
	}
	change := state.Put(prefix+r.SHA256, encode(r), state.None)
	if err := s.store.Apply(context.WithoutCancel(ctx), change, attempt.Change(r.Name, describe(&r))); err != nil {
		return "", r, fmt.Errorf("cannot store the token %q: %w", r.Name, err)
	}
	attempt.Written()
	s.all[r.SHA256] = r
	return token, r, nil
}

// check finds the fault of a token before it is made.
func check(r *Record, forMS int64) error {
	clean := strings.ToValidUTF8(r.Name, "")
	reserved := []string{audit.Master, "local", "key", "nobody"}
	switch {
	case forMS < 0:
		return invalid("for_ms is %d; give how long the token is good, or 0 for as long as nobody revokes it", forMS)
	case forMS > maxFor.Milliseconds():
		return invalid("for_ms is %d; a token that ends is good for %d days at most", forMS, int(maxFor.Hours()/24))
	case !slices.Contains([]string{config.RoleAgent, config.RoleViewer, config.RoleOperator, config.RoleAdmin}, r.Role):
		return invalid("there is no role %q; use agent, viewer, operator or admin", r.Role)
	case r.Role == config.RoleAgent && r.Host == "":
		return invalid("an agent's token stands for one host: name the host, or choose the role viewer, operator or admin")
	case r.Role != config.RoleAgent && r.Host != "":
		return invalid("a token of the role %s stands for no host; only an agent's does: leave the host out", r.Role)
	case r.Role == config.RoleAdmin && r.Hosts != "":
		return invalid("an admin's token is for all hosts; bind a viewer's or an operator's to %q", r.Hosts)
	case r.Role == config.RoleAgent && r.Hosts != "":
		return invalid("an agent's token stands for its one host; hosts are for viewers and operators")
	case r.Name == "":
		return invalid("the token has no name; say whose it is")
	case slices.Contains(reserved, r.Name):
		return invalid("the audit log says %q of others; choose another name", r.Name)
	case len(r.Name) > maxNameBytes || clean != r.Name || strings.ContainsFunc(r.Name, notPrintable):
		return invalid("%q is not a name of at most %d printable characters", r.Name, maxNameBytes)
	}
	if r.Host != "" {
		if err := inspectors.ValidateHost(r.Host); err != nil {
			return invalid("host: %v", err)
		}
	}
	if err := scope.Check(r.Hosts); err != nil {
		return invalid("hosts: %v", err)
	}
	return nil
}

// maxFor is the longest lifetime of a token that expires. It keeps the arithmetic
// of times away from its bounds.
const maxFor = 100 * 365 * 24 * time.Hour

func (s *Store) roomLocked(name string) error {
	if len(s.all) >= maxTokens {
		return rpc.Errorf(wire.CodeBusy, "there are %d tokens, which is the limit; revoke some", maxTokens)
	}
	if s.taken(name) || s.findLocked(name) != nil {
		return rpc.Errorf(wire.CodeConflict, "there is a token or a user %q already; choose another name, or revoke that one first", name)
	}
	return nil
}

// findLocked returns the token of a name, or nil.
func (s *Store) findLocked(name string) *Record {
	for _, r := range s.all {
		if r.Name == name {
			return &r
		}
	}
	return nil
}

// Revoke removes the token of a name. It is invalid when Revoke returns, and stays
// so.
func (s *Store) Revoke(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.findLocked(name)
	switch {
	case r == nil && s.taken(name):
		return rpc.Errorf(wire.CodeConflict, "the token %q is of the master's configuration; remove it there, the master takes that over while it runs", name)
	case r == nil:
		return rpc.Errorf(wire.CodeNotFound, "there is no token %q; `vedette token list` lists them", name)
	}
	attempt := audit.From(ctx)
	change := state.Delete(prefix+r.SHA256, state.VersionOf(encode(*r)))
	if err := s.store.Apply(context.WithoutCancel(ctx), change, attempt.Change(r.Name, describe(r))); err != nil {
		return fmt.Errorf("cannot revoke the token %q: %w", name, err)
	}
	attempt.Written()
	delete(s.all, r.SHA256)
	return nil
}

// Has reports whether there is a token of that name.
func (s *Store) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(name) != nil
}

// Kept reports whether there is a token with that checksum: one that was not revoked.
// A token that has ended is kept for some time.
func (s *Store) Kept(checksum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.all[checksum]
	return ok
}

// Sweep removes tokens that expired long ago, and reports whether any have expired
// since the last call.
func (s *Store) Sweep(ctx context.Context, now time.Time) (ended bool, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sum, r := range s.all {
		if !r.ended(now) {
			continue
		}
		ended = ended || !r.ended(s.swept)
		if now.UnixMilli()-r.EndsMS < keepEnded.Milliseconds() {
			continue
		}
		if err := s.store.Delete(ctx, prefix+sum, state.VersionOf(encode(r))); err != nil {
			return ended, fmt.Errorf("cannot remove the token %q, which has ended: %w", r.Name, err)
		}
		delete(s.all, sum)
	}
	s.swept = now
	return ended, nil
}

func newSecret() (token, sum string) {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // it does not fail
	token = secretPrefix + base64.RawURLEncoding.EncodeToString(secret)
	hash := sha256.Sum256([]byte(token))
	return token, hex.EncodeToString(hash[:])
}

// describe is the text about a token in the audit log, apart from its name.
func describe(r *Record) string {
	text := "role " + r.Role
	if r.Host != "" {
		text += ", host " + r.Host
	}
	if r.Hosts != "" {
		text += ", hosts " + r.Hosts
	}
	if r.EndsMS != 0 {
		text += ", until " + time.UnixMilli(r.EndsMS).UTC().Format(time.RFC3339)
	}
	return text
}

func encode(r Record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("cannot encode a token: %v", err)) // strings and numbers only
	}
	return data
}

func notPrintable(c rune) bool { return !unicode.IsPrint(c) }

func invalid(format string, args ...any) error {
	return rpc.Errorf(rpc.CodeInvalidParams, format, args...)
}
