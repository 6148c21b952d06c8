// Package member is the identity of a host at a master that it has joined: a key
// that never leaves the host, the certificate of the master's authority for it,
// and the authorities by which the host in turn knows the master.
//
// All of it is in one folder of the agent's data, which only the agent's user can
// read. A certificate is valid for days; Run renews it when about half of that is
// over. One that has expired, because the host was away, is renewed before
// anything else is done with the master.
package member

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vedettehq/vedette/internal/wholefile"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Files of the folder.
const (
	folder   = "identity"
	keyFile  = "key.pem"
	joinFile = "member.json"
)

// state is what the master has sent, in the form in which it is stored.
type state struct {
	Host        string `json:"host"`
	Master      string `json:"master"` // its address
	ServerName  string `json:"server_name,omitempty"`
	Certificate string `json:"certificate"`
	Trust       string `json:"trust"`
}

// Member is a host that has joined. It is safe for use from many goroutines.
type Member struct {
	dir string
	key privateKey
	// also are authorities that the configuration trusts, or nil.
	also *x509.CertPool

	mu    sync.Mutex
	state state             // guarded by mu, like all below
	cert  *tls.Certificate  // of state.Certificate
	trust *x509.CertPool    // of state.Trust
	fresh chan struct{}     // closed when cert has been replaced
	leaf  *x509.Certificate // of cert
}

// Load reads the identity in an agent's data folder. It returns nil if the host
// has not joined. ca is a PEM file of authorities to trust in addition to those of
// the master, or "".
func Load(data, ca string) (*Member, error) {
	dir := filepath.Join(data, folder)
	text, err := os.ReadFile(filepath.Join(dir, joinFile))
	if data == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	m := &Member{dir: dir, fresh: make(chan struct{})}
	var s state
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err == nil {
		m.key, err = readKey(filepath.Join(dir, keyFile))
	}
	if err == nil {
		err = m.take(s)
	}
	var also *tls.Config
	if err == nil {
		also, err = rpc.TrustFile(ca)
	}
	if also != nil {
		m.also = also.RootCAs
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read how this host has joined, in %q; remove the folder and join again: %w", dir, err)
	}
	return m, nil
}

// take makes s the current state, in memory.
func (m *Member) take(s state) error {
	block, _ := pem.Decode([]byte(s.Certificate))
	if block == nil {
		return errors.New("there is no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("the certificate cannot be read: %w", err)
	}
	if !m.key.isOf(leaf) {
		return errors.New("the certificate is for another key")
	}
	trust := x509.NewCertPool()
	if !trust.AppendCertsFromPEM([]byte(s.Trust)) {
		return errors.New("there is no authority to know the master by")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.leaf, m.trust = s, leaf, trust
	m.cert = &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: m.key.signer, Leaf: leaf}
	close(m.fresh)
	m.fresh = make(chan struct{})
	return nil
}

// keep stores a state on the disk, and makes it the current one.
func (m *Member) keep(s state) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot store the certificate: %w", err)
	}
	if err := m.take(s); err != nil {
		return fmt.Errorf("cannot use what the master has sent: %w", err)
	}
	if err := wholefile.Write(filepath.Join(m.dir, joinFile), string(text)+"\n"); err != nil {
		return fmt.Errorf("cannot store the certificate: %w", err)
	}
	return nil
}

// Host returns the name under which the host has joined.
func (m *Member) Host() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Host
}

// Ends returns until when the certificate is valid.
func (m *Member) Ends() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leaf.NotAfter
}

// CheckURL refuses an address of a master that would be asked in clear text.
func (m *Member) CheckURL(master string) error {
	u, err := url.Parse(master)
	if err == nil && (u.Scheme == "https" || u.Scheme == "wss") {
		return nil
	}
	return fmt.Errorf("cannot use the master's address %q: this host has joined %s over TLS, and uses nothing else; write https://", master, m.state.Master)
}

// TLS returns how to connect to the master at an address. Each connection uses the
// certificate of that moment, and only reaches a master that the authorities of
// that moment vouch for.
func (m *Member) TLS(master string) *tls.Config {
	name := ""
	if u, err := url.Parse(master); err == nil {
		name = u.Hostname()
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.cert, nil
		},
		// The authorities change while the agent runs, which RootCAs does not
		// allow.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection:   func(c tls.ConnectionState) error { return m.verify(c.PeerCertificates, name) },
	}
}

// verify returns an error unless a chain of certificates is the master's.
func (m *Member) verify(chain []*x509.Certificate, name string) error {
	m.mu.Lock()
	trust, serverName := m.trust, m.state.ServerName
	m.mu.Unlock()
	expected := name
	if serverName != "" {
		expected = serverName
	}
	err := verifyChain(chain, trust, expected)
	if err != nil && m.also != nil && verifyChain(chain, m.also, name) == nil {
		return nil
	}
	return err
}

func verifyChain(chain []*x509.Certificate, roots *x509.CertPool, name string) error {
	if len(chain) == 0 {
		return errors.New("the master shows no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: name})
	if err != nil {
		return fmt.Errorf("this is not the master that the host has joined: %w", err)
	}
	return nil
}

// stateOf returns the part of an answer that is stored.
func stateOf(master string, result *wire.JoinResult) state {
	return state{Host: result.Host, Master: master, ServerName: result.ServerName, Certificate: result.Certificate, Trust: result.Trust}
}
