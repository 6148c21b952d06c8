package config

import (
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "1": 1, "5B": 5, "1024": 1024, "1KiB": 1024, "3 MiB": 3 << 20, "10GiB": 10 << 30, "2TiB": 2 << 40, "1kB": 1000, "7MB": 7e6, "8GB": 8e9, "9TB": 9e12,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
		if got, err := parseBytes(want.String()); err != nil || got != want {
			t.Errorf("%d is written %q, which is read as %d, %v", want, want, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "1.5GiB", "ten", "-5", "+5", "1GiBs", "9223372036854775808", "8388608TiB", "1e3", "0x10"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"15d": 360 * time.Hour, "1d": day, "0d": 0, "24h": day} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"d", "1.5d", "1d12h", "9999999d", "1 d"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	for want, d := range map[string]time.Duration{"15d": 15 * day, "24h": day, "36h": 36 * time.Hour, "2d": 2 * day, "1m": time.Minute, "0s": 0} {
		if got := short(d); got != want {
			t.Errorf("%s is written %q, want %q", d, got, want)
		}
	}
}
