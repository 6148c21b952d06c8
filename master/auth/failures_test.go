package auth

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever tries tokens is slowed, whatever the order and however many at once;
// the log has a line a minute, and every one is counted and noted.
func TestWrongTokensAreSlowedCountedAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var mu sync.Mutex
		noted := make(map[string]int)
		f := NewFailures(slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, from string) {
			mu.Lock()
			defer mu.Unlock()
			noted[from]++
		})
		began := time.Now()
		const attempts = 500
		for n := range attempts {
			f.Wrong(t.Context(), fmt.Sprintf("192.0.2.1:%d", 1000+n))
		}
		took := time.Since(began)
		if took < (attempts-10)*maxDelay {
			t.Errorf("%d attempts took %v", attempts, took)
		}
		if f.Total() != attempts || len(noted) != attempts {
			t.Errorf("counted %d, noted %d", f.Total(), len(noted))
		}
		lines := strings.Count(log.String(), "\n")
		if most := int(took/tellEvery) + 2; lines == 0 || lines > most {
			t.Errorf("%d lines in %v:\n%s", lines, took, log.String())
		}
		if !strings.Contains(log.String(), "from=192.0.2.1 ") || strings.Contains(log.String(), "oken=") {
			t.Errorf("the log says %s", log.String())
		}
		began = time.Now()
		f.Wrong(t.Context(), "192.0.2.2:1")
		if d := time.Since(began); d > firstDelay {
			t.Errorf("another address waits %v", d)
		}
		<-time.After(2 * forgetAfter)
		began = time.Now()
		f.Wrong(t.Context(), "192.0.2.1:1")
		if d := time.Since(began); d > firstDelay {
			t.Errorf("after a long time it still waits %v", d)
		}
	})
}

// At once or one after the other, one address gets no more answers in a time than
// its places allow, and what is remembered is bounded.
func TestManyWrongTokensAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFailures(slog.New(slog.DiscardHandler), nil)
		var all sync.WaitGroup
		closed, answered := 0, 0
		var mu sync.Mutex
		for range 2000 {
			all.Go(func() {
				cut := f.Wrong(t.Context(), "198.51.100.7:9")
				mu.Lock()
				defer mu.Unlock()
				if answered++; cut {
					closed++
				}
			})
		}
		all.Wait()
		if answered != 2000 || closed < 1900 {
			t.Errorf("%d were answered, %d cut", answered, closed)
		}
		for range 3 * maxAddresses {
			all.Go(func() {
				ip := rand.Uint32()
				f.Wrong(t.Context(), fmt.Sprintf("%d.%d.%d.%d:1", byte(ip>>24), byte(ip>>16), byte(ip>>8), byte(ip)))
			})
		}
		all.Wait()
		if len(f.addrs) > maxAddresses+1 {
			t.Errorf("%d addresses are remembered", len(f.addrs))
		}
	})
}

func TestMachine(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::1]:80": "::1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "@": "@",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[2001:db8:1:2::1]:90": "2001:db8:1:2::/64",
	} {
		if got := Machine(remote); got != want {
			t.Errorf("%s is %s, want %s", remote, got, want)
		}
	}
}
