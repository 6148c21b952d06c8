package authority

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/jointoken"
)

// Host is what the certificate of a host says.
type Host struct {
	Name string
	Key  [32]byte // by which its public key is known
	Ends time.Time
}

// Request is a certificate request whose sender has shown to have the key.
type Request struct {
	Key    [32]byte
	public any
}

// ParseRequest reads a certificate request in PEM. Nothing of it counts but the key.
func ParseRequest(text string) (Request, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(rest) > 0 {
		return Request{}, errors.New("csr is not one certificate request in PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return Request{}, fmt.Errorf("csr cannot be read: %w", err)
	}
	switch key := request.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return Request{}, errors.New("csr is for another key than ECDSA P-256 or Ed25519")
		}
	case ed25519.PublicKey:
	default:
		return Request{}, errors.New("csr is for another key than ECDSA P-256 or Ed25519")
	}
	if err := request.CheckSignature(); err != nil {
		return Request{}, fmt.Errorf("csr is not signed by its key: %w", err)
	}
	return Request{Key: jointoken.KeyOf(request.RawSubjectPublicKeyInfo), public: request.PublicKey}, nil
}

// Certify makes a certificate for a host, in PEM, that is good for a time.
func (a *Authority) Certify(request Request, host string, lifetime time.Duration) (text string, ends time.Time, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	ends = earlier(now.Add(lifetime), a.cert.NotAfter)
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: host},
		NotBefore: now.Add(-backdate), NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, request.public, a.key)
	if err != nil {
		return "", ends, fmt.Errorf("cannot certify host %q: %w", host, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: der})), ends, nil
}

// ErrEnded is wrapped by the error for the certificate of a host that has ended,
// and is good in every other way.
var ErrEnded = errors.New("the certificate has ended")

// Verify returns whose certificate a client has shown. The handshake has proved that
// the client has the key. oldFor is for how long certificates of a replaced authority
// are taken.
func (a *Authority) Verify(cert *x509.Certificate, oldFor time.Duration) (Host, error) {
	host := Host{Name: cert.Subject.CommonName, Key: jointoken.KeyOf(cert.RawSubjectPublicKeyInfo), Ends: cert.NotAfter}
	if cert.IsCA || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
		return host, errors.New("it is not the certificate of a host")
	}
	roots := x509.NewCertPool()
	for _, root := range a.Roots(oldFor) {
		roots.AddCert(root)
	}
	at := time.Now()
	ended := at.After(cert.NotAfter)
	if ended {
		at = cert.NotAfter
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	switch {
	case err != nil:
		return host, fmt.Errorf("it is not a certificate of this master: %w", err)
	case ended:
		return host, fmt.Errorf("%w, at %s", ErrEnded, cert.NotAfter.UTC().Format(time.RFC3339))
	}
	return host, nil
}

// LocalNames are the names and addresses under which this machine may be reached,
// in no particular way.
func LocalNames() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "localhost" {
		names = append(names, name)
	}
	addresses, _ := net.InterfaceAddrs() // those of loopback do without
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && !network.IP.IsLoopback() {
			names = append(names, network.IP.String())
		}
	}
	return names
}

// addNames puts names and addresses into a certificate. Anything else is left out.
func addNames(template *x509.Certificate, names []string) {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if name != "" {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
}
