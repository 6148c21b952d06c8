package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TrustFile makes a TLS configuration that trusts the authorities of a PEM file
// alone. Without a file it returns nil, which trusts those of the system.
func TrustFile(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities: %w", err)
	}
	trust, err := TrustPEM(pem)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities: %q %w", file, err)
	}
	return trust, nil
}

// TrustPEM is TrustFile for the text of such a file. Its error begins with a verb.
func TrustPEM(pem []byte) (*tls.Config, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no PEM certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
