//go:build linux

package lean

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00a00000 r-xp 00000000 fd:00 17 /usr/bin/vedette agent
Rss: 5000 kB
Anonymous: 0 kB
00a00000-01000000 r--p 00600000 fd:00 17 /usr/bin/vedette agent
Rss: 6000 kB
Anonymous: 0 kB
01000000-01100000 r--p 00c00000 fd:00 17 /usr/bin/vedette agent
Anonymous: 4 kB
01100000-01200000 rw-p 00d00000 fd:00 17 /usr/bin/vedette agent
Anonymous: 0 kB
01200000-01300000 r--s 00000000 fd:00 18 /usr/lib/locale
Anonymous: 0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous: 0 kB
7ffe0000-7fff0000 r--p 00000000 00:00 0 [vvar]
Anonymous: 0 kB
`
	got := unchanged([]byte(smaps), "/usr/bin/vedette agent")
	want := []mapping{{0x400000, 0xa00000}, {0xa00000, 0x1000000}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %x, want %x", got, want)
	}
	if none := unchanged([]byte(strings.ReplaceAll(smaps, " kB", "")[:40]), "x"); len(none) > 0 {
		t.Errorf("of a cut file: %x", none)
	}
}

// Whatever a program does, it does it after a trim as before.
func TestTrimChangesNothing(t *testing.T) {
	for range 20 {
		var before [8]int
		for i := range before {
			before[i] = len(strings.Repeat("x", i)) + runtime.NumCPU()
		}
		Trim()
		for i, want := range before {
			if got := len(strings.Repeat("x", i)) + runtime.NumCPU(); got != want {
				t.Fatalf("%d, want %d", got, want)
			}
		}
	}
}

func TestTrimmerWaitsForRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trimmed atomic.Int32
		tr := NewTrimmer(10 * time.Second)
		tr.trim = func() { trimmed.Add(1) }
		for range 5 {
			tr.Disturb()
			time.Sleep(9 * time.Second) // of the bubble
		}
		if trimmed.Load() != 0 {
			t.Error("it trimmed while it was disturbed")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if trimmed.Load() != 1 {
			t.Errorf("it trimmed %d times", trimmed.Load())
		}
		tr.Stop()
		tr.Disturb()
		time.Sleep(time.Hour)
		synctest.Wait()
		if trimmed.Load() != 1 {
			t.Error("it trims after its end")
		}
	})
	var none *Trimmer
	none.Disturb()
	none.Stop()
}
