package rpc

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/internal/patience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// forEachCodec runs a test in both codecs.
func forEachCodec(t *testing.T, f func(t *testing.T, c codec)) {
	t.Helper()
	for _, c := range []codec{jsonCodec{}, cborCodec{}} {
		t.Run(strings.TrimPrefix(c.name(), "vedette.v1."), func(t *testing.T) { f(t, c) })
	}
}

// testContext ends long before the test binary would.
func testContext(t testing.TB) context.Context { return patience.Context(t) }

// serve serves s on a loopback socket and returns its URL. At the end of the
// test everything must be gone.
func serve(t testing.TB, s *Server) string {
	t.Helper()
	hs := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		hs.Close()
	})
	return hs.URL
}

func dial(t testing.TB, url string, o DialOptions) *Peer {
	t.Helper()
	p, err := Dial(testContext(t), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close(CloseNormal, "")
		patience.Return(t, "the handlers of a connection that is closed", p.Wait)
	})
	return p
}

// raw is a bare WebSocket, to send what a Peer never would.
type raw struct {
	t     testing.TB
	ws    *websocket.Conn
	codec codec
}

func dialRaw(t testing.TB, url string, c codec) *raw {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{c.name()}}
	ws, resp, err := d.DialContext(testContext(t), "ws"+strings.TrimPrefix(url, "http")+DefaultPath, nil)
	if err != nil {
		t.Fatal(err, resp)
	}
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.SetReadDeadline(time.Now().Add(patience.Limit)); err != nil {
		t.Fatal(err)
	}
	return &raw{t, ws, c}
}

// send sends v, or the text as it is if v is a string.
func (r *raw) send(v any) {
	r.t.Helper()
	var buf bytes.Buffer
	if s, ok := v.(string); ok {
		buf.WriteString(s)
	} else if err := r.codec.encode(&buf, v); err != nil {
		r.t.Fatal(err)
	}
	if err := r.ws.WriteMessage(r.codec.frameType(), buf.Bytes()); err != nil {
		r.t.Fatal(err)
	}
}

// reply is an answer as it came.
type reply struct {
	JSONRPC string `json:"jsonrpc"`
	ID      any    `json:"id"`
	Result  any    `json:"result"`
	Error   *Error `json:"error"`
}

func (r *raw) receive() (got reply) {
	r.t.Helper()
	r.receiveInto(&got)
	return got
}

func (r *raw) receiveInto(v any) {
	r.t.Helper()
	kind, data, err := r.ws.ReadMessage()
	if err != nil {
		r.t.Fatal(err)
	}
	if kind != r.codec.frameType() {
		r.t.Fatalf("got a frame of type %d, want %d", kind, r.codec.frameType())
	}
	if err := r.codec.decode(data, v); err != nil {
		r.t.Fatalf("cannot read %q: %v", data, err)
	}
}

// receiveClose reads on until the close frame.
func (r *raw) receiveClose() *websocket.CloseError {
	r.t.Helper()
	for {
		_, _, err := r.ws.ReadMessage()
		if err == nil {
			continue
		}
		ce, ok := errors.AsType[*websocket.CloseError](err)
		if !ok {
			r.t.Fatalf("got %v, want a close frame", err)
		}
		return ce
	}
}

// logs collects what was logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// asError returns err as an *Error with the code, or fails the test.
func asError(t testing.TB, err error, code int) *Error {
	t.Helper()
	re, ok := errors.AsType[*Error](err)
	if !ok || re.Code != code {
		t.Fatalf("got error %v, want one with code %d", err, code)
	}
	return re
}

func wantContains(t testing.TB, s, part string) {
	t.Helper()
	if !strings.Contains(s, part) {
		t.Errorf("%q does not contain %q", s, part)
	}
}
