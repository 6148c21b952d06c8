package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/vedettehq/vedette/inspectors"
)

// A snapshot that is taken while others write has everything that was acknowledged
// before, in order and late; the store goes on, and keeps nothing of the snapshot.
func TestSnapshotHasWhatWasAcknowledged(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir})
	start := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	var series []*Series
	for i := range 20 {
		series = append(series, s.NewSeries("h", fmt.Sprintf("a/b%d", i), nil, inspectors.Gauge))
	}
	want := make(map[string]float64)
	write := func(i int, at time.Time) {
		v := float64(at.Unix() % 1000)
		add(t, s, Sample{series[i], at.UnixMilli(), v})
		want[fmt.Sprintf("a/b%d at %d", i, at.UnixMilli())] = v
	}
	for i := range series {
		for _, second := range rand.Perm(1 + rand.IntN(200)) { // late ones among them
			write(i, start.Add(time.Duration(second)*time.Minute/2))
		}
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	other := s.NewSeries("other", "c/d", nil, inspectors.Gauge)
	writers.Go(func() {
		appender := s.NewAppender()
		for n := int64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := appender.Append(t.Context(), []Sample{{other, time.Now().UnixMilli() - rand.Int64N(3_600_000), float64(n)}}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	copied := filepath.Join(t.TempDir(), "copy")
	for range 3 { // each is whole
		if err := os.RemoveAll(copied); err != nil {
			t.Fatal(err)
		}
		if err := s.Snapshot(t.Context(), func(snapshot string) error { return os.CopyFS(copied, os.DirFS(snapshot)) }); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			write(rand.IntN(len(series)), start.Add(time.Duration(rand.IntN(10_000))*time.Second+time.Duration(rand.IntN(1000))*time.Millisecond))
		}
	}
	if err := s.Snapshot(t.Context(), func(snapshot string) error {
		return os.CopyFS(filepath.Join(copied, "last"), os.DirFS(snapshot))
	}); err != nil {
		t.Fatal(err)
	}
	close(stop)
	writers.Wait()
	if left, err := filepath.Glob(filepath.Join(dir, snapshotDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("of snapshots are left %v, %v", left, err)
	}
	again := openStore(t, Options{Dir: filepath.Join(copied, "last")})
	found := everySample(t, again)
	for at, v := range want {
		if found[at] != v {
			t.Fatalf("%s is %v in the snapshot of %d samples, want %v", at, found[at], len(found), v)
		}
	}
}

// everySample reads all of the host h.
func everySample(t *testing.T, s *Store) map[string]float64 {
	t.Helper()
	gen, release, err := s.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	querier, err := gen.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer querier.Close()
	found := make(map[string]float64)
	for set := querier.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, labelHost, "h")); set.Next(); {
		series := set.At()
		for it := series.Iterator(nil); it.Next() == chunkenc.ValFloat; {
			at, v := it.At()
			found[fmt.Sprintf("%s at %d", series.Labels().Get(labelKey), at)] = v
		}
	}
	return found
}
