package alert

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

// hook is a webhook that remembers what it was told, without and with the name of the
// alert: "firing busy", "firing busy level/high" and so on.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	told []string // guarded by mu
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, a := range body.Alerts {
			one := a.Status + " " + a.Labels["host"]
			h.told = append(h.told, one, one+" "+a.Labels["alertname"])
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// count returns how often something was told.
func (h *hook) count(text string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.told {
		if one == text {
			n++
		}
	}
	return n
}

func (h *hook) await(t *testing.T, text string, times int) {
	t.Helper()
	patience.Until(t, "the message "+text, func() bool { return h.count(text) >= times })
	if n := h.count(text); n != times {
		t.Errorf("%q was told %d times, want %d", text, n, times)
	}
}

// peopleWorld is a world whose alerts are told to a webhook soon.
func peopleWorld(t *testing.T) (*world, *hook) {
	t.Helper()
	h := newHook(t)
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	text := "route: { receiver: hook, group_by: [host], group_wait: 100ms, group_interval: 1s, repeat_interval: 12h }\n" +
		"receivers: [{ name: hook, webhook_configs: [{ url: '" + h.URL + "' }] }]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, `groups:
  - name: levels
    interval: 1s
    rules: [{ alert: level/high, expr: "test_level > 90", labels: { severity: warning }, annotations: { summary: "{{ $labels.host }} is high" } }]
`, config.Alerts{AlertmanagerConfig: file})
	return w, h
}

// list returns the alerts of a host.
func (w *world) list(host string) []wire.Alert {
	w.Helper()
	result, err := w.alerts.List(w.Context(), wire.AlertsParams{Host: host, Ended: true})
	if err != nil {
		w.Fatal(err)
	}
	return result.Alerts
}

// An acknowledged alert is told of its end and of nothing else; the acknowledgement
// ends with it, also where the master was restarted in between.
func TestAcknowledgementEndsWithItsAlert(t *testing.T) {
	t.Parallel()
	w, h := peopleWorld(t)
	patience.Closed(t, "the start", w.alerts.started)
	if _, err := w.alerts.Ack(t.Context(), wire.AlertAckParams{Name: "level/high"}); err == nil {
		t.Error("an alert that does not fire was acknowledged")
	}
	w.set("busy", 97)
	w.set("other", 97)
	h.await(t, "firing busy", 1)
	h.await(t, "firing other", 1)
	made, err := w.alerts.Ack(t.Context(), wire.AlertAckParams{Name: "level/high", Host: "busy", Message: "on it"})
	if err != nil || len(made.Silences) != 1 || !made.Silences[0].Ack {
		t.Fatalf("%+v, %v", made, err)
	}
	var a wire.Alert
	patience.Until(t, "the note of who was told", func() bool {
		a = w.list("busy")[0]
		return len(a.Told) == 1 && a.Told[0].AtMS != 0
	})
	if a.State != wire.AlertFiring || len(a.SilencedBy) != 1 || a.SilencedBy[0].Message != "on it" || a.Summary != "busy is high" ||
		a.Told[0].Receiver != "hook/webhook[0]" {
		t.Errorf("%+v", a)
	}
	if other := w.list("other")[0]; len(other.SilencedBy) != 0 {
		t.Errorf("another alert is silenced, too: %+v", other)
	}
	if s := w.alerts.Summary(t.Context()); s.Firing != 2 || s.Muted != 1 {
		t.Errorf("the summary is %+v", s)
	}
	w.stop()
	w.start()
	patience.Closed(t, "the start", w.alerts.started)
	patience.Until(t, "that it fires after a restart", func() bool {
		list := w.list("busy")
		return len(list) == 1 && list[0].State == wire.AlertFiring && len(list[0].SilencedBy) == 1
	})
	w.set("busy", 10)
	h.await(t, "resolved busy", 1)
	if a := w.list("busy")[0]; a.State != wire.AlertEnded || a.EndedMS == 0 {
		t.Errorf("%+v", a)
	}
	left, err := w.alerts.Silences(t.Context(), wire.SilencesParams{})
	if err != nil || len(left.Silences) != 0 {
		t.Errorf("silences are left: %+v, %v", left, err)
	}
	w.set("busy", 97)
	h.await(t, "firing busy", 2)
}

// The time intervals that keep somebody from being told are shown, also of very many alerts.
func TestTimeIntervalsAreShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(`
time_intervals: [{ name: ever, time_intervals: [{}] }]
route:
  receiver: ops
  group_by: [host]
  routes:
    - { receiver: never, mute_time_intervals: [ever], continue: true }
    - { receiver: ops, active_time_intervals: [ever] }
receivers: [{ name: ops }, { name: never }]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, `groups:
  - name: many
    interval: 1s
    rules: [{ alert: level/high, expr: 'test_level > 90' }]
`, config.Alerts{AlertmanagerConfig: file})
	patience.Closed(t, "the start", w.alerts.started)
	const hosts = 2000
	for i := range hosts {
		w.set(fmt.Sprintf("host-%d", i), 97)
	}
	var list []wire.Alert
	patience.Until(t, "all to fire", func() bool {
		list = w.list("")
		return len(list) == hosts
	})
	for _, one := range list {
		want := []wire.ShutHours{{Receiver: "never", Intervals: []string{"ever"}}}
		if !reflect.DeepEqual(one.ShutHours, want) {
			t.Fatalf("%s has the hours %+v", one.Host, one.ShutHours)
		}
	}
}

// Nobody is told of a silenced alert, until the silence is ended.
func TestSilence(t *testing.T) {
	t.Parallel()
	w, h := peopleWorld(t)
	patience.Closed(t, "the start", w.alerts.started)
	for _, bad := range []wire.SilenceParams{{}, {Seconds: -1}, {Seconds: 1e12}} {
		if _, err := w.alerts.Silence(t.Context(), []string{`host="x"`}, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	for _, matchers := range [][]string{nil, {""}, {"host"}, {`host=~"("`}, {`host=~".*"`}, {"host="}} {
		if s, err := w.alerts.Silence(t.Context(), matchers, wire.SilenceParams{Seconds: 60}); err == nil {
			t.Errorf("%q was taken: %+v", matchers, s)
		}
	}
	made, err := w.alerts.Silence(t.Context(), []string{"host=quiet", `alertname=~"level/.*"`}, wire.SilenceParams{Seconds: 3600, Message: "why"})
	if err != nil {
		t.Fatal(err)
	}
	w.set("quiet", 97)
	w.set("loud", 97)
	h.await(t, "firing loud", 1)
	patience.Until(t, "that it fires", func() bool { return len(w.list("quiet")) == 1 })
	e, err := w.alerts.Explain(t.Context(), wire.AlertParams{Name: "level/high", Host: "quiet"})
	if err != nil || len(e.Rules) != 1 || !strings.Contains(e.Rules[0].Query, "test_level > 90") || len(e.Alerts) != 1 ||
		len(e.Alerts[0].SilencedBy) != 1 || len(e.Alerts[0].Ways) != 1 || e.Alerts[0].Ways[0].NextMS != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if n := h.count("firing quiet"); n != 0 {
		t.Errorf("it is silenced and was told %d times", n)
	}
	if _, err := w.alerts.EndSilence(t.Context(), wire.SilenceEndParams{Silence: made.ID}); err != nil {
		t.Fatal(err)
	}
	h.await(t, "firing quiet", 1)
	if _, err := w.alerts.EndSilence(t.Context(), wire.SilenceEndParams{Silence: "none"}); err == nil {
		t.Error("a silence that is not there was ended")
	}
	if _, err := w.alerts.Explain(t.Context(), wire.AlertParams{Name: "none"}); err == nil || !strings.Contains(err.Error(), "there are level/high") {
		t.Errorf("explaining what is not there: %v", err)
	}
}
