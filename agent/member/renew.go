package member

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// retryFirst and retryMost bound the pause before a renewal is tried again.
	retryFirst = 2 * time.Second
	retryMost  = 10 * time.Minute
)

// Run renews the certificate, again and again, until ctx ends. master is the
// master's address.
func (m *Member) Run(ctx context.Context, log *slog.Logger, master string) {
	failed := 0
	for {
		m.mu.Lock()
		wait := time.Until(renewAt(m.leaf.NotBefore, m.leaf.NotAfter, rand.Float64()))
		m.mu.Unlock()
		if failed > 0 {
			wait = retryAfter(failed, rand.Float64())
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := m.Renew(ctx, master); err != nil {
			if failed++; ctx.Err() == nil {
				log.Warn("cannot renew the certificate of this host; it is tried again", "ends", m.Ends().UTC().Format(time.RFC3339), "reason", err)
			}
			continue
		}
		failed = 0
		log.Info("the certificate of this host is renewed", "ends", m.Ends().UTC().Format(time.RFC3339))
	}
}

// renewAt returns when to renew a certificate: between half and two thirds of its
// lifetime, so that hosts which joined together do not renew together.
func renewAt(from, until time.Time, chance float64) time.Time {
	// Certificates are valid from an hour before they were made, to allow for
	// clocks that differ.
	made := from.Add(time.Hour)
	if !made.Before(until) {
		made = from
	}
	length := until.Sub(made)
	return made.Add(length/2 + time.Duration(chance*float64(length/6)))
}

// retryAfter returns how long to wait after so many consecutive failures.
func retryAfter(failed int, chance float64) time.Duration {
	bound := retryFirst
	for range failed - 1 {
		if bound = min(2*bound, retryMost); bound == retryMost {
			break
		}
	}
	return bound/2 + time.Duration(chance*float64(bound/2))
}

// Await returns when the certificate is valid, which is at once unless it has
// expired and Run has yet to renew it, or when ctx ends.
func (m *Member) Await(ctx context.Context, log *slog.Logger) {
	for told := false; ; told = true {
		m.mu.Lock()
		fresh, ended := m.fresh, !time.Now().Before(m.leaf.NotAfter)
		m.mu.Unlock()
		if !ended {
			return
		}
		if !told {
			log.Info("the certificate of this host has ended while it was away; it is renewed first")
		}
		select {
		case <-fresh:
		case <-ctx.Done():
			return
		}
	}
}

// Renew gets a new certificate for the same key.
func (m *Member) Renew(ctx context.Context, master string) error {
	u, err := url.Parse(master)
	if err != nil || m.CheckURL(master) != nil {
		return errors.Join(err, m.CheckURL(master))
	}
	u.Scheme = "https"
	csr, err := m.key.request(m.Host())
	if err != nil {
		return err
	}
	client := newHTTPClient(m.TLS(master))
	defer client.CloseIdleConnections()
	result, err := post(ctx, client, u.JoinPath(wire.RenewPath).String(), wire.RenewRequest{CSR: csr})
	if err != nil {
		return fmt.Errorf("cannot renew the certificate at %s: %w", master, err)
	}
	if result.Host != m.Host() {
		return fmt.Errorf("cannot renew the certificate at %s: it is for host %q", master, result.Host)
	}
	return m.keep(stateOf(master, result))
}
