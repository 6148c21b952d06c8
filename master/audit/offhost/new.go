package offhost

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/vedettehq/vedette/config"
)

// New makes a sender for each receiver of a configuration. It starts nothing.
func New(cfg config.Audit, log *slog.Logger, version string) ([]*Sender, error) {
	trusted, err := clientTLS(cfg)
	if err != nil {
		return nil, err
	}
	var senders []*Sender
	if cfg.Syslog != "" {
		network, address, ok := cfg.SyslogAddress()
		if !ok {
			return nil, fmt.Errorf("cannot send the audit log to %q: write tls://HOST:PORT, tcp://HOST:PORT or unix:///PATH", cfg.Syslog)
		}
		host, err := os.Hostname()
		if err != nil {
			host = "-"
		}
		senders = append(senders, newSender("syslog", cfg.Syslog, log, &syslog{
			network: network, address: address, tls: trusted, host: host, version: version, settle: settleFor,
		}))
	}
	if cfg.Webhook != "" {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = trusted.Clone() // net/http changes it
		client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		senders = append(senders, newSender("webhook", cfg.Webhook, log, &webhook{url: cfg.Webhook, token: cfg.Token, client: client}))
	}
	return senders, nil
}

// clientTLS returns how the master speaks TLS with receivers.
func clientTLS(cfg config.Audit) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CA != "" {
		text, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read the authorities for the receivers of the audit log: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("cannot use the authorities %q for the receivers of the audit log: the file holds no PEM certificate", cfg.CA)
		}
	}
	if cfg.Cert != "" {
		pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot use the certificate %q for the receivers of the audit log: %w", cfg.Cert, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
