package master

import (
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

// What an exporter says of its metrics is in the metadata, under the names that it gives
// them, and what cannot be shown of it is escaped or left out.
func TestMetricsAreDescribed(t *testing.T) {
	m := start(t, config.Master{})
	patience.Closed(t, "the history", m.history.Ready())
	agent := newBoostAgent(t, m, "web-1")
	now := time.Now().UnixMilli()
	declare := func(id uint32, key string, about wire.About) wire.Series {
		return wire.Series{ID: id, Key: key, About: &about}
	}
	call[wire.ReportResult](t, agent.Peer, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: 1, Series: []wire.Series{
			declare(1, "wait_seconds_bucket", wire.About{Metric: "wait_seconds", Type: "histogram", Help: "How <long>."}),
			declare(2, "a", wire.About{Metric: "a", Type: "gauge", Unit: "volts"}),
			declare(3, "b", wire.About{Metric: "b{}", Type: "gauge", Help: "never"}),
			declare(4, "c", wire.About{Metric: "c", Type: strings.Repeat("x", 100)}),
		},
		Columns: wire.Columns{T: []int64{now, now, now, now}, S: []uint32{1, 2, 3, 4}, V: []float64{1, 2, 3, 4}},
	})
	_, body := fetch(t, m, "/api/v1/metadata")
	for _, want := range []string{
		`"wait_seconds":[{"type":"histogram","help":"How \\x3clong\\x3e.","unit":"seconds"}]`, `"a":[{"type":"gauge","help":"","unit":"volts"}]`,
		`"b":[{"type":"gauge","help":"Samples of the key b.","unit":""}]`, `"c":[{"type":"gauge","help":"Samples of the key c."`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the metadata have no %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, "never") {
		t.Errorf("a name that is none is described: %s", body)
	}

	changed := declare(3, "b", wire.About{Metric: "b", Type: "counter", Help: "Now."})
	changed.Kind = "counter"
	call[wire.ReportResult](t, agent.Peer, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: 2, Series: []wire.Series{declare(2, "a", wire.About{Metric: "a", Type: "gauge", Unit: "amperes"}), changed},
		Columns: wire.Columns{T: []int64{now + 1, now + 1}, S: []uint32{2, 3}, V: []float64{1, 2}},
	})
	_, body = fetch(t, m, "/api/v1/metadata")
	for _, want := range []string{`"a":[{"type":"gauge","help":"","unit":"amperes"}]`, `"b":[{"type":"counter","help":"Now.","unit":""}]`} {
		if !strings.Contains(body, want) {
			t.Errorf("after a change, the metadata have no %s:\n%s", want, body)
		}
	}
}
