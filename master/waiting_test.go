package master

import (
	"context"
	"testing"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
)

// await waits for what a test cannot go on without.
func await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	return patience.Receive(t, what, from)
}

// hangUp closes a connection and waits until its handlers are gone. A handler
// that hands something to the test does it by hand, or it would keep the test
// from ending.
func hangUp(t testing.TB, peer *rpc.Peer) {
	t.Helper()
	peer.Close(rpc.CloseNormal, "")
	patience.Return(t, "the handlers of a connection that is closed", peer.Wait)
}

// hand gives a value to the test, or to nobody once the connection is down.
func hand[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waitFor waits until check, which is called again after each change, returns
// the empty string; what it returned is why the test fails.
func (a *fakeAgent) waitFor(t testing.TB, check func() string) {
	t.Helper()
	ctx := patience.Context(t)
	for {
		a.mu.Lock()
		why, changed := check(), a.changed
		a.mu.Unlock()
		if why == "" {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("host %s: %s\n%s", a.host, why, patience.Goroutines())
		}
	}
}
