package spool

import (
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkApply is the cost of a second's reports during an outage: what ten
// inspectors at a second's interval yield, four reports of 40 samples.
func BenchmarkApply(b *testing.B) {
	s := newStore(b, roomy)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var add []Report
		for j := range 4 {
			add = append(add, numbered(sequence(160*i+40*j, 40)...))
		}
		s.mustApply(b, start, add)
	}
	if t := s.Totals(); t.Samples > 0 {
		b.ReportMetric(float64(t.Bytes)/float64(t.Samples), "disk-bytes/sample")
	}
}

// BenchmarkDrain is the cost of a report on its way back from the disk.
func BenchmarkDrain(b *testing.B) {
	s := newStore(b, roomy)
	fill(b, s, 32<<20)
	b.ReportAllocs()
	b.ResetTimer()
	samples, done := 0, []uint64(nil)
	for range b.N {
		kept := s.mustNext(b, 1)
		if len(kept) == 0 {
			b.StopTimer()
			fill(b, s, 32<<20)
			b.StartTimer()
			continue
		}
		samples += kept[0].Len()
		if done = append(done, kept[0].ID); len(done) == 64 {
			s.mustApply(b, start, nil, done...)
			done = nil
		}
	}
	b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
}

func fill(b *testing.B, s *Store, bytes uint64) {
	for i := 0; s.Totals().Bytes < bytes; i++ {
		s.mustApply(b, start, []Report{numbered(sequence(20_000*i, 20_000)...)})
	}
}

// BenchmarkReopen is how long a start waits for a full spool of 64 MiB.
func BenchmarkReopen(b *testing.B) {
	path := filepath.Join(b.TempDir(), FileName)
	s := open(b, path, roomy)
	for i := 0; s.Totals().Dropped == 0; i++ {
		s.mustApply(b, start, []Report{numbered(sequence(2_000*i, 2_000)...)})
	}
	reports := s.Totals().Reports
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		s := open(b, path, roomy)
		s.mustNext(b, 8)
		b.ReportMetric(float64(time.Since(began).Microseconds()), "last-µs")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(reports), "reports")
}
