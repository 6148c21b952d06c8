// Package patience is how a test waits for something that another goroutine or
// another process does. It is for tests only.
//
// No test depends on how fast the machine is, so all of these wait for Limit,
// which is long enough for a machine that is ten times slower than usual. The
// caller says in words what it waits for. If that never comes, the message has
// these words, and the goroutines of ours at that time.
package patience

import (
	"context"
	"testing"
	"time"
)

// Limit is how long a test waits before it gives up. It is long, because a test
// that reaches it would have hung.
const Limit = 2 * time.Minute

// pollEvery is the time between two checks of a condition.
const pollEvery = 2 * time.Millisecond

// Until checks again and again until ok returns true, and fails the test at once
// if that never happens. Only the goroutine of the test may call it.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !within(t.Context(), ok) {
		fail(t, t.Fatalf, what)
	}
}

// Closed waits until a channel is closed, or yields a value, and fails the test at
// once if that never happens. Only the goroutine of the test may call it.
func Closed[T any](t testing.TB, what string, done <-chan T) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(Limit):
		fail(t, t.Fatalf, what)
	}
}

// Receive returns the next value of a channel, and fails the test at once if none
// comes or the channel is closed. Only the goroutine of the test may call it.
func Receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatalf("the channel was closed before there was %s", what)
		}
		return v
	case <-time.After(Limit):
		fail(t, t.Fatalf, what)
	}
	panic("unreachable")
}

// Return calls f, and waits until it returns. If it never does, the test fails but
// continues. So this is for cleanups: those after it still run.
func Return(t testing.TB, what string, f func()) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f()
	}()
	select {
	case <-returned:
	case <-time.After(Limit):
		fail(t, t.Errorf, what)
	}
}

// Context ends with the test, or after Limit. It is for calls that a test waits
// for.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	t.Cleanup(cancel)
	return ctx
}

// within reports whether ok became true in time.
func within(ctx context.Context, ok func() bool) bool {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done(): // the test is over: its cleanups continue
			return ok()
		case <-deadline.C:
			return ok()
		}
	}
	return true
}

// fail fails a test that has waited in vain.
func fail(t testing.TB, how func(string, ...any), what string) {
	t.Helper()
	how("waited %v in vain for %s; meanwhile:\n\n%s", Limit, what, Goroutines())
}
