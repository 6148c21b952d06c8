package cli

import (
	"math"
	"strings"
)

// sparks are the characters of a sparkline, by height.
const sparks = "▁▂▃▄▅▆▇█"

// Spark draws values into the given number of cells. A cell shows the mean of its values
// and is blank if it has none; a value that is not a number is a gap. The lowest mean is
// drawn lowest, and constant values are drawn at the bottom.
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
			// Each is halved because their difference could overflow.
			part := (m/2 - low/2) / (high/2 - low/2)
			b.WriteRune(runes[min(int(part*float64(len(runes))), len(runes)-1)])
		default:
			b.WriteRune(runes[0])
		}
	}
	return b.String()
}

// mean is the mean of the finite values, or NaN if there are none.
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
