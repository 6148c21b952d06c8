package script

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors/script/internal/own"
)

// web has what one script uses for its connections: a resolver, a transport with its
// connections, and a client. No other script uses them.
type web struct {
	host      *host
	resolver  *net.Resolver
	client    *http.Client
	transport http.RoundTripper // the script's http.DefaultTransport
	pool      *http.Transport   // the transport that it begins with

	mu    sync.Mutex
	conns map[net.Conn]struct{} // guarded by mu: open ones of the pool
}

// ownWeb returns the web of the host, and makes it on first use; that is before the script
// runs if the script's imports need it.
func (h *host) ownWeb() *web {
	if h.web == nil {
		w := &web{host: h, resolver: &net.Resolver{}, conns: make(map[net.Conn]struct{})}
		// Like the default transport of the library.
		w.pool = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: w.dial, ForceAttemptHTTP2: true,
			MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		}
		w.transport = w.pool
		w.client = &http.Client{Transport: boundTransport{w}}
		h.web = w
	}
	return h.web
}

// dial opens a connection of the pool.
func (w *web) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, Resolver: w.resolver}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	mine := &webConn{Conn: c, web: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[mine] = struct{}{}
	return mine, nil
}

// webConn is a connection that its web knows while it is open.
type webConn struct {
	net.Conn
	web *web
}

// Close closes the connection.
func (c *webConn) Close() error {
	c.web.mu.Lock()
	delete(c.web.conns, c)
	c.web.mu.Unlock()
	return c.Conn.Close()
}

// close closes the connections of the pool. Requests in progress fail.
func (w *web) close() {
	w.mu.Lock()
	conns := w.conns
	w.conns = make(map[net.Conn]struct{})
	w.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	w.pool.CloseIdleConnections()
}

// boundTransport ends a request with the run that makes it.
type boundTransport struct{ web *web }

// RoundTrip sends the request by the script's own transport.
func (t boundTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context() == context.Background() {
		req = req.WithContext(t.web.host.Context())
	}
	return t.web.transport.RoundTrip(req)
}

// CloseIdleConnections is what the method of a client calls.
func (t boundTransport) CloseIdleConnections() { t.web.pool.CloseIdleConnections() }

// caller returns the script's replacement for a name of net/http, or the zero Value.
func (w *web) caller(name string) reflect.Value {
	switch name {
	case "DefaultClient":
		return reflect.ValueOf(&w.client).Elem()
	case "DefaultTransport":
		return reflect.ValueOf(&w.transport).Elem()
	case "Get":
		return reflect.ValueOf(w.client.Get)
	case "Head":
		return reflect.ValueOf(w.client.Head)
	case "Post":
		return reflect.ValueOf(w.client.Post)
	case "PostForm":
		return reflect.ValueOf(w.client.PostForm)
	}
	return reflect.Value{}
}

// dialer returns the script's replacement for a name of net, or the zero Value.
func (w *web) dialer(name string) reflect.Value {
	h, r := w.host, w.resolver
	switch name {
	case "DefaultResolver":
		return reflect.ValueOf(&w.resolver).Elem()
	case "Dial":
		return reflect.ValueOf(func(network, address string) (net.Conn, error) {
			return (&net.Dialer{Resolver: r}).DialContext(h.Context(), network, address)
		})
	case "DialTimeout":
		return reflect.ValueOf(func(network, address string, timeout time.Duration) (net.Conn, error) {
			return (&net.Dialer{Resolver: r, Timeout: timeout}).DialContext(h.Context(), network, address)
		})
	case "LookupAddr":
		return reflect.ValueOf(func(addr string) ([]string, error) { return r.LookupAddr(h.Context(), addr) })
	case "LookupCNAME":
		return reflect.ValueOf(func(host string) (string, error) { return r.LookupCNAME(h.Context(), host) })
	case "LookupHost":
		return reflect.ValueOf(func(host string) ([]string, error) { return r.LookupHost(h.Context(), host) })
	case "LookupIP":
		return reflect.ValueOf(func(host string) ([]net.IP, error) { return r.LookupIP(h.Context(), "ip", host) })
	case "LookupMX":
		return reflect.ValueOf(func(name string) ([]*net.MX, error) { return r.LookupMX(h.Context(), name) })
	case "LookupNS":
		return reflect.ValueOf(func(name string) ([]*net.NS, error) { return r.LookupNS(h.Context(), name) })
	case "LookupPort":
		return reflect.ValueOf(func(network, service string) (int, error) { return r.LookupPort(h.Context(), network, service) })
	case "LookupSRV":
		return reflect.ValueOf(func(service, proto, name string) (string, []*net.SRV, error) {
			return r.LookupSRV(h.Context(), service, proto, name)
		})
	case "LookupTXT":
		return reflect.ValueOf(func(name string) ([]string, error) { return r.LookupTXT(h.Context(), name) })
	}
	return reflect.Value{}
}

// tls returns the script's replacement for a name of crypto/tls, or the zero Value.
func (x *exporter) tls(name string) reflect.Value {
	h := x.host
	dial := func(d *net.Dialer, network, address string, config *tls.Config) (*tls.Conn, error) {
		c, err := (&tls.Dialer{NetDialer: d, Config: config}).DialContext(h.Context(), network, address)
		if err != nil {
			return nil, err
		}
		return c.(*tls.Conn), nil
	}
	switch name {
	case "Dial":
		r := h.ownWeb().resolver
		return reflect.ValueOf(func(network, address string, config *tls.Config) (*tls.Conn, error) {
			return dial(&net.Dialer{Resolver: r}, network, address, config)
		})
	case "DialWithDialer":
		return reflect.ValueOf(dial)
	case "CipherSuites":
		return reflect.ValueOf(func() []*tls.CipherSuite { return own.Of(new(own.Copies), tls.CipherSuites()) })
	case "InsecureCipherSuites":
		return reflect.ValueOf(func() []*tls.CipherSuite { return own.Of(new(own.Copies), tls.InsecureCipherSuites()) })
	}
	return reflect.Value{}
}

// SeparateClients makes net/http clients that name no transport, such as
// &http.Client{Timeout: time.Second}, use the transport of the script that uses them, and
// its connections, until the end of the run. It changes http.DefaultTransport, so a program
// calls it once, before it loads the first script. Code outside scripts keeps the transport
// that it had.
func SeparateClients() { http.DefaultTransport = &separateTransport{others: http.DefaultTransport} }

// separateTransport sends a request by the transport of the script that makes it. It
// recognises the script by the thread, to which a run is bound.
type separateTransport struct {
	others  http.RoundTripper
	running sync.Map // thread → *web
}

// RoundTrip is called in the goroutine that uses the client.
func (t *separateTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if w := t.current(); w != nil {
		return boundTransport{w}.RoundTrip(req)
	}
	return t.others.RoundTrip(req)
}

// CloseIdleConnections is what the method of a client calls.
func (t *separateTransport) CloseIdleConnections() {
	if w := t.current(); w != nil {
		w.pool.CloseIdleConnections()
	}
}

// current returns the web of the script that runs in this goroutine, or nil.
func (t *separateTransport) current() *web {
	id, known := thread()
	w, ok := t.running.Load(id)
	if !known || !ok {
		return nil
	}
	return w.(*web)
}

// enter binds the goroutine to its thread and the thread to the web, until the returned
// function is called in the same goroutine.
func (w *web) enter() (leave func()) {
	t, ok := http.DefaultTransport.(*separateTransport)
	if !ok {
		return func() {}
	}
	runtime.LockOSThread()
	id, _ := thread()
	t.running.Store(id, w)
	return func() {
		t.running.Delete(id)
		runtime.UnlockOSThread()
	}
}
