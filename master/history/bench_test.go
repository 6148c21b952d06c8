package history

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// benchSeries makes series as agents have them: a hundred of each host.
func benchSeries(b *testing.B, s *Store, n int) []*Series {
	b.Helper()
	own := labelled(b, "device", "eth0", "zone", "berlin")
	series := make([]*Series, n)
	for i := range series {
		series[i] = s.NewSeries(fmt.Sprintf("host-%d", i/100), fmt.Sprintf("chart/item_%d", i%100), own, inspectors.Kind(i%2))
	}
	return series
}

// round fills a batch with a sample of each series: a third are counters, a
// third move about, a third stay as they are.
func round(batch []Sample, series []*Series, t int64, n int) {
	for i, one := range series {
		v := 1.0
		switch i % 3 {
		case 0:
			v = float64(n * (i + 1))
		case 1:
			v = float64((n*7919+i*31)%10_000) / 100
		}
		batch[i] = Sample{one, t, v}
	}
}

// BenchmarkAppend measures samples until they are acknowledged, from one
// connection, with the store knowing their series.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ series, batch int }{{10_000, 10_000}, {10_000, 1000}, {10_000, 100}, {100_000, 10_000}} {
		b.Run(fmt.Sprintf("series=%d/batch=%d", c.series, c.batch), func(b *testing.B) {
			s := openStore(b, Options{Dir: b.TempDir(), MaxSeriesPerHost: c.series})
			series := benchSeries(b, s, c.series)
			all := make([]Sample, c.series)
			appender := s.NewAppender()
			start := time.Now().Add(-20 * time.Hour).UnixMilli()
			at, n := c.series, 0
			for b.Loop() {
				if at == c.series {
					b.StopTimer()
					n++
					round(all, series, start+int64(n)*1000, n)
					at = 0
					b.StartTimer()
				}
				if result, err := appender.Append(b.Context(), all[at:at+c.batch]); err != nil || result.Refused > 0 {
					b.Fatal(result, err)
				}
				at += c.batch
			}
			b.ReportMetric(float64(c.batch)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

// BenchmarkMemory shows what an active series costs: of the heap, with an hour
// of samples at 30 s, ours and the database's part together.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		before := heapBytes()
		s := openStore(b, Options{Dir: b.TempDir(), MaxSeriesPerHost: n})
		series := benchSeries(b, s, n)
		batch := make([]Sample, n)
		start := time.Now().Add(-time.Hour).UnixMilli()
		for i := range 120 {
			round(batch, series, start+int64(i)*30_000, i)
			add(b, s, batch...)
		}
		batch = nil
		b.ReportMetric(float64(heapBytes()-before)/n, "B/series")
		runtime.KeepAlive(series)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkRestart measures how long a store with 100,000 series takes to open,
// after a stop and after a kill, with 30 minutes of samples at 10 s.
func BenchmarkRestart(b *testing.B) {
	const n, rounds = 100_000, 180
	dir := b.TempDir()
	s := openStore(b, Options{Dir: dir, MaxSeriesPerHost: n})
	series := benchSeries(b, s, n)
	batch := make([]Sample, n)
	start := time.Now().Add(-30 * time.Minute).UnixMilli()
	for i := range rounds {
		round(batch, series, start+int64(i)*10_000, i)
		add(b, s, batch...)
	}
	// What a process leaves that is killed now.
	killed := filepath.Join(b.TempDir(), "killed")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, dir string }{{"stopped", dir}, {"killed", killed}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				work := filepath.Join(b.TempDir(), "history")
				if err := os.CopyFS(work, os.DirFS(c.dir)); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				s := openStore(b, Options{Dir: work, MaxSeriesPerHost: n})
				b.StopTimer()
				if got := s.current.db.Head().NumSeries(); got != n {
					b.Fatalf("%d series are back", got)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkRange measures the chart of an hour at one second, 800 points wide,
// of the series of one host.
func BenchmarkRange(b *testing.B) {
	s := openStore(b, Options{})
	series := benchSeries(b, s, 100)
	batch := make([]Sample, len(series))
	to := time.Now().Truncate(time.Second)
	for i := range 3600 {
		round(batch, series, to.Add(time.Duration(i-3600)*time.Second).UnixMilli(), i)
		add(b, s, batch...)
	}
	for _, text := range []string{"metrics/host-0/chart/item_1", "metrics/host-0/*"} {
		b.Run(text, func(b *testing.B) {
			request := RangeRequest{Pattern: pattern(b, text), From: to.Add(-time.Hour).UnixMilli(), To: to.UnixMilli(), Points: 800}
			for b.Loop() {
				if _, err := s.Range(b.Context(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
