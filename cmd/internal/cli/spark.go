package cli

import (
	"math"
	"strings"
)

// sparks are the heights that a sparkline is drawn with.
const sparks = "▁▂▃▄▅▆▇█"

// Spark draws values, in their order, into so many cells. A cell is the mean of the
// values that fall into it, and blank where there is none: a value that is not a
// number is a gap. The lowest mean is drawn lowest, and values that do not change at
// the bottom.
func Spark(values []float64, cells int) string {
	cells = min(cells, len(values))
	means := make([]float64, cells)
	low, high := math.Inf(1), math.Inf(-1)
	for i := range means {
		means[i] = mean(values[i*len(values)/cells : (i+1)*len(values)/cells])
		if !math.IsNaN(means[i]) {
			low, high = min(low, means[i]), max(high, means[i])
		}
	}
	runes := []rune(sparks)
	var b strings.Builder
	for _, m := range means {
		switch {
		case math.IsNaN(m):
			b.WriteByte(' ')
		case high > low:
			// Each is halved, as their difference could overflow.
			part := (m/2 - low/2) / (high/2 - low/2)
			b.WriteRune(runes[min(int(part*float64(len(runes))), len(runes)-1)])
		default:
			b.WriteRune(runes[0])
		}
	}
	return b.String()
}

// mean is that of the finite values, or NaN where there are none.
func mean(values []float64) float64 {
	m, n := 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			n++
			m += v/n - m/n
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return m
}
