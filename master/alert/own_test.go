package alert

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// After a restart an alert whose rule nobody has told yet has not ended: its host may
// still tell it.
func TestAlertWaitsForItsRule(t *testing.T) {
	opts := &Options{Settle: 2 * time.Minute, Gone: func(string) bool { return false }}
	k := newLedger(opts)
	start := time.Now()
	k.start = start
	set := model.LabelSet{"alertname": "disk/full", "host": "web-1"}
	one := &record{Labels: set, StartsAt: start.Add(-time.Hour)}
	k.alerts[set.Fingerprint()] = one
	for after, ended := range map[time.Duration]bool{time.Second: false, 2*time.Minute - 1: false, 2*time.Minute + 1: true} {
		one.EndsAt = time.Time{}
		if k.review(saying{at: start.Add(after)}); one.ended() != ended {
			t.Errorf("%v after the start it has ended: %v, want %v", after, one.ended(), ended)
		}
	}
	one.EndsAt, one.settled = time.Time{}, true
	if k.review(saying{at: start.Add(time.Second)}); !one.ended() {
		t.Error("an alert goes on whose rule was taken away")
	}
}
