package master

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(visitEnv); url != "" {
		visit(url, os.Getenv(visitKeyEnv))
		return
	}
	if address := os.Getenv(floodEnv); address != "" {
		flood(address)
		return
	}
	goleak.VerifyTestMain(m)
}

// start runs a master until the test ends.
func start(t testing.TB, cfg config.Master) *Master {
	t.Helper()
	return startLogging(t, cfg, slog.DiscardHandler)
}

// startLogging is start with somewhere for the log to go.
func startLogging(t testing.TB, cfg config.Master, log slog.Handler) *Master {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.GoneAfter == 0 {
		cfg.GoneAfter = time.Hour // nobody is gone because the machine is busy
	}
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	cfg.Name = "master"
	text := func(body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
	}
	m, err := New(cfg, Deps{
		Log: slog.New(log), Version: "test", Web: text("app"), ClientScript: text("client"), PasswordCost: users.Cost{Passes: 1, KiB: 8, Lanes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		patience.Return(t, "the end of the master", func() {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	})
	select {
	case <-m.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("the master did not start: %v", err)
	case <-patience.Context(t).Done():
		t.Fatalf("the master did not start:\n%s", patience.Goroutines())
	}
	patience.Closed(t, "the history to be open", m.history.Ready())
	return m
}

// notes is a handler that keeps the notifications of one method.
type notes chan json.RawMessage

func (n notes) ServeRPC(ctx context.Context, req *rpc.Request) (any, error) {
	var raw any
	if err := req.Decode(&raw); err != nil {
		return nil, err
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	return nil, hand(ctx, n, data)
}

func (n notes) next(t testing.TB) string {
	t.Helper()
	return string(await(t, "a notification", n))
}

func dial(t testing.TB, m *Master, methods map[string]notes, o rpc.DialOptions) *rpc.Peer {
	t.Helper()
	mux := rpc.NewMux()
	for method, n := range methods {
		mux.HandleInOrder(method, n.ServeRPC)
	}
	o.Handler = mux
	peer, err := rpc.Dial(t.Context(), m.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t, peer) })
	return peer
}

func call[R any](t testing.TB, peer *rpc.Peer, method string, params any) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	var result R
	if err := peer.Call(ctx, method, params, &result); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return result
}

// refused calls a method that must fail, and returns the error.
func refused(t testing.TB, peer *rpc.Peer, method string, params any) *rpc.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	err := peer.Call(ctx, method, params, nil)
	var refusal *rpc.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%s gave %v, want an RPC error", method, err)
	}
	return refusal
}

func hello(host string) wire.HelloParams {
	return wire.HelloParams{
		Protocol: wire.Version, Host: host, AgentID: "id-" + host, BootID: "boot", Version: "1", OS: "linux", Arch: "amd64",
		NowMS: time.Now().UnixMilli(),
	}
}

func TestSamplesReachSubscribers(t *testing.T) {
	for _, codec := range []string{rpc.SubprotocolJSON, rpc.SubprotocolCBOR} {
		t.Run(codec, func(t *testing.T) {
			m := start(t, config.Master{})
			at := time.Now().UnixMilli()
			events, columns := make(notes, 10), make(notes, 10)
			watcher := dial(t, m, map[string]notes{wire.NotifyEvent.Name: events, wire.NotifySamples.Name: columns}, rpc.DialOptions{Codec: codec})
			agent := dial(t, m, nil, rpc.DialOptions{Codec: codec})
			call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
			call[wire.SubscribeResult](t, watcher, wire.MasterSubscribe.Name, []string{"metrics/web-1/*"})
			call[wire.SubscribeResult](t, watcher, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "metrics/*", Format: "columns"})

			result := call[wire.ReportResult](t, agent, wire.MasterReport.Name, wire.ReportParams{
				BootID: "boot", Seq: 1,
				Series:  []wire.Series{{ID: 5, Key: "disk/used_percent", Labels: map[string]string{"mount": "/"}}},
				Columns: wire.Columns{T: []int64{at}, S: []uint32{5}, V: []float64{31.25}},
			})
			if result.Seq != 1 || result.Refused != 0 {
				t.Errorf("acknowledged with %+v", result)
			}
			want := fmt.Sprintf(`{"data":{"key":"disk/used_percent","labels":{"mount":"/"},"ts":%d,"val":31.25},"path":"metrics/web-1/disk/used_percent","subscription":1}`, at)
			if got := events.next(t); got != want {
				t.Errorf("event\n%s, want\n%s", got, want)
			}
			want = fmt.Sprintf(`{"s":[1],"series":[{"host":"web-1","id":1,"key":"disk/used_percent","kind":"gauge","labels":{"mount":"/"}}],"subscription":2,"t":[%d],"v":[31.25]}`, at)
			if got := columns.next(t); got != want {
				t.Errorf("columns\n%s, want\n%s", got, want)
			}
			past := call[wire.HistoryRangeResult](t, watcher, wire.HistoryRange.Name,
				wire.HistoryRangeParams{Pattern: "metrics/web-1/*", FromMS: at - 1000, ToMS: at, Points: 10})
			got := fmt.Sprint(past.FromMS, past.ToMS, past.Points, past.Truncated, len(past.Series), past.Columns)
			for _, s := range past.Series {
				got += fmt.Sprintf(" %d %s %s %v %s", s.ID, s.Host, s.Key, s.Labels, s.Kind)
			}
			if want := fmt.Sprintf("%d %d 10 false 1 {[%d] [1] [31.25]} 1 web-1 disk/used_percent map[mount:/] gauge", at-1000, at, at); got != want {
				t.Errorf("the history has %s\nwant %s", got, want)
			}
		})
	}
}

func TestReportMetric(t *testing.T) {
	m := start(t, config.Master{})
	events := make(notes, 10)
	peer := dial(t, m, map[string]notes{wire.NotifyEvent.Name: events}, rpc.DialOptions{Codec: rpc.SubprotocolJSON})
	call[wire.SubscribeResult](t, peer, wire.MasterSubscribe.Name, []string{"metrics/*/load/*"})
	call[any](t, peer, wire.MasterReportMetric.Name, []any{"pi", map[string]any{"ts": 1700000000000, "key": "load/average-1", "val": 0.5}})
	want := `{"data":{"key":"load/average-1","labels":{},"ts":1700000000000,"val":0.5},"path":"metrics/pi/load/average-1","subscription":1}`
	if got := events.next(t); got != want {
		t.Errorf("event\n%s, want\n%s", got, want)
	}
	hosts := call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
	if len(hosts.Hosts) != 1 || hosts.Hosts[0].Host != "pi" || hosts.Hosts[0].State != wire.HostUp || !hosts.Hosts[0].Simple {
		t.Errorf("hosts are %+v", hosts.Hosts)
	}
}

// What the walkthrough's master took in silence, or died of, is refused with
// the fault and the place, and the connection lives.
func TestBadCallsAreRefused(t *testing.T) {
	m := start(t, config.Master{})
	peer := dial(t, m, nil, rpc.DialOptions{Codec: rpc.SubprotocolJSON})
	metric := func(v any) []any { return []any{"pi", v} }
	for _, c := range []struct {
		method string
		params any
		code   int
		want   string
	}{
		{"master.stop", nil, rpc.CodeMethodNotFound, "master.stop"},
		{wire.MasterReportMetric.Name, nil, rpc.CodeInvalidParams, "hostname"},
		{wire.MasterReportMetric.Name, metric(map[string]any{}), rpc.CodeInvalidParams, "val is missing"},
		{wire.MasterReportMetric.Name, metric(map[string]any{"ts": 1, "key": "a/b", "val": "7"}), rpc.CodeInvalidParams, "val"},
		{wire.MasterReportMetric.Name, metric(map[string]any{"ts": 1, "key": "<b>/x", "val": 7}), rpc.CodeInvalidParams, "'<' is not allowed"},
		{wire.MasterReportMetric.Name, []any{"<img src=x onerror=alert(1)>", map[string]any{"ts": 1, "key": "a/b", "val": 7}}, rpc.CodeInvalidParams, "host name"},
		{wire.MasterSubscribe.Name, []any{""}, rpc.CodeInvalidParams, "pattern is empty"},
		{wire.MasterSubscribe.Name, []any{7}, rpc.CodeInvalidParams, "pattern"},
		{wire.MasterSubscribe.Name, map[string]any{"patern": "*"}, rpc.CodeInvalidParams, "patern"},
		{wire.MasterSubscribe.Name, map[string]any{"pattern": "*", "format": "xml"}, rpc.CodeInvalidParams, `unknown format "xml"`},
		{wire.MasterUnsubscribe.Name, []any{99}, wire.CodeNotFound, "no subscription 99"},
		{wire.HostsGet.Name, []any{"nope"}, wire.CodeNotFound, `no host "nope"`},
		{wire.MasterReport.Name, map[string]any{"boot_id": "b", "seq": 1, "t": []int{}, "s": []int{}, "v": []int{}}, wire.CodeConflict, "call master.hello first"},
		{wire.MasterStatus.Name, map[string]any{"all": true, "inspectors": []any{}}, wire.CodeConflict, "call master.hello first"},
	} {
		got := refused(t, peer, c.method, c.params)
		if got.Code != c.code || !strings.Contains(got.Message, c.want) {
			t.Errorf("%s(%v): code %d %q, want %d with %q", c.method, c.params, got.Code, got.Message, c.code, c.want)
		}
	}
	call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil)
}

func TestHelloIsChecked(t *testing.T) {
	m := start(t, config.Master{})
	bad := func(change func(*wire.HelloParams)) wire.HelloParams {
		h := hello("web-1")
		change(&h)
		return h
	}
	peer := dial(t, m, nil, rpc.DialOptions{})
	for want, params := range map[string]wire.HelloParams{
		"host name is empty": bad(func(h *wire.HelloParams) { h.Host = "" }),
		"labels":             bad(func(h *wire.HelloParams) { h.Labels = map[string]string{"1": "x"} }),
		"boot_id":            bad(func(h *wire.HelloParams) { h.BootID = "" }),
	} {
		if got := refused(t, peer, wire.MasterHello.Name, params); !strings.Contains(got.Message, want) {
			t.Errorf("got %q, want %q", got.Message, want)
		}
	}
	result := call[wire.HelloResult](t, peer, wire.MasterHello.Name, struct { // an agent that is newer
		wire.HelloParams
		Moods []string `json:"moods"`
	}{hello("web-1"), []string{"good"}})
	if !slices.Contains(result.Takes, wire.TakesEnds) || !slices.Contains(result.Takes, wire.TakesAbout) {
		t.Errorf("the master says that it takes %q", result.Takes)
	}
	if got := refused(t, peer, wire.MasterHello.Name, hello("web-2")); !strings.Contains(got.Message, "already said") {
		t.Errorf("a second hello: %v", got)
	}
	other := hello("web-1")
	other.AgentID = "another"
	if got := refused(t, dial(t, m, nil, rpc.DialOptions{}), wire.MasterHello.Name, other); !strings.Contains(got.Message, "already reported by another agent") {
		t.Errorf("another agent of the same name: %v", got)
	}
	again := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, again, wire.MasterHello.Name, hello("web-1"))
	patience.Closed(t, "the end of the old connection", peer.Done())
	if code := closeCode(peer); code != wire.CloseReplaced {
		t.Errorf("the old connection was closed with %d, want %d", code, wire.CloseReplaced)
	}
	old := dial(t, m, nil, rpc.DialOptions{})
	refused(t, old, wire.MasterHello.Name, bad(func(h *wire.HelloParams) { h.Protocol = 99 }))
	patience.Closed(t, "the end of the connection", old.Done())
	if code := closeCode(old); code != wire.CloseVersion {
		t.Errorf("another protocol was closed with %d, want %d", code, wire.CloseVersion)
	}
}

func closeCode(peer *rpc.Peer) int {
	var closed *rpc.CloseError
	errors.As(peer.Err(), &closed)
	if closed == nil {
		return 0
	}
	return closed.Code
}

func token(name, role, host string) config.Token {
	sum := sha256.Sum256([]byte("secret-" + name))
	return config.Token{Name: name, Role: role, Host: host, SHA256: hex.EncodeToString(sum[:])}
}

func bearer(name string) http.Header {
	return http.Header{"Authorization": {"Bearer secret-" + name}}
}

// Beyond loopback, over TLS: who is nobody may only log in, and everyone only
// what the role allows.
func TestCredentials(t *testing.T) {
	cert, pool := selfSigned(t)
	m := start(t, config.Master{
		Listen: "0.0.0.0:0", TLS: cert,
		Tokens: []config.Token{token("web-1", "agent", "web-1"), token("wall", "viewer", ""), token("ops", "operator", "")},
	})
	secure := func(header http.Header) rpc.DialOptions {
		return rpc.DialOptions{Header: header, TLS: &tls.Config{RootCAs: pool}}
	}

	var refusal *rpc.HTTPError
	if _, err := rpc.Dial(t.Context(), m.URL(), secure(bearer("nobody"))); !errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized {
		t.Errorf("an unknown token got %v, want 401", err)
	}

	nobody := dial(t, m, nil, secure(nil))
	for _, method := range []string{
		wire.HostsList.Name, wire.MasterSubscribe.Name, wire.MasterHello.Name, wire.MasterReportMetric.Name, wire.MasterInfo.Name,
		"master.stop",
	} {
		if got := refused(t, nobody, method, nil); got.Code != wire.CodeUnauthenticated || !strings.Contains(got.Message, "not logged in") {
			t.Errorf("%s without a login: %v", method, got)
		}
	}
	if got := refused(t, nobody, wire.MasterLogin.Name, wire.LoginParams{Token: "wrong"}); got.Code != wire.CodeUnauthenticated {
		t.Errorf("a wrong login: %v", got)
	}
	if got := refused(t, nobody, wire.MasterLogin.Name, wire.LoginParams{Username: "ops", Password: "secret-wall"}); got.Code != wire.CodeUnauthenticated {
		t.Errorf("a login with another's name: %v", got)
	}
	if got := call[wire.LoginResult](t, nobody, wire.MasterLogin.Name, wire.LoginParams{Username: "wall", Password: "secret-wall"}); got.Role != "viewer" {
		t.Errorf("logged in as %+v", got)
	}
	call[wire.HostsResult](t, nobody, wire.HostsList.Name, nil)
	if got := refused(t, nobody, wire.MasterReportMetric.Name, []any{"web-1", map[string]any{"ts": 1, "key": "a/b", "val": 1}}); got.Code != wire.CodeForbidden {
		t.Errorf("a viewer reported: %v", got)
	}

	// An unknown caller cannot make the master hold much.
	large := dial(t, m, nil, secure(nil))
	if err := large.Call(t.Context(), wire.MasterLogin.Name, wire.LoginParams{Token: strings.Repeat("x", 1<<20)}, nil); !errors.Is(err, rpc.ErrClosed) ||
		closeCode(large) != rpc.CloseTooBig {
		t.Errorf("a login of 1 MiB: %v", err)
	}

	agent := dial(t, m, nil, secure(bearer("web-1")))
	if got := refused(t, agent, wire.MasterHello.Name, hello("web-2")); got.Code != wire.CodeForbidden {
		t.Errorf("an agent said hello for another host: %v", got)
	}
	release := wire.ReleaseParams{Host: "web-1", Inspector: "disk"}
	for _, caller := range []*rpc.Peer{nobody, agent} { // a viewer by now, and an agent
		if got := refused(t, caller, wire.InspectorsRelease.Name, release); got.Code != wire.CodeForbidden {
			t.Errorf("somebody who is no operator released an inspector: %v", got)
		}
	}
	if got := refused(t, agent, wire.HostsList.Name, nil); got.Code != wire.CodeForbidden {
		t.Errorf("an agent listed hosts: %v", got)
	}
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
}

// Beyond loopback a master speaks TLS alone, whatever is configured, and nobody is
// anybody without a credential: the master's own user is known over loopback, and
// there only under a name of loopback, which a page of somebody else cannot have.
func TestBeyondLoopbackNothingIsOpen(t *testing.T) {
	cert, _ := selfSigned(t)
	for name, cfg := range map[string]config.Master{
		"nothing": {}, "TLS only": {TLS: cert}, "tokens only": {Tokens: []config.Token{token("o", "operator", "")}},
	} {
		for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
			cfg.Listen, cfg.Data = listen, t.TempDir()
			m := start(t, cfg)
			if !strings.HasPrefix(m.URL(), "https://") {
				t.Errorf("%s on %s: it is at %s", name, listen, m.URL())
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			ask := func(url, host string) int {
				r, err := http.NewRequestWithContext(patience.Context(t), http.MethodGet, url+loadQuery, nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Host = host
				answer, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				return answer.StatusCode
			}
			want := http.StatusOK // the kernel knows us
			if len(cfg.Tokens) > 0 {
				want = http.StatusUnauthorized
			}
			if status := ask(m.URL(), ""); status != want {
				t.Errorf("%s on %s: its own user gets %d, want %d", name, listen, status, want)
			}
			if status := ask(m.URL(), "vedette.example"); status != http.StatusUnauthorized {
				t.Errorf("%s on %s: under another name somebody gets %d", name, listen, status)
			}
			if status := ask(strings.Replace(m.URL(), "https", "http", 1), ""); status != http.StatusBadRequest {
				t.Errorf("%s on %s: without TLS somebody gets %d", name, listen, status)
			}
			client.CloseIdleConnections()
		}
	}
}

func TestPortTaken(t *testing.T) {
	first := start(t, config.Master{})
	m, err := New(config.Master{Listen: first.Addr().String()},
		Deps{Log: slog.New(slog.DiscardHandler), Web: http.NotFoundHandler(), ClientScript: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
}

func TestStatic(t *testing.T) {
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(folder, "index.html"), "page")
	write(filepath.Join(folder, "sub", "a.js"), "script")
	write(outside, "secret")
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	m := start(t, config.Master{Static: map[string]string{"/master/app": folder}})
	for path, want := range map[string]string{
		"/master/app/":          "200 page",
		"/master/app":           "200 page", // by a redirect
		"/master/app/sub/a.js":  "200 script",
		"/master/app/sub/":      "404",
		"/master/app/none":      "404",
		"/master/app/link":      "500", // leads out of the folder
		"/master/app/../../etc": "200 app",
		"/api/client":           "200 client",
		"/":                     "200 app",
		"/hosts/web-1":          "200 app",
	} {
		response, err := http.Get(m.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		got := response.Status[:3] + " " + string(body)
		if got != want && !(len(want) == 3 && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("%s shows a file outside the folder", path)
		}
	}
	http.DefaultClient.CloseIdleConnections()

	for prefix, want := range map[string]string{"/": "not be one of the master's own", "app": "must start with /", "/rpc": "own", "/x": "no such file"} {
		_, err := New(config.Master{Static: map[string]string{prefix: filepath.Join(folder, "nowhere")}},
			Deps{Web: http.NotFoundHandler(), ClientScript: http.NotFoundHandler()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("static %q: %v, want %q", prefix, err, want)
		}
	}
}

func TestForeignHostHeaderIsRefused(t *testing.T) {
	m := start(t, config.Master{})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL(), nil)
	request.Host = "evil.example"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if response.StatusCode != http.StatusForbidden || !bytes.Contains(body, []byte("evil.example")) {
		t.Errorf("got %s %s", response.Status, body)
	}
	if _, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: http.Header{"Origin": {"http://evil.example"}}}); err == nil {
		t.Error("a page of another origin opened a WebSocket")
	}
}

// selfSigned writes a certificate for 127.0.0.1 and returns a pool that trusts it.
func selfSigned(t *testing.T) (config.TLS, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := config.TLS{Cert: filepath.Join(t.TempDir(), "cert.pem"), Key: filepath.Join(t.TempDir(), "key.pem")}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	if err := errors.Join(os.WriteFile(files.Cert, certPEM, 0o600), os.WriteFile(files.Key, keyPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return files, pool
}
