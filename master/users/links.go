package users

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// inviteFor is how long a link for a user is good, FirstFor how long the link for the
	// first admin is, which the master prints.
	inviteFor = 3 * 24 * time.Hour
	FirstFor  = time.Hour

	// The secrets begin with these, so that tools that look for secrets recognise them.
	linkSecret    = "vedette_link_"
	browserSecret = "vedette_browser_"
	tokenSecret   = wire.LoginTokenPrefix
	secretBytes   = 32
)

// ErrRefused is the only answer to a wrong name, password or link. It does not say which
// part was wrong, nor whether somebody is locked out.
var ErrRefused = errors.New("refused: the name, the password or the link is not right, or there were too many attempts; try again in a while")

// link lets somebody choose a password. User is "" for the first admin.
type link struct {
	User   string `json:"user,omitempty"`
	By     string `json:"by"`
	EndsMS int64  `json:"ends_ms"`
}

func (l *link) ended(now time.Time) bool { return now.UnixMilli() >= l.EndsMS }

// Link makes a link for a user, which replaces earlier ones, and returns its secret. The
// password of the user stays until another is chosen.
func (s *Store) Link(ctx context.Context, name string) (wire.UserMade, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.userLocked(name)
	if err == nil {
		err = u.inside("password")
	}
	if err != nil {
		return wire.UserMade{}, err
	}
	attempt := audit.From(ctx)
	now := time.Now()
	l := &link{User: name, By: attempt.Who(), EndsMS: now.Add(inviteFor).UnixMilli()}
	secret, err := s.putLinkLocked(ctx, l, attempt.Change(name, "until "+time.UnixMilli(l.EndsMS).UTC().Format(time.RFC3339)))
	if err != nil {
		return wire.UserMade{}, err
	}
	attempt.Written()
	return wire.UserMade{User: s.infoLocked(u, now), Link: secret}, nil
}

// FirstLink makes the link of a master without users, with which somebody becomes its
// first admin. It returns "" if there is an admin; see hasAdminLocked.
func (s *Store) FirstLink(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hasAdminLocked() {
		return "", nil
	}
	return s.putLinkLocked(ctx, &link{By: audit.Master, EndsMS: time.Now().Add(FirstFor).UnixMilli()})
}

// hasAdminLocked reports whether there is, or was, an admin: one who logs in at the
// provider, or any user with a password here, because only an admin can have made that
// user.
func (s *Store) hasAdminLocked() bool {
	for _, u := range s.users {
		if u.Provider == "" || u.Role == config.RoleAdmin {
			return true
		}
	}
	return false
}

func (s *Store) putLinkLocked(ctx context.Context, l *link, more ...state.Change) (string, error) {
	secret, sum := newSecret(linkSecret)
	changes := append(more, state.Put(linkPrefix+sum, encode(l), state.None))
	if err := s.applyLocked(ctx, append(changes, s.dropLinksLocked(l.User)...)...); err != nil {
		return "", fmt.Errorf("cannot store the link for %q: %w", l.User, err)
	}
	s.links[sum] = l
	return secret, nil
}

// dropLinksLocked returns the changes that remove the links of a user.
func (s *Store) dropLinksLocked(name string) (changes []state.Change) {
	for sum, l := range s.links {
		if l.User == name {
			changes = append(changes, state.Delete(linkPrefix+sum, state.VersionOf(encode(l))))
		}
	}
	return changes
}

// LinkFor returns the name of the user whose password a link sets, or "" if its holder
// becomes the first admin. Every wrong link counts against its address.
func (s *Store) LinkFor(secret, remote string) (name string, _ error) {
	l, _ := s.link(secret, remote)
	if l == nil {
		return "", ErrRefused
	}
	return l.User, nil
}

func (s *Store) link(secret, remote string) (*link, string) {
	hash := sha256.Sum256([]byte(secret))
	sum := hex.EncodeToString(hash[:])
	now := time.Now()
	s.mu.RLock()
	l := s.links[sum]
	s.mu.RUnlock()
	if l == nil || l.ended(now) {
		s.locks.link(remote, now)
		return nil, ""
	}
	return l, sum
}

// Choose sets the password of the user whom the link is for. The link is used up, and all
// sessions of the user end. name is the name of the first admin, if the link is for that.
func (s *Store) Choose(ctx context.Context, secret, name, password, remote string) (User, error) {
	l, sum := s.link(secret, remote)
	if l == nil {
		return User{}, ErrRefused
	}
	attempt := audit.From(ctx)
	now := time.Now()
	fresh := &User{Name: name, Role: config.RoleAdmin, By: l.By, CreatedMS: now.UnixMilli()}
	var old *User
	if l.User != "" {
		s.mu.RLock()
		old = s.users[l.User]
		s.mu.RUnlock()
		if old == nil {
			return User{}, ErrRefused
		}
		*fresh = *old
	} else if err := checkUser(name, config.RoleAdmin, ""); err != nil {
		return User{}, err
	}
	if err := s.hash(ctx, fresh, password, now); err != nil {
		return User{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[sum] != l || s.users[fresh.Name] != old || l.User == "" && s.hasAdminLocked() {
		return User{}, ErrRefused // it was used up or removed meanwhile
	}
	if old == nil && s.Taken(fresh.Name) {
		return User{}, rpc.Errorf(wire.CodeConflict, "there is a token %q; choose another name", fresh.Name)
	}
	want := state.None
	if old != nil {
		want = state.VersionOf(encode(old))
	}
	// Removing the link is the first change. If two people use it, one is refused.
	changes := append(s.dropLinksLocked(l.User), s.sessionsLocked(fresh.Name, [sha256.Size]byte{})...)
	changes = append(changes, state.Put(keyOf(fresh.Name), encode(fresh), want), attempt.Change(fresh.Name, "password by a link"))
	if err := s.applyLocked(ctx, changes...); err != nil {
		return User{}, fmt.Errorf("cannot change the user %q: %w", fresh.Name, err)
	}
	attempt.Written()
	s.users[fresh.Name] = fresh
	s.ended = true
	return *fresh, nil
}

// newSecret makes a secret, and returns it with its checksum.
func newSecret(prefix string) (secret, sum string) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it does not fail
	secret = prefix + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(secret))
	return secret, hex.EncodeToString(hash[:])
}

// sumOf reads a checksum.
func sumOf(text string) (sum [sha256.Size]byte) {
	_, _ = hex.Decode(sum[:], []byte(text))
	return sum
}
