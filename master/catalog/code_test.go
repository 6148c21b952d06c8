package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// An interval that is given beside the code, by `try --interval` or `push --interval`, is
// accepted whatever timeout the script has: the master computes the same from it as the
// hosts.
func TestIntervalIsOverridden(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	milliseconds := func(least, most int64) time.Duration {
		return time.Duration(least+random.Int64N(most-least+1)) * time.Millisecond
	}
	for range 2000 {
		interval := milliseconds(100, 60_000)
		timeout := milliseconds(1, interval.Milliseconds())
		override := milliseconds(100, 60_000)
		source := fmt.Sprintf("//vedette:interval %v\n//vedette:timeout %v\npackage p\n\nfunc Inspect() (float64, error) { return 1, nil }\n", interval, timeout)
		code := wire.Code{Name: "disk", File: "disk.go", Source: source, IntervalMS: override.Milliseconds()}
		_, got, err := complete(code)
		if err != nil {
			t.Fatalf("interval %v in place of %v, timeout %v: %v", override, interval, timeout, err)
		}
		host := inspectors.Definition{Name: "disk", Script: &inspectors.Script{File: "disk.go", Line: 1, Source: source}, Interval: override}
		if err := host.Complete(); err != nil {
			t.Fatal(err)
		}
		if got.Interval != override || got.Timeout > override || got.Timeout != host.Timeout {
			t.Fatalf("interval %v in place of %v, timeout %v: the master has %v and %v, a host %v and %v",
				override, interval, timeout, got.Interval, got.Timeout, host.Interval, host.Timeout)
		}
	}
}

// A script that the master cannot build is refused where that is the script's
// fault, and accepted with the reason in the answer where it is the machine's.
func TestPushThatIsNotBuilt(t *testing.T) {
	store := open(t, t.TempDir())
	defer store.Close()
	var fault error
	c := New(Options{
		Log: slog.New(slog.DiscardHandler), Announce: func(string, any) {},
		Builder: func(context.Context, inspectors.Definition) error { return fault },
	})
	if err := c.Open(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		fault    error
		accepted bool
		notBuilt string
	}{
		{nil, true, ""},
		{fmt.Errorf("%w: no room for a process", ErrNotBuilt), true, "not built: no room for a process"},
		{errors.New("the initialisers do not end"), false, ""},
		{nil, true, ""},
	} {
		fault = tt.fault
		result, err := c.Push(t.Context(), wire.PushParams{Code: code(i)})
		if (err == nil) != tt.accepted || result.NotBuilt != tt.notBuilt {
			t.Errorf("%v: accepted %v, not built %q, %v", tt.fault, err == nil, result.NotBuilt, err)
		}
	}
}
