package alert

import (
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/patience"
)

// probes are revisions of the inspector test.
func probes(t *testing.T, revisions ...string) map[string][]alerts.Probe {
	t.Helper()
	var list []alerts.Probe
	for i, line := range revisions {
		said, err := inspectors.ParseDirectives("test.go", "//vedette:alert "+line+"\npackage test\n")
		if err != nil {
			t.Fatal(err)
		}
		p := alerts.Probe{Name: "test", Said: said}
		if len(revisions) > 1 {
			p.Hosts, p.Except = []string{"canary"}, i == 0
		}
		list = append(list, p)
	}
	return map[string][]alerts.Probe{"test": list}
}

// shown reports whether the API shows an alert of a host in a state.
func (w *world) shown(state, host string) bool {
	got := w.get(w.alerts.ServeAlerts, "/api/v1/alerts")
	for one := range strings.SplitSeq(got, "activeAt") {
		if strings.Contains(got, `"state":"`+state+`"`) && strings.Contains(one, `"host":"`+host+`"`) {
			return true
		}
	}
	return false
}

// The alert of an inspector fires, goes on while a rollout is under way, and each
// revision counts only on the hosts that run it.
func TestAlertsOfInspectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	w.set("busy", 97)
	w.set("canary", 97)
	if err := w.alerts.SetProbes(probes(t, `high critical level > 90 keep 0s "{{ $labels.host }}"`)); err != nil {
		t.Fatal(err)
	}
	first := w.await("the alert", "busy", firing)
	if first.Labels["alertname"] != "test/high" || first.Labels["severity"] != "critical" || first.Labels["inspector"] != "test" || first.Labels["key"] != "" {
		t.Errorf("told labels %v", first.Labels)
	}
	w.await("the alert of the other host", "canary", firing)

	if err := w.alerts.SetProbes(probes(t, "high critical level > 90 keep 0s", "high critical level > 99 keep 0s")); err != nil {
		t.Fatal(err)
	}
	w.await("the end where the new revision runs", "canary", func(one told) bool { return !firing(one) })
	w.mu.Lock()
	for _, one := range w.told {
		if one.Labels["host"] == "busy" && (!firing(one) || !one.StartsAt.Equal(first.StartsAt)) {
			t.Errorf("where the old revision runs, %+v was told after %+v", one, first)
		}
	}
	w.mu.Unlock()
	if err := w.alerts.SetProbes(nil); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "the alerts are gone with the inspector", func() bool { return !w.shown("firing", "busy") })
}

// What cannot be evaluated is named, and the rest is evaluated.
func TestFaultyAlertsOfInspectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	w.set("busy", 97)
	both := probes(t, "high critical level > 90")
	both["bad"] = probes(t, "wrong critical level >")["test"]
	if err := w.alerts.SetProbes(both); err == nil || !strings.Contains(err.Error(), `the alerts of the inspector "bad": test.go:1:`) {
		t.Errorf("a faulty expression gives %v", err)
	}
	w.await("the alert beside it", "busy", firing)
}
