package cli

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Any length is read as it was written.
func TestLengthIsReadAsWritten(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10m", 90 * time.Second: "1m30s", 24 * time.Hour: "1d", 25 * time.Hour: "25h", 10 * time.Second: "10s",
		time.Hour + time.Second: "1h0m1s", 150 * time.Millisecond: "150ms",
	} {
		if got := Length(d); got != want {
			t.Errorf("%v is written as %s, want %s", d, got, want)
		}
	}
	units := []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour}
	for range 2000 {
		d := time.Duration(1+rand.IntN(100)) * units[rand.IntN(len(units))]
		if rand.IntN(2) == 0 {
			d += time.Duration(rand.IntN(100)) * units[rand.IntN(len(units))]
		}
		if got, err := ParseLength(Length(d)); err != nil || got != d {
			t.Errorf("%v is written as %s and read as %v, %v", d, Length(d), got, err)
		}
	}
}
