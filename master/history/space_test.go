package history

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/inspectors"
)

// smallDisk mounts a file system of so many bytes, which takes root.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: needs Linux, to mount a small disk")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("SKIPPED: cannot mount a small disk, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("cannot unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill writes a file until so many bytes are left on its disk, 0 for none.
func fill(t *testing.T, path string, leave int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		free, _, err := diskSpace(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if free <= leave {
			return
		}
		if _, err := f.Write(make([]byte, min(free-leave, 64<<10))); err != nil {
			return
		}
	}
}

// rounds appends samples and knows what was acknowledged.
type rounds struct {
	t        *testing.T
	store    *Store
	appender *Appender
	series   []*Series
	next     int64 // time
	stored   map[int64]bool
}

func newRounds(t *testing.T, s *Store, n int) *rounds {
	r := &rounds{t: t, store: s, appender: s.NewAppender(), next: time.Now().Add(-time.Minute).UnixMilli(), stored: make(map[int64]bool)}
	for i := range n {
		r.series = append(r.series, s.NewSeries("h", fmt.Sprintf("a/%d", i), nil, inspectors.Gauge))
	}
	return r
}

// one appends a round, whose time counts as stored when it was acknowledged.
func (r *rounds) one() error {
	batch := make([]Sample, len(r.series))
	for i, series := range r.series {
		// Values that do not compress, so that a round fills pages of the log.
		_, fraction := math.Modf(float64(i) * math.Phi)
		batch[i] = Sample{series, r.next, float64(r.next) + fraction}
	}
	result, err := r.appender.Append(r.t.Context(), batch)
	if err == nil && result.Stored != len(batch) {
		r.t.Fatalf("only %+v were stored", result)
	}
	if err == nil {
		r.stored[r.next] = true
	}
	r.next++
	return err
}

// untilTaken appends rounds until one is taken again.
func (r *rounds) untilTaken() {
	r.t.Helper()
	for {
		err := r.one()
		var busy *BusyError
		switch {
		case err == nil:
			return
		case !errors.As(err, &busy):
			r.t.Fatal(err)
		case r.t.Context().Err() != nil:
			r.t.Fatalf("samples are not taken again: %v", err)
		}
		r.next--
	}
}

// check fails the test when a round that was acknowledged is not whole.
func (r *rounds) check(s *Store) {
	r.t.Helper()
	counts := make(map[int64]int)
	for _, at := range allTimes(r.t, s) {
		counts[at]++
	}
	lost := 0
	for at := range r.stored {
		if counts[at] != len(r.series) {
			lost++
		}
	}
	if lost > 0 {
		r.t.Errorf("%d of the %d rounds that were acknowledged are lost", lost, len(r.stored))
	}
}

func TestNearlyFullDisk(t *testing.T) {
	dir := smallDisk(t, 10<<20)
	var log logged
	s := openStore(t, Options{Dir: filepath.Join(dir, "history"), MinFreeBytes: 5 << 20, Log: logTo(&log)})
	r := newRounds(t, s, 200)
	var err error
	for err == nil {
		err = r.one()
	}
	var busy *BusyError
	if !errors.As(err, &busy) || busy.RetryAfter <= 0 || !strings.Contains(busy.Reason, "MiB free") {
		t.Fatalf("got %v, want a BusyError", err)
	}
	if free, _, _ := diskSpace(dir); free < 5<<20 {
		t.Errorf("%d bytes are free, want at least 5 MiB", free)
	}
	r.check(s) // reading goes on
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log does not say it:\n%s", &log)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Dir: filepath.Join(dir, "history"), MinFreeBytes: 1 << 20})
	r.check(s)
}

// The database itself would acknowledge after a failed write what it cannot
// read back.
func TestFailedWriteLosesNothingAcknowledged(t *testing.T) {
	dir := smallDisk(t, 24<<20)
	ballast := filepath.Join(dir, "ballast")
	opts := Options{Dir: filepath.Join(dir, "history"), ignoreSpace: true, reopenEvery: 20 * time.Millisecond}
	var log logged
	opts.Log = logTo(&log)
	s := openStore(t, opts)
	r := newRounds(t, s, 4000) // more than a page of the log
	for range 5 {
		if err := r.one(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		fill(t, ballast, 20<<10)
		var err error
		for err == nil {
			err = r.one()
		}
		var busy *BusyError
		if !errors.As(err, &busy) || !strings.Contains(err.Error(), "a write failed") {
			t.Fatalf("got %v, want a BusyError for a write that failed", err)
		}
		for range 10 {
			if err := r.one(); err == nil {
				t.Fatal("a full disk takes samples")
			}
		}
		r.check(s) // what was there can still be read
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		r.untilTaken()
		for range 5 {
			if err := r.one(); err != nil {
				t.Fatal(err)
			}
		}
		r.check(s)
	}
	if !strings.Contains(log.String(), "history could not be written") {
		t.Errorf("no write failed; the log says:\n%s", &log)
	}
	// What a killed process leaves is what is on disk now; a store that is
	// closed well reads its log no more.
	killed := filepath.Join(t.TempDir(), "history")
	if err := os.CopyFS(killed, os.DirFS(opts.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r.check(openStore(t, opts))
	opts.Dir = killed
	r.check(openStore(t, opts))
}
