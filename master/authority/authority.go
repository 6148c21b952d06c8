// Package authority is the master's own certificate authority. It certifies the
// hosts that have joined and, where the operator has given no certificate, the
// master itself.
//
// It is made at the first start, in one file that only the master's user can read.
// Rotate puts a new one in its place: the old key signs the new one once, and is
// gone. So hosts that know the old one alone still trust the master, and get to
// know the new one when they renew their certificates; those by the old one are
// taken until the last of them has ended.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/internal/wholefile"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// File is the authority in the master's data folder, and CertFile its
	// certificate alone, for those who are to trust it.
	File     = "authority.pem"
	CertFile = "authority.crt"

	authorityFor = 10 * 365 * 24 * time.Hour
	// serverFor is how long the master's own certificate is good. Its key is in
	// memory alone, so each start makes another; a master that runs on makes one
	// when half of the time is over.
	serverFor = 90 * 24 * time.Hour
	// backdate is by how much clocks of hosts may be behind.
	backdate = time.Hour

	certBlock = "CERTIFICATE"
	keyBlock  = "PRIVATE KEY"
)

// Authority is one authority, with those before it. It is safe for use from many
// goroutines.
type Authority struct {
	dir string

	mu     sync.Mutex
	cert   *x509.Certificate // guarded by mu, and all below
	key    *ecdsa.PrivateKey
	chain  []*x509.Certificate // cert signed by the one before, that one, and so on
	server *tls.Certificate    // or nil
	names  []string            // in server
}

// Open reads the authority in a folder, and makes it where there is none.
func Open(dir string) (*Authority, error) {
	a := &Authority{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		cert, key, err := generate()
		if err != nil {
			return nil, fmt.Errorf("cannot make the master's authority: %w", err)
		}
		if err := a.save(cert, key, nil); err != nil {
			return nil, err
		}
		a.cert, a.key = cert, key
		return a, nil
	}
	if err == nil {
		err = a.parse(text)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the master's authority %q; restore it from a backup, or remove it to make another, which every host has to join again: %w", filepath.Join(dir, File), err)
	}
	return a, nil
}

// parse reads the file: the key, the certificate, and the chain.
func (a *Authority) parse(text []byte) error {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		switch block.Type {
		case keyBlock:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return err
			}
			a.key, _ = key.(*ecdsa.PrivateKey)
		case certBlock:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return err
			}
			if a.cert == nil {
				a.cert = cert
			} else {
				a.chain = append(a.chain, cert)
			}
		}
	}
	if a.key == nil || a.cert == nil || !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return errors.New("it has no ECDSA key with the certificate for that")
	}
	return nil
}

func generate() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := caTemplate("Vedette authority " + hex.EncodeToString(serial().Bytes()[:6]))
	cert, err := sign(template, template, &key.PublicKey, key)
	return cert, key, err
}

func caTemplate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityFor),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

// serial returns 127 random bits. The first one is set.
func serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // it does not fail
	raw[0] = raw[0]&0x7f | 0x40
	return new(big.Int).SetBytes(raw)
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (a *Authority) save(cert *x509.Certificate, key *ecdsa.PrivateKey, chain []*x509.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("cannot store the master's authority: %w", err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der})) + PEM(append([]*x509.Certificate{cert}, chain...))
	if err := wholefile.Write(filepath.Join(a.dir, File), text); err != nil {
		return fmt.Errorf("cannot store the master's authority: %w", err)
	}
	if err := wholefile.Write(filepath.Join(a.dir, CertFile), PEM([]*x509.Certificate{cert})); err != nil {
		return fmt.Errorf("cannot write the certificate of the master's authority: %w", err)
	}
	return nil
}

// PEM writes certificates.
func PEM(certs []*x509.Certificate) string {
	var text []byte
	for _, cert := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: cert.Raw})...)
	}
	return string(text)
}

// Certificate returns the authority's own certificate.
func (a *Authority) Certificate() *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cert
}

// Roots returns the authorities whose certificates are taken: this one, and those
// before it which were replaced less than a time ago.
func (a *Authority) Roots(within time.Duration) []*x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	roots := []*x509.Certificate{a.cert}
	replaced := a.cert.NotBefore.Add(backdate)
	for _, cert := range a.chain {
		if isRoot(cert) && time.Since(replaced) < within {
			roots = append(roots, cert)
			replaced = cert.NotBefore.Add(backdate)
		}
	}
	return roots
}

func isRoot(cert *x509.Certificate) bool { return string(cert.RawIssuer) == string(cert.RawSubject) }

// Rotate puts a new authority in the place of this one.
func (a *Authority) Rotate() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	cert, key, err := generate()
	if err != nil {
		return fmt.Errorf("cannot make the master's next authority: %w", err)
	}
	cross := caTemplate(cert.Subject.CommonName)
	bridge, err := sign(cross, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return fmt.Errorf("cannot sign the master's next authority: %w", err)
	}
	chain := append([]*x509.Certificate{bridge, a.cert}, a.chain...)
	if err := a.save(cert, key, chain[:min(len(chain), maxChain)]); err != nil {
		return err
	}
	a.cert, a.key, a.chain, a.server = cert, key, chain[:min(len(chain), maxChain)], nil
	return nil
}

// maxChain bounds what is kept of authorities before: two of each.
const maxChain = 6

// Server returns a certificate for the master under its names.
func (a *Authority) Server(names []string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && time.Until(a.server.Leaf.NotAfter) > serverFor/2 && slices.Equal(a.names, names) {
		return a.server, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make the master's certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: wire.MasterName},
		NotBefore: now.Add(-backdate), NotAfter: earlier(now.Add(serverFor), a.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	addNames(template, append([]string{wire.MasterName}, names...))
	leaf, err := sign(template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("cannot make the master's certificate: %w", err)
	}
	made := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, cert := range append([]*x509.Certificate{a.cert}, a.chain...) {
		made.Certificate = append(made.Certificate, cert.Raw)
	}
	a.server, a.names = made, names
	return made, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
