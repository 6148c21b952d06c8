package patience

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a test that keeps what it is told, and ends where a test would.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// ends runs f as a test would be, and reports whether it came to its end.
func (r *recorder) ends(f func()) bool {
	whole := make(chan bool, 1)
	go func() {
		ended := false
		defer func() { whole <- ended }()
		f()
		ended = true
	}()
	return <-whole
}

// An event in time is accepted whenever it comes, and one that never comes is named.
func TestPatienceEnds(t *testing.T) {
	waits := map[string]func(t testing.TB, after time.Duration){
		"until": func(t testing.TB, after time.Duration) {
			at := time.Now().Add(after)
			Until(t, "the moon", func() bool { return !time.Now().Before(at) })
		},
		"closed": func(t testing.TB, after time.Duration) {
			done := make(chan struct{})
			timer := time.AfterFunc(after, func() { close(done) })
			defer timer.Stop()
			Closed(t, "the moon", done)
		},
		"receive": func(t testing.TB, after time.Duration) {
			from := make(chan int, 1)
			timer := time.AfterFunc(after, func() { from <- 7 })
			defer timer.Stop()
			if got := Receive(t, "the moon", from); got != 7 {
				t.Errorf("received %d", got)
			}
		},
		"return": func(t testing.TB, after time.Duration) {
			Return(t, "the moon", func() { time.Sleep(after) }) // of the bubble's clock
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 20 {
					r := &recorder{TB: t}
					after := rand.N(2 * Limit)
					began := time.Now()
					ended := r.ends(func() { wait(r, after) })
					if took := time.Since(began); took > Limit+time.Second {
						t.Errorf("it waited %v", took)
					}
					if came := after < Limit-pollEvery; came && (!ended || len(r.said) > 0) {
						t.Errorf("what came after %v gave %q", after, r.said)
					}
					if after <= Limit+pollEvery {
						continue
					}
					if fatal := name != "return"; ended == fatal || len(r.said) != 1 || !strings.Contains(r.said[0], "in vain for the moon") {
						t.Errorf("what never came gave %q; the test went on: %v", r.said, ended)
					}
				}
				time.Sleep(2 * Limit) // of the bubble's clock: what was given up ends too
			})
		})
	}
}

func TestReceiveOfAClosedChannel(t *testing.T) {
	r, from := &recorder{TB: t}, make(chan int)
	close(from)
	if r.ends(func() { Receive(r, "a number", from) }) || len(r.said) != 1 || !strings.Contains(r.said[0], "closed before there was a number") {
		t.Errorf("it gave %q", r.said)
	}
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		<-Context(t).Done()
		if took := time.Since(began); took != Limit {
			t.Errorf("it ended after %v", took)
		}
	})
}

// waitForIt is what a stack is to name.
func waitForIt(c chan struct{}) { <-c }

// Goroutines that stand at one place are told once, with their number, and where
// that is.
func TestGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan struct{})
		n := 2 + rand.IntN(50)
		for range n {
			go waitForIt(c)
		}
		synctest.Wait()
		got := Goroutines()
		close(c)
		var found int
		for block := range strings.SplitSeq(got, "\n\n") {
			if strings.Contains(block, ".waitForIt") {
				found++
				if !strings.HasPrefix(block, fmt.Sprintf("%d × [chan receive", n)) || !strings.Contains(block, "patience_test.go:") {
					t.Errorf("%d goroutines are told as\n%s", n, block)
				}
			}
		}
		if found != 1 || strings.Contains(got, "testing.(*M).Run") {
			t.Errorf("it tells of\n%s", got)
		}
	})
}

// Whatever the order of changes, each condition is seen when it has become true.
func TestWatched(t *testing.T) {
	var w Watched
	sum, want := 0, 0
	var all sync.WaitGroup
	for range 20 {
		n := rand.IntN(100)
		want += n
		all.Go(func() {
			for range n {
				w.Change(func() { sum++ })
			}
		})
	}
	for at := 0; at <= want; at += 1 + rand.IntN(50) {
		w.Await(t, "the sum", func() bool { return sum >= at })
	}
	w.Await(t, "the whole sum", func() bool { return sum == want })
	all.Wait()
}
