package users

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Outsider is somebody whom the provider of Options knows. Subject identifies them there,
// whatever their name is at the time.
type Outsider struct {
	Name, Subject string
	Role, Hosts   string
}

// Admit makes the user of an outsider, or updates its name, role and hosts to those that
// the provider gives now. A name belongs to whoever had it first, and to one subject. An
// outsider whose name has changed gets a new user, and the old one is removed, so that
// nobody is two users. If nothing has changed, nothing is written.
func (s *Store) Admit(ctx context.Context, o Outsider) (User, error) {
	if err := checkUser(o.Name, o.Role, o.Hosts); err != nil {
		return User{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, same := s.users[o.Name], s.outsiderLocked(o.Subject)
	switch {
	case old != nil && old.Provider == "":
		return User{}, rpc.Errorf(wire.CodeConflict, "there is a user %q with a password here; remove that one, or log in with the password", o.Name)
	case old != nil && old != same:
		return User{}, rpc.Errorf(wire.CodeConflict, "the name %q is that of somebody else, %q at %s; remove that user if the name has passed on",
			o.Name, old.Subject, old.Provider)
	case old != nil && old.Role == o.Role && old.Hosts == o.Hosts:
		return *old, nil
	case old == nil:
		if err := s.roomLocked(o.Name); err != nil {
			return User{}, err
		}
	}
	attempt := audit.From(ctx)
	fresh := &User{Name: o.Name, Role: o.Role, Hosts: o.Hosts, Provider: s.Provider, Subject: o.Subject, By: s.Provider, CreatedMS: time.Now().UnixMilli()}
	detail, want := fresh.describe()+", by "+s.Provider, state.None
	var changes []state.Change
	if old != nil {
		fresh.CreatedMS, fresh.Changes = old.CreatedMS, old.Changes
		detail += "; it was " + old.describe()
		want = state.VersionOf(encode(old))
	} else if same != nil {
		detail += "; the name was " + same.Name
		changes = append(s.sessionsLocked(same.Name, [sha256.Size]byte{}), state.Delete(keyOf(same.Name), state.VersionOf(encode(same))))
	}
	changes = append(changes, state.Put(keyOf(fresh.Name), encode(fresh), want), attempt.Change(fresh.Name, detail))
	if err := s.applyLocked(ctx, changes...); err != nil {
		return User{}, fmt.Errorf("cannot store the user %q: %w", fresh.Name, err)
	}
	attempt.Written()
	if old == nil && same != nil {
		delete(s.users, same.Name)
	}
	s.users[fresh.Name] = fresh
	s.ended = true
	return *fresh, nil
}

// Dismiss ends the sessions of an outsider who no longer has a role, and returns how many
// there were.
func (s *Store) Dismiss(ctx context.Context, subject string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.outsiderLocked(subject)
	if u == nil || len(s.sessionsLocked(u.Name, [sha256.Size]byte{})) == 0 {
		return 0, nil
	}
	n, _, err := s.endAllLocked(ctx, u, [sha256.Size]byte{}, "the provider gives no role any more")
	return n, err
}

// outsiderLocked is the user of a subject at the provider, or nil.
func (s *Store) outsiderLocked(subject string) *User {
	for _, u := range s.users {
		if u.Provider != "" && u.Provider == s.Provider && u.Subject == subject {
			return u
		}
	}
	return nil
}

// inside refuses actions for which a user who logs in at a provider has nothing here, such
// as a password.
func (u *User) inside(what string) error {
	if u.Provider == "" {
		return nil
	}
	return rpc.Errorf(wire.CodeConflict, "%q logs in at %s, which has the %s; change it there", u.Name, u.Provider, what)
}
