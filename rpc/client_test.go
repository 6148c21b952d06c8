package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoff(t *testing.T) {
	high := Backoff{Random: func() float64 { return 1 }}.withDefaults()
	var got []time.Duration
	for n := range 8 {
		got = append(got, high.delay(n+1, nil))
	}
	s := time.Second
	if want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s}; !slices.Equal(got, want) {
		t.Errorf("the bounds are %v", got)
	}
	low := Backoff{Random: func() float64 { return 0 }}.withDefaults()
	if d := low.delay(1000, nil); d != 0 {
		t.Errorf("jitter begins at %v", d)
	}
	// What the server asks for is never undercut.
	for _, err := range []error{
		fmt.Errorf("x: %w", &HTTPError{Status: 503, RetryAfter: 7 * s}),
		&CloseError{Code: CloseGoingAway, Reason: "upgrading; retry_after_ms=7000"},
		&Error{Code: -32029, Data: map[string]any{"retry_after_ms": 7000.0}},
		&Error{Code: -32029, Data: map[string]any{"retry_after_ms": int64(7000)}},
	} {
		if d := low.delay(1, err); d != 7*s {
			t.Errorf("%v: at least %v", err, d)
		}
		if d := high.delay(1, err); d != 8*s {
			t.Errorf("%v: at most %v", err, d)
		}
		if d := high.delay(6, err); d != 30*s {
			t.Errorf("%v: after many failures %v", err, d)
		}
	}
	if d := Backoff.withDefaults(Backoff{}).delay(1, nil); d < 0 || d >= s {
		t.Errorf("by default the first delay is %v", d)
	}
	for _, data := range []any{nil, "x", map[string]any{}, map[string]any{"retry_after_ms": "5"}, map[string]any{"retry_after_ms": -5.0}} {
		if d, ok := RetryAfter(&Error{Data: data}); ok {
			t.Errorf("%v: retry after %v", data, d)
		}
	}
	if d, _ := RetryAfter(&Error{Data: map[string]any{"retry_after_ms": 1e300}}); d != maxRetryAfter {
		t.Errorf("a huge number gives %v", d)
	}
}

// attempts runs a Client and tells of its failures.
type attempts struct {
	client   *Client
	down     chan error
	waits    chan time.Duration
	finished chan error
	stop     context.CancelFunc
}

func runClient(t *testing.T, n *pipeNet, c *Client) *attempts {
	a := &attempts{client: c, down: make(chan error, 100), waits: make(chan time.Duration, 100), finished: make(chan error, 1)}
	c.URL = "http://master"
	c.Dial.NetDial = n.dial
	c.OnDown = func(err error, retryIn time.Duration) { a.down <- err; a.waits <- retryIn }
	ctx, cancel := context.WithCancel(t.Context())
	a.stop = cancel
	go func() { a.finished <- c.Run(ctx) }()
	return a
}

// TestClientReconnects: connect at once, then after each loss within a second;
// the bound doubles while it fails and begins again after a connection that
// lived.
func TestClientReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		began := time.Now()
		connected := make(chan *Peer, 1)
		s := &Server{Handler: testMux(), OnConnect: func(p *Peer) { connected <- p }}
		defer n.start(s)()
		var ended []error
		a := runClient(t, n, &Client{
			Backoff: Backoff{Random: func() float64 { return 0.5 }},
			OnConnect: func(ctx context.Context, p *Peer) error {
				if err := p.Call(ctx, "test.nothing", nil, nil); err != nil {
					t.Errorf("cannot call: %v", err)
				}
				<-ctx.Done()
				ended = append(ended, ctx.Err())
				return ctx.Err()
			},
		})
		p := <-connected
		if took := time.Since(began); took != 0 {
			t.Errorf("the first connection came after %v", took)
		}
		for _, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			synctest.Wait() // until OnConnect has called
			_ = p.Close(CloseGoingAway, "")
			if ce, ok := errors.AsType[*CloseError](<-a.down); !ok || ce.Code != CloseGoingAway {
				t.Errorf("OnDown got %v", ce)
			}
			if wait := <-a.waits; wait != want {
				t.Errorf("waits %v, want %v", wait, want)
			}
			lost := time.Now()
			p = <-connected
			if took := time.Since(lost); took != want {
				t.Errorf("came back after %v, want %v", took, want)
			}
		}
		<-time.After(10 * time.Second)
		_ = p.Close(CloseGoingAway, "restart; retry_after_ms=60000")
		<-a.down
		if wait := <-a.waits; wait != 60*time.Second+500*time.Millisecond {
			t.Errorf("after a connection that lived waits %v", wait)
		}
		<-connected
		synctest.Wait()
		a.stop()
		if err := <-a.finished; err != nil {
			t.Errorf("Run returns %v", err)
		}
		if len(ended) != 5 {
			t.Errorf("OnConnect ended %d times", len(ended))
		}
	})
}

// TestClientWaitsForServer: the server comes up an hour late.
func TestClientWaitsForServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		connected := make(chan *Peer, 1)
		defer n.start(&Server{OnConnect: func(p *Peer) { connected <- p }})()
		var up atomic.Bool
		tries := 0
		c := &Client{URL: "http://master"}
		c.Dial.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !up.Load() {
				return nil, errors.New("connection refused")
			}
			return n.dial(ctx, network, addr)
		}
		c.OnDown = func(_ error, retryIn time.Duration) {
			if tries++; retryIn > 30*time.Second {
				t.Errorf("waits %v", retryIn)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		finished := make(chan error, 1)
		go func() { finished <- c.Run(ctx) }()
		<-time.After(time.Hour)
		up.Store(true)
		late := time.Now()
		<-connected
		if took := time.Since(late); took > 30*time.Second {
			t.Errorf("noticed after %v", took)
		}
		cancel()
		if err := <-finished; err != nil {
			t.Error(err)
		}
		if tries < 120 || tries > 3600 {
			t.Errorf("tried %d times in an hour", tries)
		}
	})
}

func TestClientPermanentRefusal(t *testing.T) {
	tests := []struct {
		name   string
		server *Server
		on     func(context.Context, *Peer) error
		want   string
	}{
		{"401", &Server{Authenticate: func(*http.Request) (any, error) { return nil, errors.New("no such token") }}, nil, "no such token"},
		{"403", &Server{Authenticate: func(*http.Request) (any, error) { return nil, &HTTPError{Status: 403, Body: "not you"} }}, nil, "not you"},
		{"426", &Server{Authenticate: func(*http.Request) (any, error) { return nil, &HTTPError{Status: 426, Body: "too old"} }}, nil, "too old"},
		{"4401", &Server{OnConnect: func(p *Peer) { _ = p.Close(4401, "log in") }}, nil, "log in"},
		{"4403", &Server{OnConnect: func(p *Peer) { _ = p.Close(4403, "go away") }}, nil, "go away"},
		{
			"4426", &Server{OnConnect: func(p *Peer) { _ = p.Close(4426, "version 1 only") }},
			func(ctx context.Context, _ *Peer) error { <-ctx.Done(); return ctx.Err() }, "version 1 only",
		},
		{"own", &Server{}, func(context.Context, *Peer) error { return &PermanentError{errors.New("wrong disk")} }, "wrong disk"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := &Client{URL: serve(t, test.server), OnConnect: test.on}
			err := c.Run(testContext(t))
			if _, ok := errors.AsType[*PermanentError](err); !ok {
				t.Fatalf("got %v", err)
			}
			wantContains(t, err.Error(), test.want)
		})
	}
}

// TestClientTriesAgain: only a permanent refusal is not tried again.
func TestClientTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		answers := []error{&HTTPError{Status: 503, RetryAfter: 90 * time.Second}, &HTTPError{Status: 500}, &HTTPError{Status: 404}}
		connected := make(chan *Peer, 1)
		s := &Server{Handler: testMux(), OnConnect: func(p *Peer) { connected <- p }, Authenticate: func(*http.Request) (any, error) {
			if len(answers) == 0 {
				return nil, nil
			}
			err := answers[0]
			answers = answers[1:]
			return nil, err
		}}
		defer n.start(s)()
		failed := false
		a := runClient(t, n, &Client{
			Backoff: Backoff{Random: func() float64 { return 0.5 }},
			OnConnect: func(ctx context.Context, p *Peer) error {
				if !failed {
					failed = true
					return p.Call(ctx, "test.fail", nil, nil) // data.retry_after_ms is 1500
				}
				return nil // and the connection stays
			},
		})
		for _, want := range []time.Duration{90*time.Second + 500*time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
			err := <-a.down
			if wait := <-a.waits; wait != want {
				t.Errorf("%v: waits %v, want %v", err, wait, want)
			}
		}
		<-connected
		p := <-connected
		<-time.After(time.Minute)
		if p.Err() != nil {
			t.Errorf("the connection did not stay: %v", p.Err())
		}
		a.stop()
		if err := <-a.finished; err != nil {
			t.Error(err)
		}
	})
}
