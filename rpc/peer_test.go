package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vedettehq/vedette/internal/patience"
)

type sumParams struct {
	A int64 `json:"a"`
	B int64 `json:"b"`
}

// testMux knows the methods that the tests call.
func testMux() *Mux {
	m := NewMux()
	m.Handle("test.sum", Method(func(_ context.Context, p sumParams) (int64, error) { return p.A + p.B, nil }))
	m.HandleInOrder("test.sumInOrder", Method(func(_ context.Context, p sumParams) (int64, error) { return p.A + p.B, nil }))
	m.Handle("test.nothing", Method(func(context.Context, struct{}) (any, error) { return nil, nil }))
	m.Handle("test.echo", func(_ context.Context, req *Request) (any, error) {
		var v any
		err := req.Decode(&v)
		return v, err
	})
	m.Handle("test.fail", func(context.Context, *Request) (any, error) {
		e := Errorf(-32029, "busy")
		e.Data = map[string]any{"retry_after_ms": 1500}
		return nil, fmt.Errorf("wrapped: %w", e)
	})
	m.Handle("test.error", func(context.Context, *Request) (any, error) { return nil, errors.New("no such disk") })
	m.Handle("test.panic", func(context.Context, *Request) (any, error) { panic("oh") })
	m.HandleInOrder("test.panicInOrder", func(context.Context, *Request) (any, error) { panic("oh") })
	m.Handle("test.nan", func(context.Context, *Request) (any, error) { return math.NaN(), nil })
	m.Handle("test.large", func(context.Context, *Request) (any, error) { return strings.Repeat("x", 5<<20), nil })
	m.Handle("test.repeat", Method(func(_ context.Context, p [1]int) (string, error) { return strings.Repeat("x", p[0]), nil }))
	m.Handle("test.wait", func(ctx context.Context, _ *Request) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	m.Handle("test.close", func(context.Context, *Request) (any, error) {
		return nil, &CloseError{Code: 4409, Reason: "replaced"}
	})
	return m
}

func TestCall(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		url := serve(t, &Server{Handler: testMux()})
		p := dial(t, url, DialOptions{Codec: c.name()})
		if p.Codec() != c.name() {
			t.Errorf("the peer speaks %s", p.Codec())
		}
		ctx := testContext(t)
		for _, method := range []string{"test.sum", "test.sumInOrder"} {
			for _, params := range []any{sumParams{1 << 60, 7}, []int64{1 << 60, 7}, map[string]int64{"a": 1 << 60, "b": 7}} {
				var sum int64
				if err := p.Call(ctx, method, params, &sum); err != nil || sum != 1<<60+7 {
					t.Errorf("%s(%v) = %d, %v", method, params, sum, err)
				}
			}
		}
		if err := p.Call(ctx, "test.nothing", nil, nil); err != nil {
			t.Error(err)
		}
		var echo any
		if err := p.Call(ctx, "test.echo", map[string]any{"é": []any{"x", true, nil}}, &echo); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(echo); got != "map[é:[x true <nil>]]" {
			t.Errorf("echo is %s", got)
		}
	})
}

func TestCallErrors(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		logs := new(logs)
		url := serve(t, &Server{Handler: testMux(), Options: Options{Log: logs.logger()}})
		p := dial(t, url, DialOptions{Codec: c.name()})
		ctx := testContext(t)
		call := func(method string, params any) error { return p.Call(ctx, method, params, nil) }

		e := asError(t, call("test.fail", nil), -32029)
		if e.Message != "busy" {
			t.Errorf("message is %q", e.Message)
		}
		if after, ok := RetryAfter(e); !ok || after.Milliseconds() != 1500 {
			t.Errorf("retry after %v, %v", after, ok)
		}
		wantContains(t, asError(t, call("test.error", nil), CodeInternal).Message, "no such disk")
		wantContains(t, asError(t, call("test.none", nil), CodeMethodNotFound).Message, `"test.none"`)
		wantContains(t, asError(t, call("test.sum", []string{"a"}), CodeInvalidParams).Message, `member "a": expected an integer, got a string`)
		wantContains(t, asError(t, call("test.nan", nil), CodeInternal).Message, "cannot encode the result")
		wantContains(t, asError(t, call("test.large", nil), CodeInternal).Message, "too large")
		for _, method := range []string{"test.panic", "test.panicInOrder"} {
			e := asError(t, call(method, nil), CodeInternal)
			if e.Message != "internal error" {
				t.Errorf("a panic tells the caller %q", e.Message)
			}
			wantContains(t, logs.String(), "method="+method)
		}
		wantContains(t, logs.String(), "peer_test.go") // the stack

		// What cannot be sent is the caller's error and is not sent.
		if err := call("test.echo", []float64{math.Inf(1)}); err == nil || p.Err() != nil {
			t.Errorf("infinite params give %v; the connection %v", err, p.Err())
		}
		if err := call("test.echo", 5); err == nil {
			t.Error("params that are a number were sent")
		}
		if err := call("test.echo", []string{strings.Repeat("x", 5<<20)}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too large params give %v", err)
		}
		var s string
		if err := p.Call(ctx, "test.sum", []int{1, 2}, &s); err == nil {
			t.Error("a number was read into a string")
		}
		// All the same the connection lives.
		if err := call("test.nothing", nil); err != nil {
			t.Error(err)
		}
	})
}

// TestBothWays has the server call a client that is calling it.
func TestBothWays(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		server := NewMux()
		server.Handle("server.relay", func(ctx context.Context, _ *Request) (any, error) {
			var sum int
			err := PeerFrom(ctx).Call(ctx, "test.sum", []int{20, 22}, &sum)
			return sum, err
		})
		url := serve(t, &Server{Handler: server})
		p := dial(t, url, DialOptions{Codec: c.name(), Handler: testMux()})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				var sum int
				if err := p.Call(testContext(t), "server.relay", nil, &sum); err != nil || sum != 42 {
					t.Errorf("got %d, %v", sum, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestNotifyInOrder(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		var got []int64
		m := NewMux()
		m.HandleInOrder("test.note", Method(func(_ context.Context, p [1]int64) (any, error) {
			got = append(got, p[0]) // one goroutine, in order
			return nil, nil
		}))
		m.HandleInOrder("test.done", func(context.Context, *Request) (any, error) { return len(got), nil })
		p := dial(t, serve(t, &Server{Handler: m}), DialOptions{Codec: c.name()})
		ctx := testContext(t)
		var want []int64
		for i := range int64(5000) {
			want = append(want, i)
			if err := p.Notify(ctx, "test.note", [1]int64{i}); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := p.Call(ctx, "test.done", nil, &n); err != nil || n != len(want) {
			t.Fatalf("got %d, %v", n, err)
		}
		if !slices.Equal(got, want) {
			t.Error("the notifications came out of order")
		}
	})
}

// TestCallCancel checks that the end of a call's context ends the wait and,
// by $/cancel, the context of the handler.
func TestCallCancel(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		began, ended := make(chan struct{}), make(chan error, 1)
		m := NewMux()
		m.Handle("test.wait", func(ctx context.Context, _ *Request) (any, error) {
			close(began)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		})
		p := dial(t, serve(t, &Server{Handler: m}), DialOptions{Codec: c.name()})
		ctx, cancel := context.WithCancelCause(testContext(t))
		why := errors.New("enough")
		go func() { <-began; cancel(why) }()
		if err := p.Call(ctx, "test.wait", nil, nil); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context ended with %v", err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.err != nil || p.calls != nil {
			t.Errorf("left behind: %v, %v", p.err, p.calls)
		}
	})
}

// TestCancelAnswered: a cancelled request is still answered, for clients that
// wait for it, with whatever form its id has.
func TestCancelAnswered(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		r := dialRaw(t, serve(t, &Server{Handler: testMux()}), c)
		for _, id := range []any{"seven", 1_000_000, -3, int64(math.MaxInt64)} {
			r.send(map[string]any{"jsonrpc": "2.0", "id": id, "method": "test.wait"})
			r.send(map[string]any{"jsonrpc": "2.0", "method": "$/cancel", "params": map[string]any{"id": id}})
			if got := r.receive(); got.Error == nil || got.Error.Code != CodeCancelled {
				t.Errorf("%v: got %+v", id, got)
			}
		}
	})
}

func TestCloseLocal(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		gone := make(chan error, 1)
		got := make(chan int, 3000)
		m := testMux()
		m.HandleInOrder("test.note", func(context.Context, *Request) (any, error) { got <- 1; return nil, nil })
		url := serve(t, &Server{Handler: m, OnDisconnect: func(_ *Peer, err error) { gone <- err }})
		p := dial(t, url, DialOptions{Codec: c.name(), Options: Options{QueueMessages: 5000}})
		for range 3000 {
			if err := p.Notify(testContext(t), "test.note", nil); err != nil {
				t.Fatal(err)
			}
		}
		waiting := make(chan error)
		go func() { waiting <- p.Call(testContext(t), "test.wait", nil, nil) }()
		if err := p.Close(4409, "replaced by another"); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("the call got %v", err)
		}
		ce, ok := errors.AsType[*CloseError](<-gone)
		if !ok || ce.Code != 4409 || ce.Reason != "replaced by another" || ce.Local {
			t.Errorf("the other end got %v", ce)
		}
		if len(got) != 3000 {
			t.Errorf("of what was queued before, %d came", len(got))
		}
		p.Wait()
		ce, ok = errors.AsType[*CloseError](p.Err())
		if !ok || ce.Code != 4409 || !ce.Local || !errors.Is(p.Err(), ErrClosed) {
			t.Errorf("Err is %v", p.Err())
		}
		if err := p.Close(1000, ""); !errors.Is(err, ErrClosed) {
			t.Errorf("a second Close returns %v", err)
		}
		if err := p.Notify(testContext(t), "test.note", nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Notify returns %v", err)
		}
	})
}

// TestHandlerCloses: a handler that returns a CloseError is answered first.
func TestHandlerCloses(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		p := dial(t, serve(t, &Server{Handler: testMux()}), DialOptions{Codec: c.name()})
		wantContains(t, asError(t, p.Call(testContext(t), "test.close", nil, nil), CodeInternal).Message, "replaced")
		<-p.Done()
		if ce, ok := errors.AsType[*CloseError](p.Err()); !ok || ce.Code != 4409 || ce.Local {
			t.Errorf("Err is %v", p.Err())
		}
	})
}

func TestCloseReasonIsCut(t *testing.T) {
	gone := make(chan error, 1)
	url := serve(t, &Server{OnDisconnect: func(_ *Peer, err error) { gone <- err }})
	p := dial(t, url, DialOptions{})
	_ = p.Close(CloseNormal, strings.Repeat("é", 100))
	ce, _ := errors.AsType[*CloseError](<-gone)
	if ce == nil || ce.Reason != strings.Repeat("é", 61) {
		t.Errorf("got %v", ce)
	}
}

// TestMaxInFlight checks that reading pauses while so many requests are being
// handled.
func TestMaxInFlight(t *testing.T) {
	const limit = 3
	var now, most atomic.Int64
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	m := NewMux()
	m.Handle("test.hold", func(ctx context.Context, _ *Request) (any, error) {
		most.Store(max(most.Load(), now.Add(1)))
		entered <- struct{}{}
		select {
		case <-leave:
		case <-ctx.Done():
		}
		now.Add(-1)
		return nil, nil
	})
	p := dial(t, serve(t, &Server{Handler: m, Options: Options{MaxInFlight: limit}}), DialOptions{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := p.Call(testContext(t), "test.hold", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	for range limit {
		patience.Receive(t, "a request", entered)
	}
	close(leave)
	wg.Wait()
	if got := most.Load(); got > limit {
		t.Errorf("%d requests were handled at once, want at most %d", got, limit)
	}
}

func TestIdentity(t *testing.T) {
	m := NewMux()
	m.Handle("test.who", func(ctx context.Context, req *Request) (any, error) {
		if PeerFrom(ctx) != req.Peer {
			return nil, errors.New("another peer")
		}
		return req.Peer.Identity(), nil
	})
	var onConnect *Peer
	s := &Server{
		Handler: m, OnConnect: func(p *Peer) { onConnect = p },
		Authenticate: func(*http.Request) (any, error) { return "web-1", nil },
	}
	p := dial(t, serve(t, s), DialOptions{})
	var who string
	if err := p.Call(testContext(t), "test.who", nil, &who); err != nil || who != "web-1" {
		t.Errorf("got %q, %v", who, err)
	}
	if all := s.Peers(); len(all) != 1 || all[0] != onConnect {
		t.Errorf("Peers returns %v", all)
	}
	if p.Identity() != nil {
		t.Errorf("the client's peer is %v", p.Identity())
	}
}

func TestMuxTwice(t *testing.T) {
	m := testMux()
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, `"test.sum"`) {
			t.Errorf("panic says %q", v)
		}
	}()
	if got := m.Methods(); !slices.IsSorted(got) || !slices.Contains(got, "test.sum") {
		t.Errorf("Methods returns %v", got)
	}
	m.Handle("test.sum", nil)
}
