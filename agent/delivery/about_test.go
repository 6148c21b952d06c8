package delivery

import (
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
