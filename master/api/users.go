package api

import (
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// userMethods registers the methods for users. A method that invalidates the
// sessions of a user closes their connections before it answers.
func (a *API) userMethods(m *methods) {
	handle(m, wire.UsersList, a.userList)
	handle(m, wire.UsersAdd, func(ctx context.Context, p wire.UserParams) (wire.UserMade, error) { return a.Users.Add(ctx, p) })
	handle(m, wire.UsersRole, a.userRole)
	handle(m, wire.UsersRemove, a.userRemove)
	handle(m, wire.UsersLink, func(ctx context.Context, p wire.UserNameParams) (wire.UserMade, error) {
		return a.Users.Link(ctx, p.Name)
	})
	handle(m, wire.UsersPasswd, a.userPasswd)
	handle(m, wire.UsersLogout, a.userLogout)
}

func (a *API) userList(context.Context, wire.Empty) (wire.UsersResult, error) {
	return wire.UsersResult{Users: a.Users.List(time.Now())}, nil
}

func (a *API) userRole(ctx context.Context, p wire.UserRoleParams) (wire.UserInfo, error) {
	info, err := a.Users.SetRole(ctx, p.Name, p.Role, p.Hosts)
	a.CutRevoked()
	return info, err
}

func (a *API) userRemove(ctx context.Context, p wire.UserNameParams) (wire.Empty, error) {
	err := a.Users.Remove(ctx, p.Name)
	a.CutRevoked()
	return wire.Empty{}, err
}

func (a *API) userPasswd(ctx context.Context, p wire.UserPasswordParams) (wire.Empty, error) {
	peer := rpc.PeerFrom(ctx)
	who := connOf(peer).who()
	name, err := whose(who, p.Name)
	if err != nil {
		return wire.Empty{}, err
	}
	if who.IsPerson() && name == who.Name {
		if _, err := a.Users.Check(ctx, name, p.Old, peer.RemoteAddr()); errors.Is(err, users.ErrRefused) {
			a.Failures.Slow(ctx, peer.RemoteAddr())
			return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "the old password is not right, or there were too many attempts")
		} else if err != nil {
			return wire.Empty{}, err
		}
	}
	err = a.changeOf(peer, who, name, func() (changes int, err error) {
		return a.Users.SetPassword(ctx, name, p.Password, who.Session())
	})
	return wire.Empty{}, err
}

func (a *API) userLogout(ctx context.Context, p wire.UserNameParams) (wire.UserLogoutResult, error) {
	peer := rpc.PeerFrom(ctx)
	who := connOf(peer).who()
	name, err := whose(who, p.Name)
	if err != nil {
		return wire.UserLogoutResult{}, err
	}
	n := 0
	err = a.changeOf(peer, who, name, func() (changes int, err error) {
		n, changes, err = a.Users.EndAll(ctx, name, who.Session())
		return changes, err
	})
	return wire.UserLogoutResult{Sessions: n}, err
}

// changeOf makes a change that ends the log-ins of a user, and closes the connections of
// those. Where the user is the caller, the connection of the call stays, like a session.
func (a *API) changeOf(peer *rpc.Peer, who *auth.Identity, name string, change func() (changes int, err error)) error {
	defer a.CutRevoked()
	if !who.IsPerson() || who.Name != name {
		_, err := change()
		return err
	}
	c := connOf(peer)
	if !a.Auth.Valid(*who) { // it has ended, and is about to be cut
		return rpc.Errorf(wire.CodeUnauthenticated, revoked)
	}
	c.changing.Add(1) // nobody cuts it between the change and what follows from it here
	defer c.changing.Add(-1)
	changes, err := change()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identity == who { // it has logged in as nobody else meanwhile
		since := who.Since(changes)
		c.identity = &since
	}
	return nil
}

// whose returns the user that a call is about: the caller, or for an admin any
// user.
func whose(who *auth.Identity, name string) (string, error) {
	switch {
	case who.IsPerson() && (name == "" || name == who.Name):
		return who.Name, nil
	case name == "":
		return "", rpc.Errorf(rpc.CodeInvalidParams, "the credential %q is no user; say which one is meant", who.Name)
	case !who.May(wire.Admin):
		return "", rpc.Errorf(wire.CodeForbidden, "the credential %q is for the role %s; to change another user takes an admin's", who.Name, who.Role)
	}
	return name, nil
}

// person returns the user of a name and a password that were given on a
// connection.
func (a *API) person(ctx context.Context, name, password, remote string) (auth.Identity, error) {
	u, err := a.Users.Check(ctx, name, password, remote)
	if err != nil {
		return auth.Identity{}, err
	}
	return auth.LoggedIn(u.Person(), u.Changes), nil
}
