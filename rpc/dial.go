package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// DialOptions are those of an outgoing connection.
type DialOptions struct {
	Options
	Header  http.Header // sent with the upgrade, for example Authorization; or nil
	TLS     *tls.Config // nil is the system's
	Handler Handler     // of the other end's requests; nil knows no method
	Codec   string      // the subprotocol to ask for; "" asks for CBOR, then JSON
	// NetDial connects to the address; nil is a net.Dialer, through the proxy
	// of the environment if one is set there.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)
	// Again is how often to try again where the connection is closed before it is up: a
	// server sheds connections that have not logged in while too many come at once. An
	// agent leaves it at 0, because it comes back by itself, and later.
	Again int
}

// againAfter is the bound of the pause before the first new try. It doubles.
const againAfter = 50 * time.Millisecond

// Dial connects to a server. The URL's scheme is ws, wss, http or https, its
// path DefaultPath if it has none. ctx bounds the connecting, not the peer's
// life. An answer that is no WebSocket is returned as *HTTPError.
func Dial(ctx context.Context, rawURL string, o DialOptions) (*Peer, error) {
	target, err := wsURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.Options = o.withDefaults()
	subprotocols := []string{SubprotocolCBOR, SubprotocolJSON}
	if o.Codec != "" {
		if !isSubprotocol(o.Codec) {
			return nil, fmt.Errorf("cannot speak %q: use %q or %q", o.Codec, SubprotocolCBOR, SubprotocolJSON)
		}
		subprotocols = []string{o.Codec}
	}
	for n := 0; ; n++ {
		p, err := dialOnce(ctx, rawURL, target, subprotocols, o)
		if n >= o.Again || !shed(err) {
			return p, err
		}
		pause := time.NewTimer(rand.N(againAfter << min(n, 5)))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, err
		}
	}
}

// shed reports a connection that the server has closed without an answer. What that
// looks like depends on how far the request had got.
func shed(err error) bool {
	for _, how := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, how) {
			return true
		}
	}
	return false
}

func dialOnce(ctx context.Context, rawURL, target string, subprotocols []string, o DialOptions) (*Peer, error) {
	pools := new(pools)
	nd := &netDialer{ctx: ctx, dial: o.NetDial, timeout: o.WriteTimeout, pools: pools}
	d := websocket.Dialer{
		NetDialContext:    nd.dialContext,
		TLSClientConfig:   o.TLS,
		HandshakeTimeout:  handshakeTimeout,
		ReadBufferSize:    4 << 10,
		WriteBufferPool:   &pools.frame,
		Subprotocols:      subprotocols,
		EnableCompression: o.Compression,
	}
	if o.NetDial == nil {
		d.Proxy = http.ProxyFromEnvironment
	}
	ws, resp, err := d.DialContext(ctx, target, o.Header)
	if !nd.settle() && err == nil {
		_ = ws.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, dialError(ctx, rawURL, resp, err)
	}
	p := newPeer(peerParts{ws: ws, conn: nd.conn, handler: o.Handler, shapes: new(shapes), pools: pools}, o.Options)
	p.startWriter()
	p.startReader()
	return p, nil
}

// wsURL makes a WebSocket URL of what users write.
func wsURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("cannot use the URL %q: %w", raw, err)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("cannot use the URL %q: it must begin with http://, https://, ws:// or wss://", raw)
	}
	if u.Host == "" {
		return "", fmt.Errorf("cannot use the URL %q: it names no host", raw)
	}
	if u.User != nil {
		return "", fmt.Errorf("cannot use the URL %q: credentials belong into the Authorization header", u.Redacted())
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = DefaultPath
	}
	u.Fragment = ""
	return u.String(), nil
}

// dialError says why connecting failed.
func dialError(ctx context.Context, target string, resp *http.Response, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("cannot connect to %s: %w", target, context.Cause(ctx))
	}
	if !errors.Is(err, websocket.ErrBadHandshake) || resp == nil {
		return fmt.Errorf("cannot connect to %s: %w", target, err)
	}
	body := make([]byte, 512)
	n := 0
	for n < len(body) {
		k, err := resp.Body.Read(body[n:])
		n += k
		if err != nil || k == 0 {
			break
		}
	}
	he := &HTTPError{
		Status:     resp.StatusCode,
		Body:       strings.TrimSpace(strings.ToValidUTF8(string(body[:n]), "\uFFFD")),
		RetryAfter: retryAfterHeader(resp.Header.Get("Retry-After")),
	}
	return fmt.Errorf("cannot connect to %s: %w", target, he)
}

// retryAfterHeader reads seconds or a date (RFC 9110, section 10.2.3).
func retryAfterHeader(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return min(time.Duration(max(n, 0))*time.Second, maxRetryAfter)
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// netDialer connects, puts a bufferedConn below the library and, unlike the
// library, ends a handshake when the context ends.
type netDialer struct {
	ctx     context.Context // of Dial: the library's ends with the handshake
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	timeout time.Duration
	pools   *pools
	conn    *bufferedConn // after dialContext
	stop    func() bool   // of the watch on the context; nil before
}

func (d *netDialer) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dial := d.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: handshakeTimeout}).DialContext
	}
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.conn = &bufferedConn{Conn: c, timeout: d.timeout, pools: d.pools}
	d.stop = context.AfterFunc(d.ctx, func() { _ = c.Close() })
	return d.conn, nil
}

// settle ends the watch; false if it has struck.
func (d *netDialer) settle() bool { return d.stop == nil || d.stop() }
