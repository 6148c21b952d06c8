package users

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
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
	Groups        []string
	GroupsKnown   bool
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
		return s.noteGroupsLocked(ctx, old, o)
	case old == nil:
		if err := s.roomLocked(o.Name); err != nil {
			return User{}, err
		}
	}
	attempt := audit.From(ctx)
	fresh := &User{Name: o.Name, Role: o.Role, Hosts: o.Hosts, Provider: s.Provider, Subject: o.Subject, By: s.Provider, CreatedMS: time.Now().UnixMilli()}
	fresh.setGroups(o)
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
	if u == nil || u.NoRole && len(s.sessionsLocked(u.Name, [sha256.Size]byte{})) == 0 {
		return 0, nil
	}
	return s.dismissLocked(ctx, u, "the provider gives no role any more")
}

// dismissLocked ends the sessions of a user for whom no role is.
func (s *Store) dismissLocked(ctx context.Context, u *User, why string) (int, error) {
	out := *u
	out.NoRole = true
	out.Changes++ // ends the connections that have no session too
	changes := s.sessionsLocked(u.Name, [sha256.Size]byte{})
	n := len(changes)
	if err := s.replaceLocked(ctx, u, &out, audit.From(ctx), why, changes...); err != nil {
		return 0, fmt.Errorf("cannot end the sessions of %q: %w", u.Name, err)
	}
	return n, nil
}

// maxGroups and maxGroupBytes bound the groups that are kept of one user.
const (
	maxGroups     = 1000
	maxGroupBytes = 64 << 10
)

// setGroups keeps the groups of an outsider, if they are not too many.
func (u *User) setGroups(o Outsider) {
	size := 0
	for _, group := range o.Groups {
		size += len(group)
	}
	if u.Groups, u.GroupsKnown = nil, o.GroupsKnown && len(o.Groups) <= maxGroups && size <= maxGroupBytes; u.GroupsKnown {
		u.Groups = slices.Clone(o.Groups)
	}
}

// noteGroupsLocked keeps the groups of a user whose role stays. That is no change of
// who may do what, so the audit log does not tell it.
func (s *Store) noteGroupsLocked(ctx context.Context, old *User, o Outsider) (User, error) {
	fresh := *old
	fresh.setGroups(o)
	fresh.NoRole = false
	if string(encode(fresh)) == string(encode(old)) {
		return *old, nil
	}
	if err := s.applyLocked(ctx, state.Put(keyOf(old.Name), encode(fresh), state.VersionOf(encode(old)))); err != nil {
		return User{}, fmt.Errorf("cannot keep the user %q: %w", old.Name, err)
	}
	s.users[old.Name] = &fresh
	return fresh, nil
}

// Regrant gives the users of the provider the roles that are for their groups now, and
// ends the sessions of those for whom none is. Somebody whose groups are not known keeps
// the role as long as given says that somebody may have it.
func (s *Store) Regrant(ctx context.Context, grant func(groups []string) (role, hosts string, ok bool), given func(role, hosts string) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		old := s.users[name]
		if old.Provider == "" || old.Provider != s.Provider || old.NoRole {
			continue
		}
		role, hosts, ok := old.Role, old.Hosts, given(old.Role, old.Hosts)
		if old.GroupsKnown {
			role, hosts, ok = grant(old.Groups)
		}
		var err error
		fresh := *old
		fresh.Role, fresh.Hosts = role, hosts
		switch {
		case !ok:
			ctx := audit.With(ctx, audit.NewAttempt(audit.Master, audit.Master, "", wire.UsersLogout.Name))
			_, err = s.dismissLocked(ctx, old, "master.oidc.roles gives no role any more")
		case role != old.Role || hosts != old.Hosts:
			attempt := audit.NewAttempt(audit.Master, audit.Master, "", wire.UsersRole.Name)
			err = s.replaceLocked(ctx, old, &fresh, attempt, fmt.Sprintf("%s, by master.oidc.roles; it was %s", fresh.describe(), old.describe()))
		}
		if err != nil {
			return err
		}
	}
	return nil
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
