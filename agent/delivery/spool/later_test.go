package spool

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A report that is kept back is not given out before its time, holds up no other,
// outlives a reopening, and goes like any other when there is no room for it.
func TestLater(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		s, now := newStore(t, roomy), start
		free := make(map[uint64]time.Time) // from when each may be given out
		for i := range 40 {
			r := numbered(i)
			r.Boot, r.Seq = "b", uint64(i+1)
			s.mustApply(t, now, []Report{r})
			free[uint64(i+1)] = now
		}
		for range 300 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			var want []uint64
			for id, from := range free {
				if !from.After(now) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			kept, err := s.Next(now, 5)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, k := range kept {
				got = append(got, k.ID)
			}
			if want = want[:min(5, len(want))]; !slices.Equal(got, want) {
				t.Fatalf("seed %d: %v are given out, want %v", seed, got, want)
			}
			for _, id := range got {
				if random.IntN(4) == 0 {
					s.mustApply(t, now, nil, id)
					delete(free, id)
					continue
				}
				free[id] = now.Add(time.Duration(random.IntN(20_000)) * time.Millisecond)
				s.Later(id, free[id])
			}
		}
		s = reopen(t, s)
		if kept := s.mustNext(t, 100); len(kept) != len(free) {
			t.Errorf("seed %d: after a reopening %d are given out, want all %d", seed, len(kept), len(free))
		}
	}
}
