package inspectors

import "math"

// endBits is the NaN by which Prometheus marks the end of a series.
const endBits = 0x7ff0000000000002

// Ending returns the sample that ends a series at the time of another sample: from then
// on it has no value, until the next one comes. Its own value is no finite number.
func Ending(s Sample) Sample {
	s.Value = math.Float64frombits(endBits)
	return s
}

// IsEnding reports whether a value is that of a sample that ends a series.
func IsEnding(value float64) bool { return math.Float64bits(value) == endBits }
