package member

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/vedettehq/vedette/internal/wholefile"
)

// privateKey is the key of a host.
type privateKey struct{ signer crypto.Signer }

// readKey reads a key from its file.
func readKey(path string) (privateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return privateKey{}, fmt.Errorf("cannot read the key of this host: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return privateKey{}, fmt.Errorf("cannot read the key of this host: %q holds no PEM key", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return privateKey{}, fmt.Errorf("cannot read the key of this host: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return privateKey{}, fmt.Errorf("cannot read the key of this host: %q holds a key that does not sign", path)
	}
	return privateKey{signer}, nil
}

// makeKey reads the key from a file, or makes the file if there is none.
func makeKey(path string) (privateKey, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return privateKey{}, fmt.Errorf("cannot make the key of this host: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		return privateKey{}, fmt.Errorf("cannot make the key of this host: %w", err)
	}
	if err := wholefile.Write(path, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))); err != nil {
		return privateKey{}, fmt.Errorf("cannot store the key of this host: %w", err)
	}
	return privateKey{made}, nil
}

// request makes a certificate request, in PEM.
func (k privateKey) request(host string) (string, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: host}}, k.signer)
	if err != nil {
		return "", fmt.Errorf("cannot make a certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// isOf reports whether a certificate is for the key.
func (k privateKey) isOf(cert *x509.Certificate) bool {
	public, ok := k.signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
