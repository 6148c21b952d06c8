package route

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/state"
)

// sink is who is told: a webhook, an ntfy server and a mail server on loopback.
type sink struct {
	http *httptest.Server
	mail string // its address

	mu       sync.Mutex
	messages []string // guarded by mu: "way: text"
	largest  int      // guarded by mu: bytes of a message
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.mail = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailbox{sink: s}, nil }))
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return s
}

func (s *sink) take(way, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, way+": "+text)
	s.largest = max(s.largest, len(text))
}

// ServeHTTP takes webhooks, and messages of ntfy at the root.
func (s *sink) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	way := strings.Trim(r.URL.Path, "/")
	if way == "" {
		way = "ntfy"
	}
	s.take(way, string(body))
}

// with returns the messages of a way that have a text.
func (s *sink) with(way, text string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if strings.HasPrefix(m, way+": ") && strings.Contains(m, text) {
			found = append(found, m)
		}
	}
	return found
}

// mailbox is one connection of the mail server.
type mailbox struct {
	*sink
	to string
}

func (m *mailbox) Reset()                                    { m.to = "" }
func (m *mailbox) Logout() error                             { return nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error      { return nil }
func (m *mailbox) Rcpt(to string, _ *smtp.RcptOptions) error { m.to += to; return nil }
func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	m.take("mail", m.to+" "+string(text))
	return err
}

// world is a Router over a state.
type world struct {
	*testing.T
	*Router
	state state.Store

	mu     sync.Mutex
	failed []string // guarded by mu: who could not be told
}

// fast has a configuration wait for as short as it may.
func fast(c *Config) *Config {
	short := model.Duration(50 * time.Millisecond)
	c.alertmanager.Route.GroupWait, c.alertmanager.Route.GroupInterval = &short, &short
	return c
}

func newWorld(t *testing.T, c *Config) *world {
	t.Helper()
	w := &world{T: t, state: state.NewMemory()}
	w.open(c)
	return w
}

func (w *world) open(c *Config) {
	w.Helper()
	var err error
	w.Router, err = New(Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Link: func() string { return "http://master/alerts" },
		Telling: func(Telling) {}, Told: func(t Telling) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if t.Err != nil {
				w.failed = append(w.failed, t.Receiver)
			}
		},
	}, fast(c))
	if err != nil {
		w.Fatal(err)
	}
	if err := w.Open(w.Context(), w.state); err != nil {
		w.Fatal(err)
	}
	if err := w.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(w.Stop)
}

// put has an alert of a host fire, or end.
func (w *world) put(name, host, severity string, fires bool) {
	w.Helper()
	now := time.Now()
	end := now.Add(time.Hour)
	if !fires {
		end = now
	}
	one := &alert.Alert{UpdatedAt: now, Timeout: fires, Alert: model.Alert{
		Labels:      model.LabelSet{"alertname": model.LabelValue(name), "host": model.LabelValue(host), "severity": model.LabelValue(severity)},
		Annotations: model.LabelSet{"summary": model.LabelValue(host + ": " + name + " is bad")},
		StartsAt:    now.Add(-time.Minute), EndsAt: end,
	}}
	if err := w.Put(w.Context(), one); err != nil {
		w.Fatal(err)
	}
}

func read(t *testing.T, c config.Alerts) *Config {
	t.Helper()
	read, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func (s *sink) await(t *testing.T, way, text string) string {
	t.Helper()
	patience.Until(t, fmt.Sprintf("a message by %s with %q", way, text), func() bool { return len(s.with(way, text)) > 0 })
	return s.with(way, text)[0]
}

// The simple form tells by mail, ntfy and webhook what it says, and nothing else of a
// host that is gone.
func TestSimpleForm(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	w := newWorld(t, read(t, config.Alerts{
		Notify: map[string]config.Notify{
			"ops": {Email: "ops@example.org"}, "phone": {Ntfy: s.http.URL + "/topic", Only: "critical"}, "hook": {Webhook: s.http.URL + "/hook"},
		},
		SMTP: config.SMTP{Server: s.mail, From: "vedette@example.org"},
	}))
	w.put("disk/filling", "web-1", "warning", true)
	mail := s.await(t, "mail", "web-1: disk/filling is bad")
	for _, want := range []string{"ops@example.org", "From: vedette@example.org", "[1 firing]", "http://master/alerts"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the mail lacks %q: %s", want, mail)
		}
	}
	s.await(t, "hook", "disk/filling")

	w.put("host/gone", "web-2", "critical", true)
	phone := s.await(t, "ntfy", "web-2: host/gone is bad")
	var m ntfyMessage
	if err := json.Unmarshal([]byte(strings.TrimPrefix(phone, "ntfy: ")), &m); err != nil || m.Topic != "topic" || m.Priority != ntfyUrgent {
		t.Errorf("ntfy was told %s, %v", phone, err)
	}
	w.put("disk/filling", "web-2", "warning", true)
	w.put("disk/filling", "web-3", "warning", true)
	s.await(t, "hook", "web-3")
	s.await(t, "mail", "web-3")
	if told := append(s.with("hook", `disk/filling","host":"web-2"`), s.with("ntfy", "disk/filling")...); len(told) > 0 {
		t.Errorf("told although the host is gone, or not critical: %v", told)
	}
	w.put("disk/filling", "web-1", "warning", false)
	s.await(t, "hook", `"status":"resolved"`)
	s.await(t, "mail", "Ended:")
}

// A receiver that hangs, and one that is not there, delay no other.
func TestHungReceiverDelaysNoOther(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hung := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}))
	defer stuck.Close()
	defer close(hung)
	w := newWorld(t, read(t, config.Alerts{Notify: map[string]config.Notify{
		"a-hung": {Webhook: stuck.URL}, "b-away": {Webhook: "http://127.0.0.1:1/"}, "c-good": {Webhook: s.http.URL + "/hook"},
	}, SMTP: config.SMTP{Server: s.mail}}))
	for i := range 20 {
		name := fmt.Sprint("alert-", i)
		w.put(name, "web-1", "warning", true)
		s.await(t, "hook", name)
	}
	patience.Until(t, "note of who could not be told", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.failed) > 0 && w.failed[0] == "b-away/webhook[0]"
	})
}

// Ten thousand alerts at once are a few messages of bounded size.
func TestManyAlertsAreFewMessages(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	c := read(t, config.Alerts{Notify: map[string]config.Notify{
		"ops": {Email: "ops@example.org"}, "phone": {Ntfy: s.http.URL + "/topic"}, "hook": {Webhook: s.http.URL + "/hook"},
	}, SMTP: config.SMTP{Server: s.mail}})
	w := newWorld(t, c)
	second := model.Duration(time.Second)
	c.alertmanager.Route.GroupWait, c.alertmanager.Route.GroupInterval = &second, &second
	if err := w.Reload(c); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var list []*alert.Alert
	for i := range 10_000 {
		list = append(list, &alert.Alert{UpdatedAt: now, Alert: model.Alert{
			Labels:      model.LabelSet{"alertname": model.LabelValue(fmt.Sprint("alert-", i%7)), "host": model.LabelValue(fmt.Sprint("host-", i))},
			Annotations: model.LabelSet{"summary": model.LabelValue(strings.Repeat("very bad ", 10))}, StartsAt: now, EndsAt: now.Add(time.Hour),
		}})
	}
	begun := time.Now()
	if err := w.Put(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"hook", "mail", "ntfy"} {
		for i := range 7 {
			s.await(t, way, fmt.Sprint("alert-", i))
		}
		// A group that filled up while it was told is told again, once an interval.
		n, intervals := len(s.with(way, "")), int(time.Since(begun)/time.Second)+2
		if n > 7*intervals || n > 2000 {
			t.Errorf("%s: %d messages in %d intervals", way, n, intervals)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.largest > 200<<10 {
		t.Errorf("a message has %d bytes", s.largest)
	}
}

// A configuration with a fault leaves the old one in place; another one is taken,
// and what was told is not told again.
func TestReload(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const routes = `
route: { receiver: hook, group_by: [alertname], repeat_interval: 12h, routes: [{ matchers: ['severity="%s"'], receiver: other }] }
receivers: [{ name: hook, webhook_configs: [{ url: "%s/hook" }] }, { name: other, webhook_configs: [{ url: "%s/other" }] }]
`
	write(fmt.Sprintf(routes, "critical", s.http.URL, s.http.URL))
	w := newWorld(t, read(t, config.Alerts{AlertmanagerConfig: file}))
	w.put("first", "web-1", "warning", true)
	s.await(t, "hook", "first")

	const sns = `
route: { receiver: a }
receivers: [{ name: a, sns_configs: [{ topic_arn: 'arn:aws:sns:us-east-2:123456789012:My-Topic', sigv4: { region: us-east-2 } }] }]
`
	for text, want := range map[string]string{
		"route: { receiver: nobody-else }": `undefined receiver "nobody-else"`,
		"route: [":                         "yaml",
		sns:                                "Amazon SNS is not built in",
		"route: { receiver: a }\nreceivers: [{ name: a }]\ntemplates: ['" + file + "x']": "",
	} {
		write(text)
		if strings.HasPrefix(want, "Amazon") || want == "" {
			if want == "" {
				if err := os.WriteFile(file+"x", []byte("{{ define"), 0o600); err != nil {
					t.Fatal(err)
				}
				want = "templates"
			}
			if err := w.Reload(read(t, config.Alerts{AlertmanagerConfig: file})); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", text, err, want)
			}
			continue
		}
		if _, err := Read(config.Alerts{AlertmanagerConfig: file}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v; want %q and the file", text, err, want)
		}
	}
	w.put("second", "web-1", "warning", true)
	s.await(t, "hook", "second")

	write(fmt.Sprintf(routes, "warning", s.http.URL, s.http.URL))
	if err := w.Reload(fast(read(t, config.Alerts{AlertmanagerConfig: file}))); err != nil {
		t.Fatal(err)
	}
	w.put("third", "web-1", "warning", true)
	s.await(t, "other", "third")
	write(fmt.Sprintf(routes, "critical", s.http.URL, s.http.URL))
	if err := w.Reload(fast(read(t, config.Alerts{AlertmanagerConfig: file}))); err != nil {
		t.Fatal(err)
	}
	w.put("fourth", "web-1", "warning", true)
	s.await(t, "hook", "fourth")
	if n := len(s.with("hook", `"alertname":"first"`)); n != 1 {
		t.Errorf("what was told before was told %d times", n)
	}
}

// A test message reaches who is named, and says who could not be told.
func TestTestMessage(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	w := newWorld(t, read(t, config.Alerts{Notify: map[string]config.Notify{
		"ops": {Email: "ops@example.org", Webhook: "http://127.0.0.1:1/"},
	}, SMTP: config.SMTP{Server: s.mail}}))
	results, err := w.Test(t.Context(), "ops")
	if err != nil || results["email[0]"] != nil || results["webhook[0]"] == nil {
		t.Errorf("the test gave %v, %v", results, err)
	}
	s.await(t, "mail", "This is a test")
	if _, err := w.Test(context.Background(), "nobody-else"); err == nil || !strings.Contains(err.Error(), "there are ops") {
		t.Errorf("a test for somebody who is not there: %v", err)
	}
}

// bodyOf is a silence as the HTTP API takes it.
func bodyOf(host string, until time.Time) io.Reader {
	text, err := json.Marshal(map[string]any{
		"matchers": []any{map[string]any{"name": "host", "value": host, "isRegex": false, "isEqual": true}}, "startsAt": time.Now(), "endsAt": until,
		"createdBy": "me", "comment": "for a while",
	})
	if err != nil {
		panic(err)
	}
	return bytes.NewReader(text)
}

// What pages of other origins could do with Alertmanager's API, they cannot here.
func TestNoLeaveForOtherOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, read(t, config.Alerts{}))
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodPut} {
		r := httptest.NewRequest(method, Prefix+"/api/v2/silences", bodyOf("web-1", time.Now().Add(time.Hour)))
		r.Header.Set("Origin", "http://evil.example.org")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Access-Control-Request-Method", "POST")
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		for name := range answer.Header() {
			if strings.HasPrefix(name, "Access-Control-Allow") {
				t.Errorf("%s gives leave: %s", method, name)
			}
		}
		if method == http.MethodOptions && answer.Code != http.StatusMethodNotAllowed {
			t.Errorf("OPTIONS is answered with %d", answer.Code)
		}
	}
}

// A receiver that takes no more for now is told soon after, not when the group is due again.
func TestTooManyRequestsAreRetried(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	var mu sync.Mutex
	asked := make(map[string]int)
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		n := asked[r.URL.Path]
		mu.Unlock()
		if n < 3 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		s.ServeHTTP(w, r)
	}))
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "am.yml")
	text := fmt.Sprintf(`
route: { receiver: all, group_wait: 10ms, group_interval: 24h }
receivers:
  - name: all
    webhook_configs: [{ url: %[1]s/hook }]
    slack_configs: [{ api_url: %[1]s/slack, channel: x }]
    discord_configs: [{ webhook_url: %[1]s/discord }]
    rocketchat_configs: [{ token: a, token_id: b, api_url: %[1]s/rocket, channel: x }]
    victorops_configs: [{ api_key: a, routing_key: b, api_url: %[1]s/victor }]
`, busy.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := read(t, config.Alerts{AlertmanagerConfig: file})
	w := newWorld(t, c)
	day := model.Duration(24 * time.Hour)
	c.alertmanager.Route.GroupInterval = &day
	if err := w.Reload(c); err != nil {
		t.Fatal(err)
	}
	w.put("disk/filling", "web-1", "warning", true)
	patience.Until(t, "third attempt of each way", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range asked {
			if n < 3 {
				return false
			}
		}
		return len(asked) == 5
	})
}

// When a way is told next takes its time intervals into account.
func TestHours(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "am.yml")
	if err := os.WriteFile(file, []byte(`
time_intervals:
  - name: nights
    time_intervals: [{ times: [{ start_time: "22:00", end_time: "24:00" }, { start_time: "00:00", end_time: "06:30" }], location: Europe/Berlin }]
  - name: weekends
    time_intervals: [{ weekdays: [saturday, sunday] }]
  - name: ever
    time_intervals: [{}]
  - name: office
    time_intervals: [{ weekdays: ["monday:friday"], times: [{ start_time: "09:00", end_time: "17:00" }], location: America/New_York }]
route:
  receiver: x
  routes:
    - { matchers: ['a="free"'] }
    - { matchers: ['a="nights"'], mute_time_intervals: [nights] }
    - { matchers: ['a="both"'], mute_time_intervals: [nights, weekends] }
    - { matchers: ['a="office"'], active_time_intervals: [office] }
    - { matchers: ['a="mixed"'], active_time_intervals: [office], mute_time_intervals: [nights] }
    - { matchers: ['a="never"'], mute_time_intervals: [ever] }
receivers: [{ name: x, webhook_configs: [{ url: http://127.0.0.1:1/ }] }]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, read(t, config.Alerts{AlertmanagerConfig: file}))
	hours := w.Hours()
	for _, c := range []struct{ a, from, want, shut string }{
		{"free", "2026-11-30T21:00:30Z", "2026-11-30T21:00:30Z", ""},
		{"nights", "2026-11-30T12:00:30Z", "2026-11-30T12:00:30Z", ""},
		{"nights", "2026-11-30T21:00:30Z", "2026-12-01T05:30:00Z", "in [nights]"},
		{"nights", "2026-03-28T23:10:00Z", "2026-03-29T04:30:00Z", "in [nights]"}, // summer time begins
		{"nights", "2026-10-24T23:10:00Z", "2026-10-25T05:30:00Z", "in [nights]"}, // and ends
		{"both", "2026-12-04T23:59:59Z", "2026-12-07T05:30:00Z", "in [nights]"},
		{"office", "2026-12-04T22:00:00Z", "2026-12-07T14:00:00Z", "outside [office]"},
		{"office", "2026-12-07T14:00:00Z", "2026-12-07T14:00:00Z", ""},
		{"mixed", "2026-12-08T05:00:00Z", "2026-12-08T14:00:00Z", "in [nights] outside [office]"},
		{"mixed", "2026-12-07T21:00:00Z", "2026-12-08T14:00:00Z", "in [nights]"},
		{"never", "2026-12-07T21:00:00Z", "0001-01-01T00:00:00Z", "in [ever]"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		ways := w.Ways(model.LabelSet{"alertname": "x", "a": model.LabelValue(c.a)})
		if len(ways) != 1 {
			t.Fatalf("%s goes %d ways", c.a, len(ways))
		}
		for range 2 { // the second answer is one that it remembers
			if got := hours.OpenFrom(ways[0], from).UTC().Format(time.RFC3339); got != c.want {
				t.Errorf("%s from %s is told at %s, want %s", c.a, c.from, got, c.want)
			}
		}
		var shut []string
		muting, outside := hours.Shut(ways[0], from)
		if len(muting) > 0 {
			shut = append(shut, fmt.Sprintf("in %v", muting))
		}
		if len(outside) > 0 {
			shut = append(shut, fmt.Sprintf("outside %v", outside))
		}
		if got := strings.Join(shut, " "); got != c.shut {
			t.Errorf("%s at %s is shut %q, want %q", c.a, c.from, got, c.shut)
		}
	}
}
