package admit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = time.Minute

func enter(t *testing.T, g *Gate, caller string) func() {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	leave, err := g.Enter(WithCaller(ctx, caller))
	if err != nil {
		t.Fatalf("%s got no place: %v", caller, err)
	}
	return leave
}

// One caller leaves a place for others, however much it wants.
func TestAPlaceForOthers(t *testing.T) {
	g := New(3)
	first, second := enter(t, g, "greedy"), enter(t, g, "greedy")
	ctx, cancel := context.WithCancel(WithCaller(t.Context(), "greedy"))
	gaveUp := make(chan error)
	for range MaxWaiting {
		go func() {
			_, err := g.Enter(ctx)
			gaveUp <- err
		}()
	}
	for {
		if busy, waiting := g.Load(); busy == 2 && waiting == MaxWaiting {
			break
		}
		runtime.Gosched()
	}
	if _, err := g.Enter(WithCaller(t.Context(), "greedy")); !errors.Is(err, ErrCrowded) {
		t.Errorf("one too many gave %v", err)
	}
	other := enter(t, g, "modest")
	cancel()
	for range MaxWaiting {
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("a place was given, or %v", err)
		}
	}
	first()
	second()
	other()
	if busy, waiting := g.Load(); busy+waiting != 0 || len(g.callers) != 0 {
		t.Errorf("%d are busy, %d wait, %d callers are known", busy, waiting, len(g.callers))
	}
}

// Callers that come, wait, give up and leave as they like never have more places
// than there are, and none of them waits for ever.
func TestCallersByChance(t *testing.T) {
	g := New(4)
	var inside atomic.Int64
	var each [5]atomic.Int64
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
			who := n % len(each)
			for range 300 {
				ctx, cancel := context.WithCancel(WithCaller(context.Background(), fmt.Sprint(who)))
				if random.IntN(3) == 0 {
					go cancel() // at some time
				}
				leave, err := g.Enter(ctx)
				if err != nil {
					cancel()
					continue
				}
				if now := inside.Add(1); now > 4 {
					t.Errorf("%d are inside", now)
				}
				if now := each[who].Add(1); now > 3 {
					t.Errorf("caller %d has %d places", who, now)
				}
				runtime.Gosched()
				each[who].Add(-1)
				inside.Add(-1)
				leave()
				cancel()
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("somebody waits for a place and gets none")
	}
	if busy, waiting := g.Load(); busy+waiting != 0 || len(g.callers) != 0 {
		t.Errorf("%d are busy, %d wait, %d callers are known", busy, waiting, len(g.callers))
	}
}

// What takes too much is ended, and what comes afterwards is not.
func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory(32 << 20)
	for range 2 {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				ctx, done := m.Watch(context.Background())
				defer done()
				var hoard [][]byte
				for deadline := time.Now().Add(patience); ctx.Err() == nil && time.Now().Before(deadline); {
					if len(hoard) < 200 {
						hoard = append(hoard, make([]byte, 1<<20))
					}
					runtime.GC()
				}
				if cause := context.Cause(ctx); !errors.Is(cause, ErrMemory) {
					t.Errorf("%d MiB were taken, and it ended with %v", len(hoard), cause)
				}
				runtime.KeepAlive(hoard)
			})
		}
		wg.Wait()
	}
	ended := m.Ended()
	for range 50 {
		ctx, done := m.Watch(context.Background())
		_ = make([]byte, 1<<20)
		runtime.GC()
		if ctx.Err() != nil {
			t.Errorf("little was taken, and it ended with %v", context.Cause(ctx))
		}
		done()
	}
	if m.Ended() != ended || ended < 6 {
		t.Errorf("%d were ended, then %d", ended, m.Ended())
	}
}
