// Package certificate tells how long the certificates of TLS servers are valid,
// and whether they are for the name under which the server is asked. It does not
// check authorities, so it also measures private and expired certificates.
//
//vedette:name certificate
//vedette:interval 1h
//vedette:timeout 30s
//vedette:needs net:localhost:443
//vedette:alert expiring warning left_seconds < 1209600 for 1h "the certificate of {{ $labels.target }} ends in {{ $value | humanizeDuration }}"
//vedette:alert expired critical left_seconds < 172800 "the certificate of {{ $labels.target }} ends in {{ $value | humanizeDuration }}"
package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The servers to check. Name each of them in needs above too.
var targets = []string{"localhost:443"}

// Inspect reports the seconds that are left, below 0 for an expired certificate.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	var all error
	for _, target := range targets {
		if err := one(ctx, r, target); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", target, err))
		}
	}
	return all
}

func one(ctx context.Context, r *inspectors.Report, target string) error {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	defer conn.Close()
	secure, ok := conn.(*tls.Conn)
	if !ok || len(secure.ConnectionState().PeerCertificates) == 0 {
		return errors.New("the server has shown no certificate")
	}
	certificate := secure.ConnectionState().PeerCertificates[0]
	r.Gauge("left_seconds", time.Until(certificate.NotAfter).Seconds(), "target", target)
	matches := 1.0
	if certificate.VerifyHostname(host) != nil {
		matches = 0
	}
	r.Gauge("matches_name", matches, "target", target)
	return nil
}
