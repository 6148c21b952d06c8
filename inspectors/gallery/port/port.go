// Package port tells whether TCP ports can be reached from this host, and how long
// a connection takes.
//
//vedette:name port
//vedette:interval 10s
//vedette:timeout 8s
//vedette:needs net:127.0.0.1:22
//vedette:alert closed critical up < 1 for 1m "{{ $labels.target }} cannot be reached from {{ $labels.host }}"
package port

import (
	"context"
	"net"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The ports to connect to. Name each of them in needs above too.
var targets = []string{"127.0.0.1:22"}

// Inspect connects to one after the other. A port that cannot be reached is not an error of
// the probe, but an up of 0.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	for _, target := range targets {
		up, took := dial(ctx, target)
		r.Gauge("up", up, "target", target)
		if up == 1 {
			r.Gauge("connect_seconds", took, "target", target)
		}
	}
	return ctx.Err()
}

func dial(ctx context.Context, target string) (up, seconds float64) {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	begun := time.Now()
	conn, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return 0, 0
	}
	seconds = time.Since(begun).Seconds()
	_ = conn.Close()
	return 1, seconds
}
