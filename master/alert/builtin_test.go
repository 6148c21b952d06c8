package alert

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A built-in rule has another threshold on some hosts, or is off there, over a restart,
// and is as it was when that is taken back.
func TestThresholdsOfBuiltInRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	patience.Closed(t, "the start", w.alerts.started)
	query := func(name string) string {
		for _, group := range w.alerts.ruleGroups() {
			for _, rule := range group.AlertingRules() {
				if rule.Name() == name {
					return strings.NewReplacer(" ", "", "(", "", ")", "").Replace(rule.Query().String())
				}
			}
		}
		return ""
	}
	plain := query("host/clock-off")
	set := func(p wire.AlertThresholdParams) {
		t.Helper()
		if _, err := w.alerts.SetThreshold(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	set(wire.AlertThresholdParams{Alert: "host/clock-off", Selector: "role=db", Value: number(90)})
	set(wire.AlertThresholdParams{Alert: "host/clock-off", Selector: "role=web", Off: true})
	const changed = `absmaxwithoutkeyvedette_host_skew_seconds{host!~"busy|canary"}>30orabsmaxwithoutkeyvedette_host_skew_seconds{host=~"busy"}>90`
	if got := query("host/clock-off"); got != changed {
		t.Errorf("the rule is %s, want %s", got, changed)
	}
	w.stop()
	w.start()
	patience.Closed(t, "the start", w.alerts.started)
	if got := query("host/clock-off"); got != changed {
		t.Errorf("after a restart the rule is %s, want %s", got, changed)
	}
	listed, err := w.alerts.Thresholds(t.Context(), wire.Empty{})
	if err != nil || len(listed.Thresholds) != 2 || listed.Thresholds[0].Idle || *listed.Thresholds[0].Own != 30 {
		t.Errorf("%+v, %v", listed, err)
	}
	set(wire.AlertThresholdParams{Alert: "host/clock-off", Selector: "role=db", Remove: true})
	set(wire.AlertThresholdParams{Alert: "host/clock-off", Selector: "role=web", Remove: true})
	if got := query("host/clock-off"); got != plain {
		t.Errorf("at the end the rule is %s, want %s", got, plain)
	}
}

// A number for a rule that compares nothing with one is refused in the configuration. One
// that is in the state, since a master of another version, keeps no rule from being
// evaluated.
func TestThresholdsThatFitNoBuiltInRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	patience.Closed(t, "the start", w.alerts.started)
	for alert, want := range map[string]string{
		"host/gone":           `cannot use the threshold of "host/gone" in master.alerts.thresholds: its values are states`,
		"inspector/failing":   `cannot use the threshold of "inspector/failing" in master.alerts.thresholds: its expression compares no values with one number`,
		"master/disk-filling": "the rule is about the master",
	} {
		c := w.config
		c.Thresholds = []config.Threshold{{Alert: alert, Value: "2"}}
		if err := w.alerts.Reload(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s yields %v, want %s", alert, err, want)
		}
	}
	off := w.config
	off.Thresholds = []config.Threshold{{Alert: "inspector/failing", Value: "off"}, {Alert: "other/alert", Value: "2"}}
	if err := w.alerts.Reload(off); err != nil {
		t.Error(err)
	}
	one := wire.AlertThreshold{Alert: "inspector/failing", Value: number(2)}
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.alerts.thresholds.shelf.Write(t.Context(), map[string][]byte{thresholdName(one.Alert, ""): text}); err != nil {
		t.Fatal(err)
	}
	w.stop()
	w.start()
	patience.Closed(t, "the start with a threshold that fits no more", w.alerts.started)
	if len(w.alerts.ruleGroups()) == 0 {
		t.Error("no rule is evaluated")
	}
}
