package collect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

const (
	// maxRedirects is how many redirects are followed, and only to the host of the
	// address.
	maxRedirects = 3
	// maxHeaderBytes bounds the header of an answer.
	maxHeaderBytes = 64 << 10
	// maxSecretBytes bounds the file of a password or a token.
	maxSecretBytes = 16 << 10
	// keepIdle is how long an unused connection is kept.
	keepIdle = 5 * time.Minute
)

// client makes HTTP requests. Files with secrets are read for each request, so that a new
// secret needs no restart.
type client struct {
	of        *inspectors.Client
	http      *http.Client
	transport *http.Transport
}

func newClient(of *inspectors.Client) (*client, error) {
	settings, err := tlsSettings(of)
	if err != nil {
		return nil, err
	}
	c := &client{of: of, transport: &http.Transport{
		TLSClientConfig: settings, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: keepIdle, MaxResponseHeaderBytes: maxHeaderBytes,
	}}
	c.http = &http.Client{Transport: c.transport, CheckRedirect: checkRedirect}
	return c, nil
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// tlsSettings say how the client verifies its server, and which certificate it presents.
func tlsSettings(of *inspectors.Client) (*tls.Config, error) {
	settings := &tls.Config{ServerName: of.ServerName, InsecureSkipVerify: of.Insecure, MinVersion: tls.VersionTLS12}
	if of.CA != "" {
		pem, err := os.ReadFile(of.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read client.ca: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client.ca: %q holds no certificate in PEM form", of.CA)
		}
	}
	if of.Cert != "" {
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(of.Cert, of.Key)
			return &pair, err
		}
	}
	return settings, nil
}

// checkRedirect follows few redirects, and none to another host: an exporter must not make
// the agent ask others, and no secret may be sent there.
func checkRedirect(to *http.Request, via []*http.Request) error {
	switch first := via[0].URL; {
	case len(via) > maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	case to.URL.Hostname() != first.Hostname():
		return fmt.Errorf("it redirects to another host, %q; give that address", to.URL.Hostname())
	case first.Scheme == "https" && to.URL.Scheme != "https":
		return errors.New("it redirects from https to http")
	}
	return nil
}

// request makes a request with the credentials of the client.
func (c *client) request(ctx context.Context, method, address string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "vedette-agent")
	switch {
	case c.of.TokenFile != "":
		token, err := readSecret(c.of.TokenFile)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	case c.of.User != "":
		password, err := readSecret(c.of.PasswordFile)
		if err != nil {
			return nil, err
		}
		request.SetBasicAuth(c.of.User, password)
	}
	return request, nil
}

// get fetches an address, and returns at most the given number of bytes of the answer,
// after decompression.
func (c *client) get(ctx context.Context, address, accept string, most int64) (body []byte, contentType string, err error) {
	request, err := c.request(ctx, http.MethodGet, address)
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Accept", accept)
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, "", withoutAddress(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, "", statusError(answer)
	}
	// The transport asks for gzip, and hides it.
	if encoding := answer.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, "", fmt.Errorf("it answers in the encoding %s, which was not asked for", inspectors.Quote(encoding))
	}
	body, err = readBounded(answer.Body, most)
	return body, answer.Header.Get("Content-Type"), err
}

// readSecret reads a file that holds only a password or a token.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read a secret: %w", err)
	}
	defer f.Close()
	text, err := readBounded(f, maxSecretBytes)
	if err != nil {
		return "", fmt.Errorf("cannot read the secret in %q: %w", path, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// withoutAddress returns the error of a request without the address, which the caller
// adds.
func withoutAddress(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}
