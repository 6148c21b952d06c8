package rpc

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Handler answers requests.
//
// ServeRPC is called once for each request and notification, from a separate goroutine
// unless the handler says otherwise as an [Orderer]. ctx carries the peer ([PeerFrom]);
// it ends when the connection is down or the caller cancelled. The result is encoded as
// the answer; an error that is or wraps an *Error is answered as that, any other with
// CodeInternal and its text. A *CloseError is answered and then closes the connection.
// For a notification the result is dropped and an error is logged. A panic is answered
// with CodeInternal and logged with its stack. req is not to be used after ServeRPC has
// returned.
type Handler interface {
	ServeRPC(ctx context.Context, req *Request) (any, error)
}

// Orderer is a role that a Handler may have. Requests for methods that are
// InOrder are handled on the goroutine that reads the connection, one by one as
// they arrive; their handlers must not block, and must not Call the same peer,
// whose answer could never be read. A Handler that wraps a Mux embeds it to
// keep this role.
type Orderer interface {
	InOrder(method string) bool
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, req *Request) (any, error)

// ServeRPC calls f.
func (f HandlerFunc) ServeRPC(ctx context.Context, req *Request) (any, error) { return f(ctx, req) }

// Request is a call or notification that was received.
type Request struct {
	Method       string
	Peer         *Peer // who asks
	Notification bool  // no answer is wanted

	params []byte // raw; nil if absent
}

// Mux is a Handler that chooses a handler by the name of the method. All methods must be
// added before it serves.
type Mux struct {
	methods map[string]muxEntry
}

type muxEntry struct {
	handle  HandlerFunc
	inOrder bool
}

// NewMux returns a Mux that knows no method.
func NewMux() *Mux { return &Mux{methods: map[string]muxEntry{}} }

// Handle makes h answer the method, each request in a separate goroutine. It panics if
// the method is already there, which is a mistake in the program.
func (m *Mux) Handle(method string, h HandlerFunc) { m.add(method, muxEntry{handle: h}) }

// HandleInOrder has h answer the method on the goroutine that reads the
// connection, in the order of arrival. h must not block; see [Orderer].
func (m *Mux) HandleInOrder(method string, h HandlerFunc) {
	m.add(method, muxEntry{handle: h, inOrder: true})
}

func (m *Mux) add(method string, e muxEntry) {
	if _, ok := m.methods[method]; ok {
		panic(fmt.Sprintf("rpc: method %q is handled twice", method))
	}
	m.methods[method] = e
}

// Methods returns the names of all methods, sorted.
func (m *Mux) Methods() []string { return slices.Sorted(maps.Keys(m.methods)) }

// Has reports whether there is such a method.
func (m *Mux) Has(method string) bool {
	_, ok := m.methods[method]
	return ok
}

// InOrder implements Orderer. Methods that do not exist are refused in order.
func (m *Mux) InOrder(method string) bool {
	e, ok := m.methods[method]
	return !ok || e.inOrder
}

// ServeRPC implements Handler.
func (m *Mux) ServeRPC(ctx context.Context, req *Request) (any, error) {
	e, ok := m.methods[req.Method]
	if !ok {
		return nil, Errorf(CodeMethodNotFound, "there is no method %q", req.Method)
	}
	return e.handle(ctx, req)
}

// Method makes a HandlerFunc of a function with typed params and result. The
// params are read as by [Request.Decode].
func Method[P, R any](f func(ctx context.Context, p P) (R, error)) HandlerFunc {
	s := newShape(reflect.TypeFor[P]())
	return func(ctx context.Context, req *Request) (any, error) {
		var p P
		if err := req.decode(&p, s); err != nil {
			return nil, err
		}
		r, err := f(ctx, p)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

// Row is how a package of messages describes one method: its name, whether it is handled
// in order, and by its types the params and the result of a handler.
type Row[P, R any] interface {
	Row() (name string, inOrder bool, params P, result R)
}

// Serve has f answer the method of a row, whose types it must have.
func Serve[P, R any](m *Mux, row Row[P, R], f func(ctx context.Context, p P) (R, error)) {
	name, inOrder, _, _ := row.Row()
	m.add(name, muxEntry{handle: Method(f), inOrder: inOrder})
}

type peerKey struct{}

// PeerFrom returns the peer whose request ctx belongs to, or nil.
func PeerFrom(ctx context.Context) *Peer {
	p, _ := ctx.Value(peerKey{}).(*Peer)
	return p
}
