package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestAuthenticate(t *testing.T) {
	s := &Server{
		Handler: testMux(),
		Authenticate: func(r *http.Request) (any, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer good":
				return "web-1", nil
			case "Bearer weak":
				return nil, &HTTPError{Status: http.StatusForbidden, Body: "this token may not connect"}
			case "Bearer busy":
				return nil, &HTTPError{Status: http.StatusServiceUnavailable, Body: "busy", RetryAfter: 1500 * time.Millisecond}
			}
			return nil, errors.New("no such token")
		},
		OnConnect: func(p *Peer) {
			if p.Identity() != "web-1" {
				t.Errorf("connected as %v", p.Identity())
			}
		},
	}
	url := serve(t, s)
	with := func(auth string) DialOptions { return DialOptions{Header: http.Header{"Authorization": {auth}}} }
	p := dial(t, url, with("Bearer good"))
	if err := p.Call(testContext(t), "test.nothing", nil, nil); err != nil {
		t.Error(err)
	}
	for auth, want := range map[string]HTTPError{
		"":            {Status: 401, Body: "no such token"},
		"Bearer weak": {Status: 403, Body: "this token may not connect"},
		"Bearer busy": {Status: 503, Body: "busy", RetryAfter: 2 * time.Second},
	} {
		_, err := Dial(testContext(t), url, with(auth))
		he, ok := errors.AsType[*HTTPError](err)
		if !ok || *he != want {
			t.Errorf("%q: got %v", auth, err)
		}
		wantContains(t, err.Error(), want.Body)
		wantContains(t, err.Error(), url)
	}
}

func TestServerRefusals(t *testing.T) {
	s := &Server{Handler: testMux(), MaxPeers: 1, Authenticate: func(*http.Request) (any, error) { return nil, nil }}
	url := serve(t, s)
	resp, err := http.Get(url + DefaultPath)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a plain GET gets %d", resp.StatusCode)
	}
	wantContains(t, string(body), "WebSocket")

	ws := "ws" + strings.TrimPrefix(url, "http") + DefaultPath
	refused := func(d websocket.Dialer, h http.Header, status int, part string) {
		t.Helper()
		_, resp, err := d.DialContext(testContext(t), ws, h)
		if err == nil || resp == nil || resp.StatusCode != status {
			t.Fatalf("got %v, %v, want status %d", resp, err, status)
		}
		body, _ := io.ReadAll(resp.Body)
		wantContains(t, string(body), part)
	}
	refused(websocket.Dialer{Subprotocols: []string{"graphql-ws", "mqtt"}}, nil, 400, "graphql-ws, mqtt")
	refused(websocket.Dialer{}, http.Header{"Origin": {"https://evil.example"}}, 403, "Pages of https://evil.example may not connect")
	refused(websocket.Dialer{}, http.Header{"Origin": {"null"}}, 403, "Pages of null")
	refused(websocket.Dialer{}, http.Header{"Origin": {"https://evil.example"}}, 403, "evil.example")
	_ = dial(t, url, DialOptions{Header: http.Header{"Origin": {url}}})
	refused(websocket.Dialer{}, nil, 503, "No more connections")
}

// TestSubprotocols: the client's preferred subprotocol is spoken; without one it is JSON.
func TestSubprotocols(t *testing.T) {
	url := serve(t, &Server{Handler: testMux()})
	for _, test := range []struct {
		ask  []string
		want codec
	}{
		{nil, jsonCodec{}},
		{[]string{"other", SubprotocolJSON, SubprotocolCBOR}, jsonCodec{}},
		{[]string{SubprotocolCBOR, SubprotocolJSON}, cborCodec{}},
	} {
		d := websocket.Dialer{Subprotocols: test.ask}
		ws, _, err := d.DialContext(testContext(t), "ws"+strings.TrimPrefix(url, "http")+"/any/path", nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &raw{t, ws, test.want}
		r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.nothing"})
		if got := r.receive(); got.Error != nil {
			t.Errorf("%v: %v", test.ask, got.Error)
		}
		_ = ws.Close()
	}
	p := dial(t, url, DialOptions{})
	if p.Codec() != SubprotocolCBOR {
		t.Errorf("Dial speaks %s", p.Codec())
	}
	if _, err := Dial(testContext(t), url, DialOptions{Codec: "mqtt"}); err == nil {
		t.Error("an unknown codec was accepted")
	}
}

func TestShutdown(t *testing.T) {
	var gone atomic.Int64
	s := &Server{Handler: testMux(), OnDisconnect: func(*Peer, error) { gone.Add(1) }}
	hs := httptest.NewServer(s)
	defer hs.Close()
	var peers []*Peer
	for range 5 {
		p := dial(t, hs.URL, DialOptions{})
		go func() { _ = p.Call(context.Background(), "test.wait", nil, nil) }()
		peers = append(peers, p)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if n := gone.Load(); n != 5 || len(s.Peers()) != 0 {
		t.Errorf("%d peers are gone, %d are left", n, len(s.Peers()))
	}
	for _, p := range peers {
		<-p.Done()
		if ce, ok := errors.AsType[*CloseError](p.Err()); !ok || ce.Code != CloseGoingAway {
			t.Errorf("got %v", p.Err())
		}
	}
	_, err := Dial(testContext(t), hs.URL, DialOptions{})
	if he, ok := errors.AsType[*HTTPError](err); !ok || he.Status != 503 || he.RetryAfter == 0 {
		t.Errorf("after Shutdown: %v", err)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

// TestShutdownCuts: peers that do not answer the close are cut when the context
// ends, and their handlers' contexts end at once.
func TestShutdownCuts(t *testing.T) {
	stuck := make(chan struct{})
	began := make(chan struct{})
	m := NewMux()
	m.Handle("test.stuck", func(context.Context, *Request) (any, error) { close(began); <-stuck; return nil, nil })
	s := &Server{Handler: m}
	hs := httptest.NewServer(s)
	defer hs.Close()
	r := dialRaw(t, hs.URL, jsonCodec{})
	r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.stuck"})
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(stuck)
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
}

// TestTLS dials https with the server's certificate, and without trusting it.
func TestTLS(t *testing.T) {
	s := &Server{Handler: testMux()}
	hs := httptest.NewUnstartedServer(s)
	hs.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not trust it
	hs.StartTLS()
	defer hs.Close()
	pool := x509.NewCertPool()
	pool.AddCert(hs.Certificate())
	p := dial(t, hs.URL, DialOptions{TLS: &tls.Config{RootCAs: pool}})
	want := [1]string{strings.Repeat("x", 3<<20)}
	var got [1]string
	if err := p.Call(testContext(t), "test.echo", want, &got); err != nil || got != want {
		t.Error(err)
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	_, err := Dial(testContext(t), hs.URL, DialOptions{TLS: &tls.Config{RootCAs: x509.NewCertPool()}})
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestDialErrors(t *testing.T) {
	for url, want := range map[string]string{
		"localhost:50505":          "must begin with http://",
		"127.0.0.1":                "must begin with http://",
		"http://":                  "names no host",
		"http://me:secret@host/":   "Authorization header",
		"http://host:port/":        "invalid port",
		"http://127.0.0.1:1/rpc":   "connection refused",
		"ftp://127.0.0.1:1/rpc":    "must begin with",
		"ws://127.0.0.1:1/rpc#x":   "connection refused",
		"https://127.0.0.1:1/rpc":  "connection refused",
		"wss://127.0.0.1:1/?a=b#c": "connection refused",
	} {
		_, err := Dial(testContext(t), url, DialOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
}

func TestDialNotRPC(t *testing.T) {
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != DefaultPath {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, strings.Repeat("é", 1000))
	}))
	defer hs.Close()
	_, err := Dial(testContext(t), hs.URL+"/", DialOptions{})
	he, ok := errors.AsType[*HTTPError](err)
	if !ok || he.Status != 429 || he.Body != strings.Repeat("é", 256) {
		t.Errorf("got %v", err)
	}
	if after, ok := RetryAfter(err); !ok || after != maxRetryAfter {
		t.Errorf("retry after %v, %v", after, ok)
	}
}

// shedding is a listener that closes the first connections, in any way.
type shedding struct {
	net.Listener
	left atomic.Int32
}

func (s *shedding) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil || s.left.Add(-1) < 0 {
			return c, err
		}
		if rand.IntN(2) == 0 {
			_, _ = c.Read(make([]byte, 1)) // the request is on its way
		}
		if tcp, ok := c.(*net.TCPConn); ok && rand.IntN(2) == 0 {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// TestDialAgain: who is told to try again gets through to a server that sheds
// connections, and who is not, or not often enough, is told why it failed.
func TestDialAgain(t *testing.T) {
	for range 50 {
		shed, again := rand.IntN(4), rand.IntN(4)
		server := &Server{Handler: testMux()}
		hs := httptest.NewUnstartedServer(server)
		l := &shedding{Listener: hs.Listener}
		l.left.Store(int32(shed))
		hs.Listener = l
		hs.Start()
		p, err := Dial(t.Context(), hs.URL, DialOptions{Again: again})
		if (err == nil) != (again >= shed) {
			t.Errorf("%d are shed, and it tries %d times again: %v", shed, again, err)
		}
		if p != nil {
			p.Close(CloseNormal, "")
			p.Wait()
		}
		if err := server.Shutdown(testContext(t)); err != nil {
			t.Error(err)
		}
		hs.Close()
	}
}

// TestDialCancelled: a server that accepts and says nothing holds nobody whose
// context ends.
func TestDialCancelled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1)) // the request is on its way
		cancel(why)
		_, _ = io.Copy(io.Discard, c)
	}()
	if _, err := Dial(ctx, "http://"+l.Addr().String(), DialOptions{}); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
