package spool

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// wide is a report of one run of an inspector with so many series.
func wide(run, series int) Report {
	var r Report
	for i := range series {
		r.Series = append(r.Series, Series{Key: fmt.Sprintf("chaos/%d/%d", run%2, i)})
		r.Times = append(r.Times, start.UnixMilli()+int64(run))
		r.Of = append(r.Of, uint32(i))
		r.Values = append(r.Values, float64(run))
	}
	return r
}

// Whatever is given out, acknowledged and put in, in a file that is full: every
// sample that the store took is in it, was removed, or is counted as dropped.
func TestEverySampleIsAccountedFor(t *testing.T) {
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newStore(t, Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
		var out []Kept
		taken, removed := uint64(0), uint64(0)
		for run := range 80 {
			add := make([]Report, rng.IntN(8))
			if rng.IntN(10) == 0 {
				add = make([]Report, 20) // more than there is room for
			}
			for i := range add {
				add[i] = wide(run, 500+rng.IntN(2500))
			}
			if len(add) > 0 && rng.IntN(20) == 0 {
				add[0] = wide(run, 60_000) // too large by itself
			}
			var done []uint64
			gone := uint64(0)
			for rng.IntN(8) == 0 && len(out) > 0 {
				done, gone = append(done, out[0].ID), gone+uint64(out[0].Len())
				out = out[1:]
			}
			s.mustApply(t, start, add, done...)
			removed += gone
			for i := range add {
				taken += uint64(add[i].Len())
			}
			if got := s.Totals(); got.Moved != taken || got.Samples+got.Dropped+removed != taken {
				t.Fatalf("seed %d, step %d: of %d samples %d were removed, and the totals are %+v", seed, run, taken, removed, got)
			}
			if rng.IntN(3) == 0 {
				out = append(out, s.mustNext(t, 8)...)
			}
		}
		if s.Totals().Dropped == 0 {
			t.Errorf("seed %d: it was never full: %+v", seed, s.Totals())
		}
	}
}
