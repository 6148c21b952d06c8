package cli

import "testing"

func TestValue(t *testing.T) {
	for _, tt := range []struct {
		key  string
		v    float64
		want string
	}{
		{"load/average-1", 0.25, "0.25"},
		{"memory/percent-free", 12.345, "12.345"},
		{"memory/used_bytes", 0, "0 B"},
		{"memory/used_bytes", 1023, "1023 B"},
		{"memory/used_bytes", 1536, "1.50 KiB"},
		{"network/receive_bytes_total", 5 << 30, "5.00 GiB"},
		{"cpu/used_percent", 33.333333, "33.3333 %"},
		{"cpu/seconds_total", 12, "12 s"},
		{"temperature/celsius", -3.5, "-3.5 °C"},
		{"tcp/segments_total", 123456789, "123456789"},
		{"a", 1e-9, "1e-09"},
		{"a", 100, "100"},
		{"a", 1e300, "1e+300"},
	} {
		if got := Value(tt.key, tt.v); got != tt.want {
			t.Errorf("%s %v: got %q, want %q", tt.key, tt.v, got, tt.want)
		}
	}
}
