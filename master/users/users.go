// Package users stores the people who may log in, and their sessions.
//
// A user has a name, a role, and a password of which the state has an Argon2id hash. A
// link with which somebody chooses a password is good once, for a limited time. A session
// is a cookie of a browser or a token of a program; the state has a checksum of it.
// Changing a password ends the other sessions of its user.
package users

import (
	"context"
	"crypto/sha256"
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
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	userPrefix    = "user/"
	linkPrefix    = "userlink/"
	sessionPrefix = "session/"

	maxUsers     = 10_000
	maxNameBytes = 100
)

// User is one as the state has it.
type User struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Hosts    string `json:"hosts,omitempty"`    // a selector
	Password string `json:"password,omitempty"` // its hash, or "" until one is chosen
	Provider string `json:"provider,omitempty"` // where the user logs in, or "" for here
	Subject  string `json:"subject,omitempty"`  // who the user is there
	// Groups are those that the provider named at the last log-in, if GroupsKnown.
	Groups      []string `json:"groups,omitempty"`
	GroupsKnown bool     `json:"groups_known,omitempty"`
	// NoRole is set for somebody at a provider for whom no role is any more. Role is then
	// the last.
	NoRole    bool   `json:"no_role,omitempty"`
	By        string `json:"by"`
	CreatedMS int64  `json:"created_ms"`
	ChangedMS int64  `json:"changed_ms,omitempty"` // the password
	// Changes counts the changes that invalidate earlier logins.
	Changes int `json:"changes,omitempty"`
}

// Options are what a Store is made with.
type Options struct {
	// Taken reports whether something else has that name. The audit log could not tell the
	// actions of a token and a user of one name apart.
	Taken func(name string) bool
	// Idle is how long a session may be unused, and Longest how long it may last.
	Idle, Longest time.Duration
	// Provider is the one at which people without a password here log in, or "". Users of
	// another provider have no sessions, and OutsideMax is how long the sessions of this
	// one last.
	Provider   string
	OutsideMax time.Duration
	// Cost is the cost of passwords that are set; the zero value is the recommendation of
	// RFC 9106.
	Cost Cost
}

// Store has the users of one master. New makes it, Open gives it its state. It is
// safe for use from many goroutines after that.
type Store struct {
	Options
	hasher *hasher
	locks  *locks
	store  state.Store // set by Open

	mu       sync.RWMutex
	users    map[string]*User            // guarded by mu, as are the next
	links    map[string]*link            // by checksum
	sessions map[[sha256.Size]byte]*kept // by checksum
	ended    bool                        // something has ended since Ended
}

// New makes a Store without a state.
func New(o Options) *Store {
	if o.Cost == (Cost{}) {
		o.Cost = defaultCost()
	}
	return &Store{
		Options: o, hasher: newHasher(o.Cost), locks: newLocks(),
		users: make(map[string]*User), links: make(map[string]*link), sessions: make(map[[sha256.Size]byte]*kept),
	}
}

// Open reads the state. The Store uses it from then on, and does not close it.
func (s *Store) Open(ctx context.Context, store state.Store) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = store
	if err := read(ctx, store, userPrefix, func(_ string, u *User) { s.users[u.Name] = u }); err != nil {
		return fmt.Errorf("cannot read the users: %w", err)
	}
	if err := read(ctx, store, linkPrefix, func(key string, l *link) { s.links[key] = l }); err != nil {
		return fmt.Errorf("cannot read the links of users: %w", err)
	}
	err := read(ctx, store, sessionPrefix, func(key string, session *Session) {
		sum, err := hex.DecodeString(key)
		if err == nil && len(sum) == sha256.Size {
			s.sessions[[sha256.Size]byte(sum)] = &kept{Session: *session, written: session.UsedMS}
		}
	})
	if err != nil {
		return fmt.Errorf("cannot read the sessions: %w", err)
	}
	return nil
}

// read calls a function for each entry with a prefix, with the rest of its key.
func read[T any](ctx context.Context, store state.Store, prefix string, take func(key string, value *T)) error {
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		value := new(T)
		if err := json.Unmarshal(entry.Value, value); err != nil {
			return fmt.Errorf("cannot read %q: %w", entry.Key, err)
		}
		take(strings.TrimPrefix(entry.Key, prefix), value)
	}
	return nil
}

// List describes the users, by name.
func (s *Store) List(now time.Time) []wire.UserInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []wire.UserInfo{}
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		list = append(list, s.infoLocked(s.users[name], now))
	}
	return list
}

func (s *Store) infoLocked(u *User, now time.Time) wire.UserInfo {
	info := wire.UserInfo{Name: u.Name, Role: u.Role, Hosts: u.Hosts, Provider: u.Provider, By: u.By, CreatedMS: u.CreatedMS, ChangedMS: u.ChangedMS}
	for _, l := range s.links {
		if l.User == u.Name && !l.ended(now) {
			info.LinkMS = l.EndsMS
		}
	}
	for _, session := range s.sessions {
		if session.User == u.Name && s.goodLocked(session, now) {
			info.Sessions++
			info.UsedMS = max(info.UsedMS, session.UsedMS)
		}
	}
	return info
}

// Has reports whether there is a user with that name.
func (s *Store) Has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.users[name] != nil
}

// key is by what a person is known: the account at a provider, or the name here.
func (u *User) key() string {
	if u.Provider == "" {
		return "user " + u.Name
	}
	return u.Provider + " " + u.Subject
}

// KeyOf returns the key of the user of that name, or "".
func (s *Store) KeyOf(name string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.users[name]; u != nil {
		return u.key()
	}
	return ""
}

// Standing returns the hosts that a person is bound to, "" for all, and whether the
// person is an operator or an admin at present.
func (s *Store) Standing(key string) (hosts string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, u := range s.users {
		if u.key() == key {
			mine := u.Provider == "" || u.Provider == s.Provider
			return u.Hosts, mine && !u.NoRole && (u.Role == config.RoleOperator || u.Role == config.RoleAdmin)
		}
	}
	return "", false
}

// Any reports whether there is a user who logs in with a password.
func (s *Store) Any() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, u := range s.users {
		if u.Provider == "" {
			return true
		}
	}
	return false
}

// Add makes a user. Without a password it returns the secret of a link for choosing one.
// When Add returns, everything is on the disk, with its line in the audit log.
func (s *Store) Add(ctx context.Context, p wire.UserParams) (wire.UserMade, error) {
	if err := checkUser(p.Name, p.Role, p.Hosts); err != nil {
		return wire.UserMade{}, err
	}
	now := time.Now()
	attempt := audit.From(ctx)
	u := &User{Name: p.Name, Role: p.Role, Hosts: p.Hosts, By: attempt.Who(), CreatedMS: now.UnixMilli()}
	if p.Password != "" {
		if err := s.hash(ctx, u, p.Password, now); err != nil {
			return wire.UserMade{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.roomLocked(p.Name); err != nil {
		return wire.UserMade{}, err
	}
	changes := []state.Change{state.Put(keyOf(u.Name), encode(u), state.None), attempt.Change(u.Name, u.describe())}
	var made wire.UserMade
	var sum string
	var l *link
	if p.Password == "" {
		made.Link, sum = newSecret(linkSecret)
		l = &link{User: u.Name, By: attempt.Who(), EndsMS: now.Add(inviteFor).UnixMilli()}
		changes = append(changes, state.Put(linkPrefix+sum, encode(l), state.None))
	}
	if err := s.applyLocked(ctx, changes...); err != nil {
		return wire.UserMade{}, fmt.Errorf("cannot store the user %q: %w", u.Name, err)
	}
	attempt.Written()
	s.users[u.Name] = u
	if l != nil {
		s.links[sum] = l
	}
	made.User = s.infoLocked(u, now)
	return made, nil
}

// hash sets the password of a user.
func (s *Store) hash(ctx context.Context, u *User, password string, now time.Time) (err error) {
	if err := checkPassword(u.Name, password); err != nil {
		return err
	}
	u.Password, err = s.hasher.make(ctx, password)
	u.ChangedMS = now.UnixMilli()
	u.Changes++
	return err
}

func (s *Store) roomLocked(name string) error {
	if len(s.users) >= maxUsers {
		return rpc.Errorf(wire.CodeBusy, "there are %d users, which is the limit; remove some", maxUsers)
	}
	if s.users[name] != nil {
		return rpc.Errorf(wire.CodeConflict, "there is a user %q already; change the role with users.role, or the password with users.passwd", name)
	}
	if s.Taken(name) {
		return rpc.Errorf(wire.CodeConflict, "there is a token %q; choose another name, so that the audit log tells the two apart", name)
	}
	return nil
}

// describe describes a user for the audit log, apart from the name.
func (u *User) describe() string {
	if u.Hosts != "" {
		return "role " + u.Role + ", hosts " + u.Hosts
	}
	return "role " + u.Role
}

// SetRole gives a user another role, for the hosts that a selector selects.
func (s *Store) SetRole(ctx context.Context, name, role, hosts string) (wire.UserInfo, error) {
	if err := checkUser(name, role, hosts); err != nil {
		return wire.UserInfo{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.userLocked(name)
	if err != nil {
		return wire.UserInfo{}, err
	}
	attempt := audit.From(ctx)
	if name == attempt.Who() {
		return wire.UserInfo{}, rpc.Errorf(wire.CodeConflict, "%q is you; have another admin change your role", name)
	}
	if err := old.inside("role"); err != nil {
		return wire.UserInfo{}, err
	}
	fresh := *old
	fresh.Role, fresh.Hosts = role, hosts
	if err := s.replaceLocked(ctx, old, &fresh, attempt, fmt.Sprintf("%s; it was %s", fresh.describe(), old.describe())); err != nil {
		return wire.UserInfo{}, err
	}
	return s.infoLocked(&fresh, time.Now()), nil
}

// SetPassword sets the password of a user, and ends the links of the user and all sessions
// but one. It returns the new value of Changes, for Person.
func (s *Store) SetPassword(ctx context.Context, name, password string, but [sha256.Size]byte) (changes int, _ error) {
	s.mu.RLock()
	old, err := s.userLocked(name)
	s.mu.RUnlock()
	if err == nil {
		err = old.inside("password")
	}
	if err != nil {
		return 0, err
	}
	fresh := *old
	if err := s.hash(ctx, &fresh, password, time.Now()); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[name] != old {
		return 0, rpc.Errorf(wire.CodeConflict, "the user %q has changed meanwhile; try again", name)
	}
	return fresh.Changes, s.replaceLocked(ctx, old, &fresh, audit.From(ctx), "password", s.forgetLocked(name, but)...)
}

// replaceLocked replaces a user, with other changes and the line of the audit log.
func (s *Store) replaceLocked(ctx context.Context, old, fresh *User, attempt *audit.Attempt, detail string, more ...state.Change) error {
	changes := append(more, state.Put(keyOf(old.Name), encode(fresh), state.VersionOf(encode(old))), attempt.Change(old.Name, detail))
	if err := s.applyLocked(ctx, changes...); err != nil {
		return fmt.Errorf("cannot change the user %q: %w", old.Name, err)
	}
	attempt.Written()
	s.users[old.Name] = fresh
	s.ended = true
	return nil
}

// Remove removes a user, with all sessions and links.
func (s *Store) Remove(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.userLocked(name)
	if err != nil {
		return err
	}
	attempt := audit.From(ctx)
	if name == attempt.Who() {
		return rpc.Errorf(wire.CodeConflict, "%q is you; have another admin remove you", name)
	}
	changes := append(s.forgetLocked(name, [sha256.Size]byte{}), state.Delete(keyOf(name), state.VersionOf(encode(u))), attempt.Change(name, u.describe()))
	if err := s.applyLocked(ctx, changes...); err != nil {
		return fmt.Errorf("cannot remove the user %q: %w", name, err)
	}
	attempt.Written()
	delete(s.users, name)
	s.ended = true
	return nil
}

func (s *Store) userLocked(name string) (*User, error) {
	if u := s.users[name]; u != nil {
		return u, nil
	}
	return nil, rpc.Errorf(wire.CodeNotFound, "there is no user %q", name)
}

// applyLocked writes changes, and drops the links and sessions that they delete.
func (s *Store) applyLocked(ctx context.Context, changes ...state.Change) error {
	if err := s.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		return err
	}
	for _, change := range changes {
		if change.Op != state.OpDelete {
			continue
		}
		if sum, ok := strings.CutPrefix(change.Name, linkPrefix); ok {
			delete(s.links, sum)
		}
		if sum, ok := strings.CutPrefix(change.Name, sessionPrefix); ok {
			delete(s.sessions, sumOf(sum))
			s.ended = true
		}
	}
	return nil
}

// Ended reports whether a credential has ended since the last call, so that connections
// must be checked.
func (s *Store) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.ended
	s.ended = false
	return was
}

// checkUser returns what is wrong with the parameters of a user.
func checkUser(name, role, hosts string) error {
	reserved := []string{audit.Master, "local", "key", "nobody"}
	switch {
	case name == "":
		return invalid("the user has no name")
	case slices.Contains(reserved, name):
		return invalid("the audit log says %q of others; choose another name", name)
	case len(name) > maxNameBytes || strings.ToValidUTF8(name, "") != name || strings.ContainsFunc(name, notInName):
		return invalid("%q is not a name of at most %d letters, digits and the like, without blanks", name, maxNameBytes)
	case !slices.Contains([]string{config.RoleViewer, config.RoleOperator, config.RoleAdmin}, role):
		return invalid("there is no role %q for people; use viewer, operator or admin", role)
	case role == config.RoleAdmin && hosts != "":
		return invalid("an admin is for all hosts; bind a viewer or an operator to %q", hosts)
	}
	if err := scope.Check(hosts); err != nil {
		return invalid("hosts: %v", err)
	}
	return nil
}

func notInName(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) && !strings.ContainsRune("._-+@", c)
}

// keyOf is the key of a user in the state, whatever characters the name has.
func keyOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return userPrefix + hex.EncodeToString(sum[:])
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cannot encode a user: %v", err)) // strings and numbers only
	}
	return data
}

func invalid(format string, args ...any) error {
	return rpc.Errorf(rpc.CodeInvalidParams, format, args...)
}
