package wire

import (
	"context"
	"strings"
)

// Access says who may call a method.
type Access string

// Who may call a method. The credential local may do what an agent and an
// admin may.
const (
	Anybody    Access = "anybody"    // also before the login
	Known      Access = "known"      // whoever has a credential
	Agent      Access = "agent"      // an agent reports; for which host, the handler checks
	Viewer     Access = "viewer"     // looks: viewers, operators and admins
	Operator   Access = "operator"   // changes something, or reads what others did: operators and admins
	Admin      Access = "admin"      // changes who may do what
	Master     Access = "master"     // an agent serves it, and its master calls
	Subscriber Access = "subscriber" // the master notifies whoever asked for it
)

// Binding says how a method or route keeps to the hosts that its caller is bound to.
// Without one, it is not for callers who are bound.
type Binding string

// How a method or route keeps to the hosts of its caller.
const (
	// NoHosts is for methods that are about no host: neither the params nor the answer
	// names one, and nothing of a host changes.
	NoHosts Binding = "names no host"
	// OwnHost is for the methods with which an agent reports for the host of its
	// credential.
	OwnHost Binding = "own host"
	// ByHost is for a call that is about one host, Method.Host. Another than those of
	// the caller is refused like one that does not exist.
	ByHost Binding = "that host"
	// ByResult is for answers from which Method.Keep removes everything that the caller
	// may not see.
	ByResult Binding = "cut down"
	// Within is for a handler that keeps to the scope in its context by itself.
	Within Binding = "its hosts"
	// Unbound is for methods that cannot be bound: callers who are bound are refused.
	Unbound Binding = "refused"
)

// Sees reports whether a caller may see a host.
type Sees = func(host string) bool

// Method is the row of one method: everything that follows from its name. The
// server registers a handler of these types with it, the client calls it, and the
// role check, the audit log, PROTOCOL.md and the page's types are made of it. A
// method without a row cannot be called.
type Method[P, R any] struct {
	Name string
	For  Access
	// Bound says how a call keeps to the hosts that the caller is bound to, with Host
	// for ByHost and Keep for ByResult.
	Bound Binding
	Host  func(params P) string
	Keep  func(result *R, sees Sees)
	// Audit says what a call is about, for its line in the audit log. It is nil for
	// methods that change nothing. It must accept params that nobody has checked.
	Audit func(params P) Subject
	// InOrder is set where messages of one connection must be handled in the order
	// of their arrival.
	InOrder bool
	Says    string // what it does, in one sentence
}

// Subject is the object of a change: an inspector, a rollout, a trial or a host, with
// details that tell it from others.
type Subject struct {
	Name   string
	Detail string
}

// about makes a Subject; details are pairs of a name and a value, and those
// without a value are left out.
func about(name string, details ...string) Subject {
	var parts []string
	for i := 0; i+1 < len(details); i += 2 {
		if details[i+1] != "" {
			parts = append(parts, details[i]+" "+details[i+1])
		}
	}
	return Subject{Name: name, Detail: strings.Join(parts, ", ")}
}

// Caller calls methods of the other end of a connection; an rpc.Peer does.
type Caller interface {
	Call(ctx context.Context, method string, params, result any) error
}

// Notifier sends notifications to the other end of a connection; an rpc.Peer does.
type Notifier interface {
	Notify(ctx context.Context, method string, params any) error
}

// Call calls the method on the other end and waits for its result.
func (m Method[P, R]) Call(ctx context.Context, peer Caller, params P) (R, error) {
	var result R
	err := peer.Call(ctx, m.Name, params, &result)
	return result, err
}

// Notify sends the method's message without waiting for an answer.
func (m Method[P, R]) Notify(ctx context.Context, peer Notifier, params P) error {
	return peer.Notify(ctx, m.Name, params)
}

// Row returns what a server needs to serve the method, with the types that its
// handler must have.
func (m Method[P, R]) Row() (name string, inOrder bool, params P, result R) {
	return m.Name, m.InOrder, params, result
}
