package join

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	tokenPrefix = "jointoken/"
	// defaultFor is how long a join token is valid by default, and longestFor at
	// most.
	defaultFor = 24 * time.Hour
	longestFor = 365 * 24 * time.Hour
	maxUses    = 100_000
	maxTokens  = 10_000
	// keepEnded is how long an expired token is kept: hosts that have begun with
	// it may finish.
	keepEnded    = 30 * 24 * time.Hour
	maxNameBytes = 100
)

// Token is the stored form of a join token.
type Token struct {
	Name      string            `json:"name"`
	SHA256    string            `json:"sha256"`
	Host      string            `json:"host,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Uses      int               `json:"uses"`
	Used      int               `json:"used"`
	Approve   bool              `json:"approve,omitempty"`
	By        string            `json:"by"`
	CreatedMS int64             `json:"created_ms"`
	EndsMS    int64             `json:"ends_ms"`
}

// CreateToken makes a join token that pins a certificate of the master's chain.
func (s *Store) CreateToken(ctx context.Context, p wire.JoinTokenParams, pinned *x509.Certificate) (text string, _ Token, _ error) {
	now := time.Now()
	t := Token{Name: p.Name, Host: p.Host, Labels: p.Labels, Uses: max(p.Uses, 1), Approve: p.Approve, CreatedMS: now.UnixMilli()}
	if t.Name == "" {
		t.Name = "join-" + strings.ToLower(rand.Text()[:6])
	}
	if err := checkToken(&t, p); err != nil {
		return "", t, err
	}
	length := defaultFor
	if p.ForMS > 0 {
		length = time.Duration(p.ForMS) * time.Millisecond
	}
	t.EndsMS = now.Add(length).UnixMilli()
	secret := jointoken.New(pinned)
	t.SHA256 = jointoken.Hash(secret.Secret)
	attempt := audit.From(ctx)
	t.By = attempt.Who()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.tokens) >= maxTokens:
		return "", t, rpc.Errorf(wire.CodeBusy, "there are %d join tokens, which is the limit; revoke some", maxTokens)
	case s.taken(t.Name) || s.tokenLocked(t.Name) != nil:
		return "", t, rpc.Errorf(wire.CodeConflict, "there is a token %q already; choose another name, or revoke that one first", t.Name)
	}
	put := state.Put(tokenPrefix+t.SHA256, encode(t), state.None)
	if err := s.store.Apply(context.WithoutCancel(ctx), put, attempt.Change(t.Name, describeToken(&t))); err != nil {
		return "", t, fmt.Errorf("cannot store the join token %q: %w", t.Name, err)
	}
	attempt.Written()
	s.tokens[t.SHA256] = t
	return secret.String(), t, nil
}

func checkToken(t *Token, p wire.JoinTokenParams) error {
	switch {
	case p.ForMS < 0 || p.ForMS > longestFor.Milliseconds():
		return invalid("for_ms is %d; a join token is good for a year at most", p.ForMS)
	case p.Uses < 0 || p.Uses > maxUses:
		return invalid("uses is %d; a join token lets in from 1 to %d hosts", p.Uses, maxUses)
	case len(t.Name) > maxNameBytes || strings.ToValidUTF8(t.Name, "") != t.Name || strings.ContainsFunc(t.Name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return invalid("%q is not a name of at most %d printable characters", t.Name, maxNameBytes)
	case t.Host != "" && t.Uses > 1:
		return invalid("a join token for one host has one use")
	}
	if t.Host != "" {
		if err := inspectors.ValidateHost(t.Host); err != nil {
			return invalid("host: %v", err)
		}
	}
	if _, err := inspectors.LabelsFromMap(t.Labels); err != nil {
		return invalid("labels: %v", err)
	}
	return nil
}

func describeToken(t *Token) string {
	text := fmt.Sprintf("lets in %d", t.Uses)
	if t.Host != "" {
		text = "lets in host " + t.Host
	}
	for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
		text += fmt.Sprintf(", %s=%s", name, t.Labels[name])
	}
	if t.Approve {
		text += ", with approval"
	}
	return text + ", until " + time.UnixMilli(t.EndsMS).UTC().Format(time.RFC3339)
}

// Tokens returns the join tokens by name.
func (s *Store) Tokens() []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.tokens), func(a, b Token) int { return strings.Compare(a.Name, b.Name) })
}

// HasToken reports whether a join token has that name.
func (s *Store) HasToken(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokenLocked(name) != nil
}

func (s *Store) tokenLocked(name string) *Token {
	for _, t := range s.tokens {
		if t.Name == name {
			return &t
		}
	}
	return nil
}

// RevokeToken removes a join token. Hosts that have joined with it stay; those
// that wait cannot get in with it any more.
func (s *Store) RevokeToken(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokenLocked(name)
	if t == nil {
		return rpc.Errorf(wire.CodeNotFound, "there is no token %q; `vedette token list` lists them", name)
	}
	attempt := audit.From(ctx)
	remove := state.Delete(tokenPrefix+t.SHA256, state.VersionOf(encode(*t)))
	if err := s.store.Apply(context.WithoutCancel(ctx), remove, attempt.Change(t.Name, describeToken(t))); err != nil {
		return fmt.Errorf("cannot revoke the join token %q: %w", name, err)
	}
	attempt.Written()
	delete(s.tokens, t.SHA256)
	return nil
}

// Sweep removes tokens that expired long ago.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sum, t := range s.tokens {
		if now.UnixMilli()-t.EndsMS < keepEnded.Milliseconds() {
			continue
		}
		if err := s.store.Delete(ctx, tokenPrefix+sum, state.VersionOf(encode(t))); err != nil {
			return fmt.Errorf("cannot remove the join token %q, which has ended: %w", t.Name, err)
		}
		delete(s.tokens, sum)
	}
	return nil
}
