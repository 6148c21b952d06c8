package cli

import (
	"math"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

func TestSpark(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		values []float64
		cells  int
		want   string
	}{
		{nil, 5, ""},
		{[]float64{3, 3, 3}, 8, "▁▁▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{0, 0, 10, 10}, 2, "▁█"},
		{[]float64{0, nan, math.Inf(1), 1}, 4, "▁  █"},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 2, "▁█"},
	} {
		if got := Spark(tt.values, tt.cells); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.values, got, tt.want)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		values := make([]float64, r.IntN(100))
		for i := range values {
			values[i] = math.Float64frombits(r.Uint64())
		}
		cells := r.IntN(40)
		if got := Spark(values, cells); utf8.RuneCountInString(got) != min(cells, len(values)) {
			t.Errorf("seed %d: %d values in %d cells: %q", seed, len(values), cells, got)
		}
	}
}
