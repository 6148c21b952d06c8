package users

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/state"
)

const (
	// maxSessions bounds the sessions of one user. One more ends the session that was
	// unused for the longest time.
	maxSessions = 50
	// tokenFor is how long the token of a program is good if the program does not say.
	tokenFor = 30 * 24 * time.Hour
	// maxTokenFor is the longest that a program may say.
	maxTokenFor = 366 * 24 * time.Hour
	// sweepMost is how many sessions and links are written at once.
	sweepMost = 500
)

// Session is the login of somebody, as the state has it.
type Session struct {
	User string `json:"user"`
	// Browser is whether the secret is in a cookie. Otherwise it is the token of a
	// program.
	Browser   bool   `json:"browser,omitempty"`
	From      string `json:"from"` // the address
	CreatedMS int64  `json:"created_ms"`
	UsedMS    int64  `json:"used_ms"` // at least; see Store.Sweep
	EndsMS    int64  `json:"ends_ms"`
}

// kept is a Session with parts that are not on the disk yet.
type kept struct {
	Session
	written int64 // UsedMS as the state has it
}

// goodLocked reports whether a session has not ended.
func (s *Store) goodLocked(k *kept, now time.Time) bool {
	ms, u := now.UnixMilli(), s.users[k.User]
	return u != nil && (u.Provider == "" || u.Provider == s.Provider) && ms < k.EndsMS && (!k.Browser || ms-k.UsedMS < s.Idle.Milliseconds())
}

// Check returns the user of a name and a password, or ErrRefused, which takes the same
// work whatever is wrong. After many wrong passwords from an address, or for a name,
// further ones are refused unchecked.
func (s *Store) Check(ctx context.Context, name, password, remote string) (User, error) {
	now := time.Now()
	s.mu.RLock()
	u := s.users[name]
	known := u != nil && s.knowsLocked(name, auth.Machine(remote), now)
	s.mu.RUnlock()
	hash := ""
	if u != nil {
		hash = u.Password
	}
	if len(name) > maxNameBytes || len(password) > maxPassword || !s.locks.attempt(name, remote, known, now) {
		return User{}, ErrRefused
	}
	ok, err := s.hasher.matches(ctx, password, hash)
	if err != nil {
		s.locks.unseen(name, remote, known, now) // it was not checked
		return User{}, err
	}
	if !ok {
		return User{}, ErrRefused
	}
	s.mu.RLock()
	same := s.users[name] == u
	s.mu.RUnlock()
	if !same { // the user was changed while the password was checked
		return User{}, ErrRefused
	}
	s.locks.right(name, remote, known, time.Now())
	return *u, nil
}

// knowsLocked reports whether a user has a session from a machine.
func (s *Store) knowsLocked(name, machine string, now time.Time) bool {
	for _, k := range s.sessions {
		if k.User == name && auth.Machine(k.From) == machine && s.goodLocked(k, now) {
			return true
		}
	}
	return false
}

// Begin makes a session of a user, and returns its secret. A browser's session ends when
// it is idle, and after a maximum time; a program's after forMS, where 0 stands for the
// default. The line of the audit log is written with it.
func (s *Store) Begin(ctx context.Context, u User, browser bool, remote string, forMS int64) (secret string, _ Session, _ error) {
	now := time.Now()
	length, prefix, what := s.Longest, browserSecret, "in a browser"
	if !browser {
		prefix, what = tokenSecret, "a token for a program"
		switch {
		case forMS < 0 || forMS > maxTokenFor.Milliseconds():
			return "", Session{}, invalid("for_ms is %d; a token is good for %d days at most", forMS, int(maxTokenFor.Hours()/24))
		case forMS == 0:
			length = tokenFor
		default:
			length = time.Duration(forMS) * time.Millisecond
		}
	}
	if u.Provider != "" {
		length = min(length, s.OutsideMax)
		what += ", by " + u.Provider
	}
	k := &kept{Session: Session{
		User: u.Name, Browser: browser, From: remote, CreatedMS: now.UnixMilli(), UsedMS: now.UnixMilli(), EndsMS: now.Add(length).UnixMilli(),
	}}
	k.written = k.UsedMS
	secret, sum := newSecret(prefix)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.users[u.Name]; now == nil || now.Changes != u.Changes {
		return "", Session{}, ErrRefused // the user was changed since the check
	}
	attempt := audit.From(ctx)
	changes := append(s.crowdLocked(u.Name), state.Put(sessionPrefix+sum, encode(k.Session), state.None),
		attempt.Change(u.Name, what+", until "+time.UnixMilli(k.EndsMS).UTC().Format(time.RFC3339)))
	if err := s.applyLocked(ctx, changes...); err != nil {
		return "", Session{}, fmt.Errorf("cannot store the session of %q: %w", u.Name, err)
	}
	attempt.Written()
	s.sessions[sumOf(sum)] = k
	return secret, k.Session, nil
}

// crowdLocked returns the changes that make room for one more session of a user.
func (s *Store) crowdLocked(name string) (changes []state.Change) {
	var sums [][sha256.Size]byte
	for sum, k := range s.sessions {
		if k.User == name {
			sums = append(sums, sum)
		}
	}
	slices.SortFunc(sums, func(a, b [sha256.Size]byte) int { return int(s.sessions[a].UsedMS - s.sessions[b].UsedMS) })
	for len(sums) >= maxSessions {
		changes = append(changes, s.deleteLocked(sums[0]))
		sums = sums[1:]
	}
	return changes
}

// deleteLocked returns the change that removes a session.
func (s *Store) deleteLocked(sum [sha256.Size]byte) state.Change {
	k := s.sessions[sum]
	on := k.Session
	on.UsedMS = k.written
	return state.Delete(sessionPrefix+hex.EncodeToString(sum[:]), state.VersionOf(encode(on)))
}

// sessionsLocked returns the changes that end all sessions of a user but one.
func (s *Store) sessionsLocked(name string, but [sha256.Size]byte) (changes []state.Change) {
	for sum, k := range s.sessions {
		if k.User == name && sum != but {
			changes = append(changes, s.deleteLocked(sum))
		}
	}
	return changes
}

// forgetLocked returns the changes that end the links of a user and all sessions but one.
func (s *Store) forgetLocked(name string, but [sha256.Size]byte) []state.Change {
	return append(s.sessionsLocked(name, but), s.dropLinksLocked(name)...)
}

// Session returns whose session has a secret with that checksum, and marks it as used.
func (s *Store) Session(sum [sha256.Size]byte, browser bool) (auth.Person, bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.sessions[sum]
	if k == nil || k.Browser != browser || !s.goodLocked(k, now) {
		return auth.Person{}, false
	}
	k.UsedMS = max(k.UsedMS, now.UnixMilli())
	return s.users[k.User].Person(), true
}

// Person returns a user for somebody who has logged in without a session. Changes is that
// of the login.
func (s *Store) Person(name string, changes int) (auth.Person, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[name]
	if u == nil || u.Changes != changes {
		return auth.Person{}, false
	}
	return u.Person(), true
}

// Person is the user as the guards know one.
func (u *User) Person() auth.Person {
	return auth.Person{Name: u.Name, Key: u.key(), Role: auth.Role(u.Role), Hosts: u.Hosts}
}

// End ends one session.
func (s *Store) End(ctx context.Context, sum [sha256.Size]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.sessions[sum]
	if k == nil {
		return nil
	}
	attempt := audit.From(ctx)
	if err := s.applyLocked(ctx, s.deleteLocked(sum), attempt.Change(k.User, "")); err != nil {
		return fmt.Errorf("cannot end the session of %q: %w", k.User, err)
	}
	attempt.Written()
	return nil
}

// EndAll ends all sessions of a user but one. It returns how many there were, and the new
// value of Changes, for Person.
func (s *Store) EndAll(ctx context.Context, name string, but [sha256.Size]byte) (n, changes int, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.userLocked(name)
	if err != nil {
		return 0, 0, err
	}
	return s.endAllLocked(ctx, old, but, "")
}

func (s *Store) endAllLocked(ctx context.Context, old *User, but [sha256.Size]byte, detail string) (n, count int, _ error) {
	fresh := *old
	fresh.Changes++ // ends the connections that have no session too
	changes := s.sessionsLocked(old.Name, but)
	n = len(changes)
	if err := s.replaceLocked(ctx, old, &fresh, audit.From(ctx), detail, changes...); err != nil {
		return 0, 0, fmt.Errorf("cannot end the sessions of %q: %w", old.Name, err)
	}
	return n, fresh.Changes, nil
}

// Sweep removes sessions and links that have ended, and stores which sessions were used.
// After the master was killed, a session may be idle for an eighth of its time longer, at
// most.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changes []state.Change
	var fresh []*kept
	for sum, k := range s.sessions {
		switch {
		case len(changes) == sweepMost: // the rest is for the next time
		case !s.goodLocked(k, now):
			changes = append(changes, s.deleteLocked(sum))
		case k.UsedMS-k.written >= s.Idle.Milliseconds()/8 && k.Browser:
			on := k.Session
			on.UsedMS = k.written
			changes = append(changes, state.Put(sessionPrefix+hex.EncodeToString(sum[:]), encode(k.Session), state.VersionOf(encode(on))))
			fresh = append(fresh, k)
		}
	}
	for sum, l := range s.links {
		if l.ended(now) && len(changes) < sweepMost {
			changes = append(changes, state.Delete(linkPrefix+sum, state.VersionOf(encode(l))))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := s.applyLocked(ctx, changes...); err != nil {
		return fmt.Errorf("cannot remove sessions that have ended: %w", err)
	}
	for _, k := range fresh {
		k.written = k.UsedMS
	}
	return nil
}
