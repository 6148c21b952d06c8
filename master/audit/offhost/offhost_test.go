package offhost

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// settleOfTests is short: the servers of the tests do what they have read at once.
const settleOfTests = 100 * time.Millisecond

// randomEntry is one that nobody chose.
func randomEntry(longest int) wire.AuditEntry {
	letters := []rune("abcz09 .-_:/\\\"]['<>&=\x00\x1b\n\tüß日𝄞\u2028")
	text := func(most int) string {
		runes := make([]rune, rand.IntN(most+1))
		for i := range runes {
			runes[i] = letters[rand.IntN(len(letters))]
		}
		return string(runes)
	}
	entry := wire.AuditEntry{
		AtMS: 1767225600000 + rand.Int64N(1e12), Who: text(80), Role: text(10), From: text(40), Action: text(40),
		Subject: text(longest), Detail: text(longest), Outcome: audit.OK,
	}
	if rand.IntN(2) == 0 {
		entry.Outcome = text(longest)
	}
	return entry
}

// fill appends n entries to the log of a state. Each is a change, so none is merged.
func fill(t *testing.T, store state.Store, n int) {
	t.Helper()
	l := audit.New(store, audit.DefaultRetention())
	for range n {
		entry := randomEntry(200)
		entry.Outcome = audit.OK
		if err := l.Append(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
}

// sink collects what receivers have taken, by number. It is safe for concurrent use.
type sink struct {
	patience.Watched
	taken map[uint64]wire.AuditEntry
}

func newSink() *sink { return &sink{taken: make(map[uint64]wire.AuditEntry)} }

func (s *sink) take(entries ...wire.AuditEntry) {
	s.Change(func() {
		for _, entry := range entries {
			s.taken[entry.Seq] = entry
		}
	})
}

// awaitAll waits until each entry of the log was taken, as it is there.
func (s *sink) awaitAll(t *testing.T, store state.Store) {
	t.Helper()
	want, err := audit.After(t.Context(), store, 0, 1<<20)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d entries, %v", len(want), err)
	}
	s.Await(t, fmt.Sprintf("the receiver to have all %d entries", len(want)), func() bool { return len(s.taken) >= len(want) })
	s.Lock() // some may come a second time still
	defer s.Unlock()
	for _, entry := range want {
		if got := s.taken[entry.Seq]; got != entry {
			t.Errorf("entry %d has arrived as\n%+v, not\n%+v", entry.Seq, got, entry)
		}
	}
}

// running runs senders until stop is called.
func running(t *testing.T, store state.Store, senders ...*Sender) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() { s.Run(ctx, store) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		patience.Return(t, "the senders to stop", all.Wait)
	})
	t.Cleanup(stop)
	return stop
}

func senderOf(t *testing.T, cfg config.Audit) *Sender {
	t.Helper()
	senders, err := New(cfg, slog.New(slog.DiscardHandler), "v1")
	if err != nil || len(senders) != 1 {
		t.Fatalf("%d senders, %v", len(senders), err)
	}
	senders[0].retry = settleOfTests / 10
	if s, ok := senders[0].to.(*syslog); ok {
		s.settle = settleOfTests
	}
	return senders[0]
}

// certificate returns one for 127.0.0.1, and the file of its authority.
func certificate(t *testing.T) (pair tls.Certificate, file string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0], file
}

// form is RFC 5424's, of what the product sends.
var form = regexp.MustCompile(`(?s)^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) vedette \d+ ([!-~]{1,32}) ` +
	`\[vedette@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\]\[origin software="vedette" swVersion="v1"\] (\{.*\})$`)

var parameterForm = regexp.MustCompile(`([a-z]+)="((?:[^"\\\]]|\\["\\\]])*)"`)

// read is the entry of a message. Texts of a long one may be cut.
func read(t testing.TB, message []byte) wire.AuditEntry {
	t.Helper()
	parts := form.FindSubmatch(message)
	if parts == nil {
		t.Errorf("this is not RFC 5424: %q", message)
		return wire.AuditEntry{}
	}
	var entry wire.AuditEntry
	if err := json.Unmarshal(parts[6], &entry); err != nil {
		t.Errorf("the text of %q is no entry: %v", message, err)
	}
	severity := map[bool]string{true: "109", false: "108"}[entry.Outcome == audit.OK]
	at := time.UnixMilli(entry.AtMS).UTC().Format("2006-01-02T15:04:05.000Z")
	if string(parts[1]) != severity || string(parts[2]) != at {
		t.Errorf("priority %s and time %s of %+v", parts[1], parts[2], entry)
	}
	for _, p := range parameterForm.FindAllSubmatch(parts[5], -1) {
		if string(p[1]) == "seq" && string(p[2]) != strconv.FormatUint(entry.Seq, 10) || string(p[1]) == "sum" && string(p[2]) != entry.Sum {
			t.Errorf("%s is %q of entry %d with the sum %q", p[1], p[2], entry.Seq, entry.Sum)
		}
	}
	return entry
}

// Whatever is in an entry, its message is RFC 5424 of a length that servers take, with
// the number and the checksum whole.
func TestMessageOfAnyEntry(t *testing.T) {
	s := &syslog{host: "röst host", version: "v1"}
	for range 100 {
		entry := randomEntry(10 + rand.IntN(3000))
		entry.Seq, entry.Sum = rand.Uint64(), strings.Repeat("ab", 32)
		message := s.message(entry)
		if len(message) > messageMost {
			t.Fatalf("%d bytes", len(message))
		}
		got := read(t, message)
		if got.Seq != entry.Seq || got.Sum != entry.Sum || got.AtMS != entry.AtMS {
			t.Fatalf("%+v is read as %+v", entry, got)
		}
		if len(entry.Subject)+len(entry.Detail)+len(entry.Outcome) < 1000 && got != entry {
			t.Fatalf("%+v is read as %+v", entry, got)
		}
		if t.Failed() {
			return
		}
	}
}

// cutter is a server of syslog that breaks connections whenever it likes. What it has
// taken is what it has read.
type cutter struct {
	*sink
	t        *testing.T
	listener net.Listener
	cutting  bool // it breaks three of four connections
	handled  sync.WaitGroup
}

func (c *cutter) serve() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.handled.Go(func() { c.handle(conn) })
	}
}

func (c *cutter) handle(conn net.Conn) {
	defer conn.Close()
	left := 1 << 30
	if c.cutting && rand.IntN(4) > 0 {
		left = rand.IntN(20_000)
	}
	r := bufio.NewReaderSize(io.LimitReader(conn, int64(left)), 16)
	for {
		number, err := r.ReadString(' ')
		if err != nil {
			break
		}
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if err != nil {
			c.t.Errorf("this is no length: %q", number)
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(r, message); err != nil {
			break
		}
		c.take(read(c.t, message))
	}
	if over, ok := conn.(*tls.Conn); ok && rand.IntN(2) == 0 {
		conn = over.NetConn() // killed: without a word
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

// However often connections break, on either side, every entry arrives.
func TestSyslogLosesNothing(t *testing.T) {
	for _, network := range []string{"tls", "tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			pair, ca := certificate(t)
			cfg := config.Audit{}
			var listener net.Listener
			var err error
			switch network {
			case "tls":
				listener, err = tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
				cfg.CA = ca
			case "tcp":
				listener, err = net.Listen("tcp", "127.0.0.1:0")
			default:
				listener, err = net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			}
			if err != nil {
				t.Fatal(err)
			}
			cfg.Syslog = network + "://" + listener.Addr().String()
			c := &cutter{sink: newSink(), t: t, listener: listener, cutting: true}
			c.handled.Go(c.serve)
			defer c.handled.Wait()
			defer listener.Close()
			store := state.NewMemory()
			for range 3 {
				fill(t, store, 1+rand.IntN(20))
				stop := running(t, store, senderOf(t, cfg))
				fill(t, store, 1+rand.IntN(20))
				if rand.IntN(2) == 0 {
					newest, err := audit.Newest(t.Context(), store)
					if err != nil {
						t.Fatal(err)
					}
					before := rand.IntN(int(newest))
					c.Await(t, "a few entries", func() bool { return len(c.taken) >= before })
				}
				stop()
			}
			s := senderOf(t, cfg)
			running(t, store, s)
			c.awaitAll(t, store)
			patience.Until(t, "the sender to know it", func() bool { got := s.Status(); return got.Waiting == 0 && got.Error == "" && got.Taken > 0 })
		})
	}
}

// rsyslog is Debian's, over TLS. It does with a message what it has to before it reads
// the next.
type rsyslog struct {
	program, config, out string
	cmd                  *exec.Cmd
}

func newRsyslog(t *testing.T, address string, pair tls.Certificate) *rsyslog {
	t.Helper()
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		program = "/usr/sbin/rsyslogd"
	}
	if modules, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so"); !isFile(program) || len(modules) == 0 {
		t.Skip("SKIPPED: there is no rsyslog with TLS here; on Debian: apt-get install rsyslog rsyslog-gnutls")
	}
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	r := &rsyslog{program: program, config: filepath.Join(dir, "conf"), out: filepath.Join(dir, "out")}
	text := fmt.Sprintf(`global(workDirectory="%[1]s" defaultNetstreamDriver="gtls" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="%[1]s/cert" defaultNetstreamDriverCertFile="%[1]s/cert" defaultNetstreamDriverKeyFile="%[1]s/key"
  parser.escapeControlCharactersOnReceive="off")
main_queue(queue.type="Direct")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="%[2]s")
template(name="raw" type="string" string="%%rawmsg%%\n")
action(type="omfile" file="%[1]s/out" template="raw")
`, dir, port)
	if err := errors.Join(
		os.WriteFile(r.config, []byte(text), 0o600),
		os.WriteFile(filepath.Join(dir, "cert"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600),
		os.WriteFile(filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
		os.WriteFile(r.out, nil, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	return r
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (r *rsyslog) start(t *testing.T) {
	t.Helper()
	r.cmd = exec.Command(r.program, "-n", "-f", r.config, "-i", "NONE")
	r.cmd.Stdout, r.cmd.Stderr = os.Stderr, os.Stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (r *rsyslog) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// entries are those that are in its file. The last line may be half.
func (r *rsyslog) entries(t *testing.T) map[uint64]wire.AuditEntry {
	t.Helper()
	text, err := os.ReadFile(r.out)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[uint64]wire.AuditEntry)
	for line := range bytes.Lines(text) {
		if form.Match(bytes.TrimSuffix(line, []byte("\n"))) {
			entry := read(t, bytes.TrimSuffix(line, []byte("\n")))
			found[entry.Seq] = entry
		}
	}
	return found
}

// A real server that is killed again and again has every entry in the end.
func TestRsyslogKilledAtRandom(t *testing.T) {
	t.Parallel()
	pair, ca := certificate(t)
	address := freeport.Address(t)
	r := newRsyslog(t, address, pair)
	store := state.NewMemory()
	s := senderOf(t, config.Audit{Syslog: "tls://" + address, CA: ca})
	running(t, store, s)
	kills := 3
	for round := range kills {
		r.start(t)
		fill(t, store, 1+rand.IntN(40))
		want := len(r.entries(t)) + rand.IntN(10)
		patience.Until(t, "some entries in the file", func() bool { return len(r.entries(t)) >= want || s.Status().Waiting == 0 })
		if round == kills-1 {
			break
		}
		r.kill()
		fill(t, store, rand.IntN(10))
	}
	all, err := audit.After(t.Context(), store, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "every entry in the file", func() bool { return len(r.entries(t)) == len(all) })
	patience.Until(t, "the sender to know it", func() bool { got := s.Status(); return got.Waiting == 0 && got.Error == "" })
	for seq, got := range r.entries(t) {
		if want := all[seq-1]; got.Sum != want.Sum || got.AtMS != want.AtMS || got.Who != want.Who {
			t.Errorf("entry %d is %+v, not %+v", seq, got, want)
		}
	}
}

// The socket of a server on this machine may be one of datagrams.
func TestSyslogDatagrams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	got := newSink()
	var reading sync.WaitGroup
	reading.Go(func() {
		for message := make([]byte, 1<<16); ; {
			n, err := socket.Read(message)
			if err != nil {
				return
			}
			got.take(read(t, message[:n]))
		}
	})
	defer reading.Wait()
	defer socket.Close()
	store := state.NewMemory()
	l := audit.New(store, audit.DefaultRetention())
	for i := range 50 {
		if err := l.Append(t.Context(), wire.AuditEntry{Who: fmt.Sprint("ü", i), Action: "hosts.revoke", Outcome: audit.OK}); err != nil {
			t.Fatal(err)
		}
	}
	running(t, store, senderOf(t, config.Audit{Syslog: "unix://" + path}))
	got.awaitAll(t, store)
}

// A webhook that fails in any way gets every entry, with the token, and over restarts.
func TestWebhookLosesNothing(t *testing.T) {
	got := newSink()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Method != http.MethodPost || r.URL.Path != "/in" {
			t.Errorf("%s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		switch rand.IntN(6) {
		case 0:
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		for decoder := json.NewDecoder(r.Body); ; {
			var entry wire.AuditEntry
			if err := decoder.Decode(&entry); err != nil {
				break
			}
			got.take(entry)
		}
		if rand.IntN(4) == 0 {
			panic(http.ErrAbortHandler) // taken, and nobody is told
		}
	}))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	store := state.NewMemory()
	for range 3 {
		fill(t, store, 50+rand.IntN(250))
		s := senderOf(t, config.Audit{Webhook: server.URL + "/in", CA: ca, Token: "secret"})
		stop := running(t, store, s)
		got.awaitAll(t, store)
		stop()
		s.to.(*webhook).client.CloseIdleConnections()
	}
}

// Faults are reported without the address of a webhook, which may be a secret; entries that
// retention has removed meanwhile are counted.
func TestWhatIsMissedIsCounted(t *testing.T) {
	got := newSink()
	var mu sync.Mutex
	away := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if away {
			http.Error(w, "gone\x1b[2J", http.StatusBadGateway)
			return
		}
		for decoder := json.NewDecoder(r.Body); ; {
			var entry wire.AuditEntry
			if err := decoder.Decode(&entry); err != nil {
				return
			}
			got.take(entry)
		}
	}))
	defer server.Close()
	store := state.NewMemory()
	fill(t, store, 5)
	s := senderOf(t, config.Audit{Webhook: server.URL + "/in?key=secret"})
	running(t, store, s)
	got.awaitAll(t, store)
	patience.Until(t, "the sender to know it", func() bool { return s.Status().Taken == 5 })
	mu.Lock()
	away = true
	mu.Unlock()
	fill(t, store, 10)
	patience.Until(t, "a failure", func() bool { return s.Status().Error != "" })
	if status := s.Status(); !strings.Contains(status.Error, "the webhook answers 502 Bad Gateway: gone") || strings.Contains(status.Error, "secret") ||
		status.SinceMS == 0 || status.Failures == 0 {
		t.Errorf("%+v", status)
	}
	if err := store.Apply(t.Context(), state.Trim(audit.LogName, 10)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	away = false
	mu.Unlock()
	patience.Until(t, "the rest", func() bool { status := s.Status(); return status.Taken == 15 && status.Error == "" })
	if status := s.Status(); status.Missed != 4 || status.Waiting != 0 {
		t.Errorf("%+v, and 6 to 9 were removed", status)
	}
	s.to.(*webhook).client.CloseIdleConnections()
}

// An address where nobody is gives an error that names it, unless it may be a secret.
func TestNobodyThere(t *testing.T) {
	address := freeport.Address(t)
	for _, c := range []struct {
		cfg  config.Audit
		want []string
	}{
		{config.Audit{Syslog: "tcp://" + address}, []string{"cannot connect to the syslog server", address}},
		{config.Audit{Syslog: "unix:///nowhere/log"}, []string{"cannot connect to the syslog server", "/nowhere/log"}},
		{config.Audit{Webhook: "http://" + address + "/secret"}, []string{"cannot reach the webhook", "refused"}},
	} {
		store := state.NewMemory()
		fill(t, store, 1)
		s := senderOf(t, c.cfg)
		err := s.round(t.Context(), store)
		if err == nil {
			t.Fatalf("%+v: no error", c.cfg)
		}
		lacks := func(want string) bool { return !strings.Contains(err.Error(), want) }
		if slices.ContainsFunc(c.want, lacks) || strings.Contains(err.Error(), "/secret") {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}
