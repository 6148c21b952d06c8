package rpc

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

func TestQueueBounds(t *testing.T) {
	q := newQueue(Options{QueueMessages: 3, QueueBytes: 10})
	m := func(n int) outgoing { return outgoing{data: make([]byte, n)} }
	for i, test := range []struct {
		bytes int
		want  bool
	}{{50, true}, {1, false}} {
		if got := q.try(m(test.bytes)); got != test.want {
			t.Errorf("%d: a first message beyond the bound: got %v", i, got)
		}
	}
	q.take()
	for i, test := range []struct {
		bytes int
		want  bool
	}{{4, true}, {7, false}, {6, true}, {1, false}} {
		if got := q.try(m(test.bytes)); got != test.want {
			t.Errorf("%d: bytes: got %v", i, got)
		}
	}
	q.take()
	q.take()
	for i := range 4 {
		if got := q.try(m(1)); got != (i < 3) {
			t.Errorf("%d: messages: got %v", i, got)
		}
	}
	if q.len() != 3 {
		t.Errorf("len is %d", q.len())
	}
}

func TestQueueWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Options{QueueMessages: 1, QueueBytes: 10})
		if err := q.put(t.Context(), outgoing{data: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- q.put(t.Context(), outgoing{data: []byte("2")}) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("put did not wait: %v", err)
		default:
		}
		if m, _ := q.take(); string(m.data) != "1" {
			t.Errorf("took %q", m.data)
		}
		// Room belongs to the one who waits, even if it has not yet run.
		if q.try(outgoing{data: []byte("3")}) {
			t.Error("try took the room of one who waits")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if m, _ := q.take(); string(m.data) != "2" {
			t.Errorf("took %q", m.data)
		}
		if !q.try(outgoing{data: []byte("4")}) {
			t.Error("try refused though nobody waits")
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("why")
		go func() { done <- q.put(ctx, outgoing{}) }()
		synctest.Wait()
		cancel(why)
		if err := <-done; !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}

		go func() { done <- q.put(t.Context(), outgoing{}) }()
		synctest.Wait()
		q.close(ErrClosed, false)
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		if m, _ := q.take(); string(m.data) != "4" {
			t.Errorf("after close took %q", m.data)
		}
	})
}

// TestSlowReader: an end that does not read makes those wait who send to it, and an
// answer gets its room among them.
func TestSlowReader(t *testing.T) {
	forEachCodec(t, func(t *testing.T, c codec) {
		connected := make(chan *Peer, 1)
		s := &Server{
			Handler:   testMux(),
			Options:   Options{QueueMessages: 10},
			OnConnect: func(p *Peer) { connected <- p },
		}
		r := dialRaw(t, serve(t, s), c)
		p := <-connected
		ctx, stop := context.WithCancel(testContext(t))
		event, flooded := []string{strings.Repeat("x", 100_000)}, make(chan struct{})
		go func() {
			defer close(flooded)
			for p.Notify(ctx, "event", event) == nil {
			}
		}()
		defer func() { stop(); <-flooded }()
		for p.Queued() < 10 { // until the sockets and the queue are full
			if ctx.Err() != nil {
				t.Fatal("the queue is never full")
			}
			runtime.Gosched()
		}
		r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.sum", "params": []int{1, 2}})
		for events := 0; ; events++ {
			var m struct {
				ID     any    `json:"id"`
				Method string `json:"method"`
			}
			if r.receiveInto(&m); m.ID != nil {
				if events == 0 {
					t.Error("no events came before the answer")
				}
				return
			}
		}
	})
}
