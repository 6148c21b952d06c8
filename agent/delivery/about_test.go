package delivery

import (
	"slices"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A report tells of a metric once, however many series of it it declares, and again on
// the next connection. A series that was kept on the disk learns of its metric again.
func TestReportsTellOfMetrics(t *testing.T) {
	o := newTestOutbox(100)
	about := &inspectors.About{Family: "latency_seconds", Type: "histogram", Unit: "seconds", Help: "How long."}
	sample := func(key, le string) inspectors.Sample {
		labels, err := inspectors.NewLabels("le", le)
		if err != nil {
			t.Fatal(err)
		}
		return inspectors.Sample{Key: key, Labels: labels, Time: time.Now(), Value: 1, About: about}
	}
	_, _ = o.table.get(&inspectors.Sample{Key: "latency_seconds_bucket", Labels: sample("", "2").Labels}) // as from the disk
	told := func() (series, abouts int) {
		t.Helper()
		link := o.Connect(0, wire.TakesEnds, wire.TakesAbout)
		o.Add([]inspectors.Sample{sample("latency_seconds_bucket", "1"), sample("latency_seconds_bucket", "2"), {Key: "other", Time: time.Now(), Value: 1}})
		o.cut()
		r, p := link.nextAfter()
		if r == nil {
			t.Fatal("there is no report")
		}
		for _, s := range p.Series {
			if s.About == nil {
				continue
			}
			abouts++
			if s.About.Metric != about.Family || s.About.Type != about.Type || s.About.Unit != about.Unit || s.About.Help != about.Help {
				t.Errorf("it is told as %+v", s.About)
			}
		}
		link.Acknowledged(r, 0)
		link.End()
		return len(p.Series), abouts
	}
	for range 2 {
		if series, abouts := told(); series != 3 || abouts != 1 {
			t.Errorf("%d series are declared with %d descriptions, want 3 with 1", series, abouts)
		}
	}
}

// A metric that is described otherwise is told again, once for all of its series, under the
// numbers that they have; and again if that report does not arrive.
func TestReportsTellOfChangedMetrics(t *testing.T) {
	o := newTestOutbox(100)
	link := o.Connect(0, wire.TakesEnds, wire.TakesAbout)
	send := func(help string) (*Report, []wire.Series) {
		t.Helper()
		about := &inspectors.About{Family: "m", Help: help}
		for _, key := range []string{"m_sum", "m_count"} {
			o.Add([]inspectors.Sample{{Key: key, Time: time.Now(), Value: 1, About: about}})
		}
		o.cut()
		r, p := link.nextAfter()
		if r == nil {
			t.Fatal("there is no report")
		}
		return r, p.Series
	}
	helps := func(list []wire.Series) (all []string) {
		for _, s := range list {
			if s.About != nil {
				all = append(all, s.About.Help)
			}
		}
		return all
	}
	r, first := send("Old.")
	link.Acknowledged(r, 0)
	if len(first) != 2 || !slices.Equal(helps(first), []string{"Old."}) {
		t.Fatalf("first told: %+v", first)
	}
	r, same := send("Old.")
	link.Acknowledged(r, 0)
	if len(same) != 0 {
		t.Errorf("told again though nothing changed: %+v", same)
	}
	r, changed := send("New.")
	if len(changed) != 1 || !slices.Equal(helps(changed), []string{"New."}) || changed[0].ID != first[0].ID {
		t.Errorf("told of a change: %+v, after %+v", changed, first)
	}
	link.Returned(r, 0)
	_, p := link.nextAfter()
	if p == nil || !slices.Equal(helps(p.Series), []string{"New."}) {
		t.Errorf("a report that is sent again tells %+v", p)
	}
}
