package spool

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/vedettehq/vedette/inspectors"
)

// withEnds is a report of random values and ends, each of which is told by its time alone.
func withEnds(rng *rand.Rand, made *int) Report {
	var r Report
	for i := range 1 + rng.IntN(6) {
		r.Series = append(r.Series, Series{Key: fmt.Sprint("chaos/", rng.IntN(3), "/", i)})
	}
	ends := rng.IntN(5) // 0: none, 4: all
	for range 1 + rng.IntN(30) {
		*made++
		sample := inspectors.Sample{Value: float64(*made)}
		if rng.IntN(4) < ends {
			sample = inspectors.Ending(sample)
		}
		r.Times, r.Values = append(r.Times, start.UnixMilli()+int64(*made)), append(r.Values, sample.Value)
		r.Of = append(r.Of, uint32(rng.IntN(len(r.Series))))
	}
	if rng.IntN(3) == 0 {
		r.Boot, r.Seq = "boot", uint64(*made)
	}
	return r
}

// list notes the values and ends of a report, with their series and times.
func list(r *Report, into map[string]bool) {
	for i, v := range r.Values {
		into[fmt.Sprint(r.Times[i], " ", r.Series[r.Of[i]].Key, " ", v)] = true
	}
}

// olderReads reads all records as versions do that know records of values alone. It fails
// the test where one of those would send an end as a value, or count the loss of one.
func olderReads(t *testing.T, s *Store, values map[string]bool) (skipped int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucketReports).Cursor()
		for key, value := cursor.First(); key != nil; {
			k, ok := parseKey(key)
			if !ok {
				t.Fatalf("a key has %d bytes", len(key))
			}
			var all [][]byte
			all, key, value = pieces(cursor, key, value)
			record := slices.Concat(all...)
			if record[0] != 1 {
				if skipped++; k.samples != 0 {
					t.Errorf("a record that is skipped counts %d samples", k.samples)
				}
				continue
			}
			r, err := decode(record)
			if err != nil || r.Len() != int(k.samples) || slices.ContainsFunc(r.Values, inspectors.IsEnding) {
				t.Fatalf("got %v, %v for %d samples", r, err, k.samples)
			}
			list(r, values)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return skipped
}

// Ends of series are kept beside the values, in records that older versions skip; both
// come back as they were, and only values count as samples.
func TestEndsAreKeptApart(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		s, made := newStore(t, roomy), 0
		want, samples := make(map[string]bool), uint64(0)
		var out []Kept
		for range 1 + rng.IntN(12) {
			add := make([]Report, rng.IntN(5))
			for i := range add {
				add[i] = withEnds(rng, &made)
				list(&add[i], want)
				samples += uint64(add[i].Samples())
			}
			ids, ok, err := s.Apply(start, add, nil)
			for i, id := range ids {
				if (id != 0) != (add[i].Boot != "") {
					t.Errorf("seed %d: a report of %q has id %d", seed, add[i].Boot, id)
				}
			}
			if !ok || err != nil && len(add) > 0 {
				t.Fatal(err)
			}
			if rng.IntN(3) == 0 {
				out = append(out, s.mustNext(t, 3)...)
			}
		}
		values, got := make(map[string]bool), make(map[string]bool)
		if skipped := olderReads(t, s, values); len(values) != int(samples) || skipped > int(s.totals.Reports) {
			t.Errorf("seed %d: older versions read %d of %d samples", seed, len(values), samples)
		}
		for _, k := range append(out, s.mustNext(t, 1000)...) {
			list(&k.Report, got)
		}
		if !maps.Equal(got, want) || s.Damaged() != 0 {
			t.Errorf("seed %d: %d of %d came back, %d records are damaged", seed, len(got), len(want), s.Damaged())
		}
		if totals := s.Totals(); totals.Samples != samples || totals.Moved != samples || totals.Dropped != 0 {
			t.Errorf("seed %d: the totals are %+v for %d samples", seed, totals, samples)
		}
	}
}
