package cli

import (
	"math"
	"math/rand/v2"
	"testing"
)

// No number is wider than a column, whatever a host reports.
func TestNumbersAreShort(t *testing.T) {
	for range 20_000 {
		v := math.Float64frombits(rand.Uint64())
		for _, key := range []string{"a_total", "a_bytes", "a_bytes_total", "a_seconds", "a_percent", "a_celsius", "a"} {
			if text := Value(key, v); len(text) > 28 {
				t.Fatalf("%g of %s is written as %q", v, key, text)
			}
		}
	}
	for want, got := range map[string]string{
		"9e+307": Value("x_total", 9e307), "123456789012": Value("x_total", 123456789012), "1.50 KiB": Value("x_bytes", 1536), "-3 B": Bytes(-3),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
