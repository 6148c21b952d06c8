package join

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/authority"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Desk is where hosts join and renew: it has the store of the joined hosts, and
// the authority that certifies them. It is safe for use from many goroutines once
// its fields are set.
type Desk struct {
	*Store
	// Authority is set before any request is served.
	Authority *authority.Authority
	// Lifetime is how long a certificate is valid, and Grace how long after that
	// it can still be renewed.
	Lifetime, Grace time.Duration
	// Shown returns the operator's certificate that the master shows, or nil if
	// the authority made it.
	Shown func() *tls.Certificate
	// Replaced is called when a host has joined with another key than before.
	Replaced func()
}

// OldFor is how long certificates of a replaced authority are accepted: until the
// last of them has expired and can no longer be renewed.
func (d *Desk) OldFor() time.Duration { return d.Lifetime + d.Grace }

// Identify implements auth.Certificates.
func (d *Desk) Identify(cert *x509.Certificate) (host string, key [sha256.Size]byte, err error) {
	known, err := d.Authority.Verify(cert, d.OldFor())
	if errors.Is(err, authority.ErrEnded) {
		err = fmt.Errorf("%w: %w; renew it at %s", auth.ErrEnded, err, wire.RenewPath)
	}
	return known.Name, known.Key, err
}

// Pinned returns the certificate that a join token pins: the last of those that the
// master shows.
func (d *Desk) Pinned() (*x509.Certificate, error) {
	shown := d.Shown()
	if shown == nil {
		return d.Authority.Certificate(), nil
	}
	cert, err := x509.ParseCertificate(shown.Certificate[len(shown.Certificate)-1])
	if err != nil {
		return nil, fmt.Errorf("cannot read the master's certificate: %w", err)
	}
	return cert, nil
}

// join lets a host in.
func (d *Desk) join(ctx context.Context, request wire.JoinRequest, from string) (wire.JoinResult, error) {
	csr, err := authority.ParseRequest(request.CSR)
	if err != nil {
		return wire.JoinResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	m, replaced, err := d.Join(ctx, Ask{Secret: request.Token, Host: request.Host, Key: csr.Key, From: from})
	if err != nil {
		return wire.JoinResult{}, err
	}
	if replaced {
		d.Replaced()
	}
	if m.State != wire.MemberJoined {
		return wire.JoinResult{State: m.State, Host: m.Host}, nil
	}
	return d.certify(ctx, csr, m.Host, false)
}

// renew gives a host a new certificate in place of the one that it has shown.
func (d *Desk) renew(ctx context.Context, shown *x509.Certificate, request wire.RenewRequest) (host string, _ wire.JoinResult, _ error) {
	known, err := d.Authority.Verify(shown, d.OldFor())
	if err != nil && (!errors.Is(err, authority.ErrEnded) || time.Since(known.Ends) > d.Grace) {
		return known.Name, wire.JoinResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	csr, err := authority.ParseRequest(request.CSR)
	if err == nil && csr.Key != known.Key {
		err = errors.New("csr is for another key than the certificate")
	}
	if err != nil {
		return known.Name, wire.JoinResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	result, err := d.certify(ctx, csr, known.Name, true)
	return known.Name, result, err
}

// certify makes a certificate for a host that has joined. A host that was revoked
// meanwhile gets none.
func (d *Desk) certify(ctx context.Context, csr authority.Request, host string, renewed bool) (wire.JoinResult, error) {
	if !d.Joined(host, csr.Key) {
		return wire.JoinResult{}, fmt.Errorf("%w: host %q has not joined with this key, or was revoked", ErrRefused, host)
	}
	certificate, ends, err := d.Authority.Certify(csr, host, d.Lifetime)
	if err != nil {
		return wire.JoinResult{}, err
	}
	m, err := d.Certified(ctx, host, csr.Key, ends, renewed)
	if err != nil {
		return wire.JoinResult{}, err
	}
	result := wire.JoinResult{State: m.State, Host: host, Certificate: certificate, Labels: m.Labels}
	if d.Shown() == nil {
		result.ServerName = wire.MasterName
		result.Trust = authority.PEM([]*x509.Certificate{d.Authority.Certificate()})
		return result, nil
	}
	pinned, err := d.Pinned()
	result.Trust = authority.PEM([]*x509.Certificate{pinned})
	return result, err
}
