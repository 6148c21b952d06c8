package collect

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// maxAnswerBytes is how much of an answer a probe reads.
const maxAnswerBytes = 1 << 20

// askHTTP makes one request, and reports how long each part of it took.
func (p *probe) askHTTP(ctx context.Context, target string, to *answer) error {
	method := p.of.Params.Method
	if method == "" {
		method = http.MethodGet
	}
	t := newTimeline()
	request, err := p.client.request(httptrace.WithClientTrace(ctx, t.trace()), method, target)
	if err != nil {
		return err
	}
	response, err := p.client.http.Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	t.tell(to)
	to.gauge("status", float64(response.StatusCode))
	to.gauge("body_bytes", float64(len(body)))
	if response.TLS != nil {
		tellExpiry(to, response.TLS.PeerCertificates)
	}
	expected := p.of.Params.Status
	switch {
	case err != nil:
		return err
	case len(expected) == 0 && response.StatusCode/100 != 2, len(expected) > 0 && !slices.Contains(expected, response.StatusCode):
		return statusError(response)
	case p.body != nil && !p.body.Match(body):
		return fmt.Errorf("the first %s of its answer do not match %q", inspectors.FormatBytes(int64(len(body))), p.body)
	}
	return nil
}

// timeline has when the parts of a request began and ended; if it was redirected, those of
// the last request. Connections that lose a race report from other goroutines.
type timeline struct {
	mu sync.Mutex
	at map[string]time.Time // of each moment
}

func newTimeline() *timeline { return &timeline{at: make(map[string]time.Time)} }

func (t *timeline) mark(moment string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at[moment] = time.Now()
}

func (t *timeline) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { t.mark("resolve") },
		DNSDone:              func(httptrace.DNSDoneInfo) { t.mark("resolved") },
		ConnectStart:         func(string, string) { t.mark("connect") },
		ConnectDone:          func(string, string, error) { t.mark("connected") },
		TLSHandshakeStart:    func() { t.mark("tls") },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { t.mark("secured") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { t.mark("answer") },
		GotFirstResponseByte: func() { t.mark("answered") },
	}
}

// tell adds how long the parts took.
func (t *timeline) tell(to *answer) {
	t.mark("read")
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, part := range [][3]string{
		{"resolve", "resolve", "resolved"},
		{"connect", "connect", "connected"},
		{"tls", "tls", "secured"},
		{"answer", "answer", "answered"},
		{"read", "answered", "read"},
	} {
		from, until := t.at[part[1]], t.at[part[2]]
		if !from.IsZero() && !until.Before(from) {
			to.seconds("part_seconds", until.Sub(from), "part", part[0])
		}
	}
}

// tellExpiry adds how long the certificates of a server are still valid: the shortest of
// these times.
func tellExpiry(to *answer, chain []*x509.Certificate) {
	if len(chain) == 0 {
		return
	}
	first := slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	to.seconds("expires_in_seconds", first.NotAfter.Sub(to.at))
}

// askTLS does a handshake. It reports a certificate that is not trusted as such, and also
// how long it is valid.
func (p *probe) askTLS(ctx context.Context, target string, to *answer) error {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return err
	}
	settings, err := tlsSettings(&p.of.Client)
	if err != nil {
		return err
	}
	settings.ServerName = host
	settings.InsecureSkipVerify = true // it is verified below, when its dates are known
	dialer := tls.Dialer{Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	defer conn.Close()
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return errors.New("it speaks no TLS")
	}
	chain := secured.ConnectionState().PeerCertificates
	tellExpiry(to, chain)
	others := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		others.AddCert(certificate)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: settings.RootCAs, Intermediates: others, CurrentTime: to.at})
	return err
}

// askDNS asks a name server.
func (p *probe) askDNS(ctx context.Context, target string, to *answer) error {
	resolver, asked := &net.Resolver{}, new(atomic.Bool)
	if server := p.of.Params.Server; server != "" {
		resolver.PreferGo = true
		resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			asked.Store(true)
			return (&net.Dialer{}).DialContext(ctx, network, server)
		}
	}
	found, err := lookUp(ctx, resolver, p.of.Params.Record, strings.TrimSuffix(target, ".")+".")
	to.gauge("answers", float64(found))
	switch {
	case err != nil:
		return err
	case p.of.Params.Server != "" && !asked.Load():
		return fmt.Errorf("%s was not asked: the hosts file of this machine has the name", p.of.Params.Server)
	case found == 0:
		return errors.New("it has no such record")
	}
	return nil
}

// lookUp returns how many records there are.
func lookUp(ctx context.Context, r *net.Resolver, record, name string) (n int, err error) {
	switch record {
	case "CNAME":
		text, err := r.LookupCNAME(ctx, name)
		if err != nil || text == name {
			return 0, err
		}
		return 1, nil
	case "MX":
		list, err := r.LookupMX(ctx, name)
		return len(list), err
	case "NS":
		list, err := r.LookupNS(ctx, name)
		return len(list), err
	case "TXT":
		list, err := r.LookupTXT(ctx, name)
		return len(list), err
	}
	network := map[string]string{"A": "ip4", "AAAA": "ip6", "": "ip"}[record]
	list, err := r.LookupNetIP(ctx, network, name)
	return len(list), err
}

// askTCP connects, sends its text, and waits for the expected one.
func (p *probe) askTCP(ctx context.Context, target string, to *answer) error {
	begin := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	defer conn.Close()
	to.seconds("connect_seconds", time.Since(begin))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := io.WriteString(conn, p.of.Params.Send); err != nil {
		return err
	}
	if p.body == nil {
		return nil
	}
	var got bytes.Buffer
	buf := make([]byte, 4<<10)
	for {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		switch {
		case p.body.Match(got.Bytes()):
			return nil
		case err != nil:
			return fmt.Errorf("it sent %d bytes, and nothing that matches %q: %w", got.Len(), p.body, err)
		case got.Len() > maxAnswerBytes/16:
			return fmt.Errorf("the first %d bytes that it sent do not match %q", got.Len(), p.body)
		}
	}
}
