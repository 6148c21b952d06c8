package member

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// askAgain is the interval at which a host asks again while it waits for
	// approval or cannot reach the master.
	askAgain = 2 * time.Second
	// maxAnswer bounds how much of an answer is read.
	maxAnswer = 1 << 20
	// answerWithin is how long one request may take.
	answerWithin = 30 * time.Second
)

// ErrRefused is wrapped by the error of a master that refuses in a way that asking
// again does not change.
var ErrRefused = errors.New("the master refuses")

// Options say how a host joins.
type Options struct {
	Master string // its address, with https
	Token  string // the join token
	Host   string // the name to join under
	Data   string // the agent's data folder
	// Waiting is called once if an operator has to let the host in first. It may
	// be nil.
	Waiting func()
}

// Join joins, and returns the host with the labels that the join token has for it.
// If an operator has to let it in, Join waits for that until ctx ends. Joining
// again with the same token and folder continues where it was.
func Join(ctx context.Context, o Options) (*Member, map[string]string, error) {
	token, err := jointoken.Parse(o.Token)
	if err != nil {
		return nil, nil, err
	}
	base, err := joinURL(o.Master)
	if err != nil {
		return nil, nil, err
	}
	m := &Member{dir: filepath.Join(o.Data, folder), fresh: make(chan struct{})}
	if m.key, err = makeKey(filepath.Join(m.dir, keyFile)); err != nil {
		return nil, nil, err
	}
	csr, err := m.key.request(o.Host)
	if err != nil {
		return nil, nil, err
	}
	client := newHTTPClient(pinned(token.Pin, base.Hostname()))
	defer client.CloseIdleConnections()
	request := wire.JoinRequest{Token: token.Secret, Host: o.Host, CSR: csr}
	told := false
	for {
		result, err := post(ctx, client, base.JoinPath(wire.JoinPath).String(), request)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot join %s as host %q: %w", o.Master, o.Host, err)
		}
		if result.State == wire.MemberJoined {
			return m, result.Labels, m.keep(stateOf(o.Master, result))
		}
		if !told && o.Waiting != nil {
			o.Waiting()
		}
		told = true
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("cannot join %s as host %q: no operator has let it in yet: %w", o.Master, o.Host, ctx.Err())
		case <-time.After(askAgain):
		}
	}
}

// joinURL reads the address of a master to join. It accepts no address that would
// be asked in clear text.
func joinURL(master string) (*url.URL, error) {
	u, err := url.Parse(master)
	if err != nil {
		return nil, fmt.Errorf("cannot use the master's address %q: %w", master, err)
	}
	switch {
	case u.Scheme == "http" || u.Scheme == "ws":
		return nil, fmt.Errorf("cannot join %q: the join token and all that follows would go in clear text; write https://", master)
	case u.Scheme != "https" && u.Scheme != "wss" || u.Host == "":
		return nil, fmt.Errorf("cannot use the master's address %q: write it as https://master:50505", master)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("cannot use the master's address: write it as https://master:50505, and no more")
	}
	u.Scheme = "https"
	return u, nil
}

// pinned trusts a master that shows a certificate with the pin in its chain, or
// one that this certificate vouches for.
func pinned(pin, host string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(c tls.ConnectionState) error {
			for _, cert := range c.PeerCertificates {
				if jointoken.PinOf(cert) != pin {
					continue
				}
				roots := x509.NewCertPool()
				roots.AddCert(cert)
				if verifyChain(c.PeerCertificates, roots, wire.MasterName) == nil {
					return nil
				}
				return verifyChain(c.PeerCertificates, roots, host)
			}
			return ErrPin
		},
	}
}

// ErrPin is wrapped by the error of a master that is not the one of a join token.
var ErrPin = errors.New("what answers there is not the master that made the join token: it shows another authority; is the address right, or does somebody stand between?")

func newHTTPClient(secure *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       answerWithin,
		Transport:     &http.Transport{TLSClientConfig: secure, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a request and reads the answer.
func post(ctx context.Context, client *http.Client, address string, request any) (*wire.JoinResult, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	switch {
	case response.StatusCode == http.StatusOK || response.StatusCode == http.StatusAccepted:
		var result wire.JoinResult
		if err := json.Unmarshal(text, &result); err != nil {
			return nil, fmt.Errorf("what answers there is no master: %w", err)
		}
		return &result, nil
	case response.StatusCode >= http.StatusInternalServerError:
		return nil, fmt.Errorf("the master answers %s: %s", response.Status, firstLine(text))
	}
	return nil, fmt.Errorf("%w: %s (%s)", ErrRefused, firstLine(text), response.Status)
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(text), "�")), "\n")
	return line[:min(len(line), 500)]
}
