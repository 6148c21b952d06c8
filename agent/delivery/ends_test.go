package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The samples that end series go to the master in their own columns, also after they were
// kept on the disk, and when they are sent again.
func TestEndsAreSentApart(t *testing.T) {
	o := newTestOutbox(100)
	at := time.UnixMilli(1_000_000)
	sample := func(key string, v float64) inspectors.Sample { return inspectors.Sample{Key: key, Time: at, Value: v} }
	link := o.Connect(0, wire.TakesEnds, wire.TakesAbout)
	o.Add([]inspectors.Sample{sample("a", 1), inspectors.Ending(sample("b", 2)), sample("c", 3), inspectors.Ending(sample("d", 4))})
	o.cut()
	const want = "[1000000 1000000] [1 3] [1 3], [1000000 1000000] [2 4]"
	for range 2 {
		r, p := link.nextAfter()
		if r == nil || p.Ends == nil {
			t.Fatalf("got %+v", p)
		}
		if got := fmt.Sprint(p.T, p.S, p.V, ", ", p.Ends.T, p.Ends.S); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		kept := r.kept("boot")
		loaded := o.table.loadReport(&spool.Kept{Report: kept})
		if !inspectors.IsEnding(loaded.values[1]) || loaded.values[2] != 3 {
			t.Errorf("it was kept as %v", loaded.values)
		}
		link.Returned(r, 0)
		link.End()
		link = o.Connect(0, wire.TakesEnds, wire.TakesAbout)
	}
	link.End()
	testEndsWithoutTaker(t, sample)
	if p, _ := PackLive([]inspectors.Sample{sample("a", 1), inspectors.Ending(sample("b", 2))}); len(p.V) != 1 {
		t.Errorf("%v are shown", p.V)
	}
}

// A master that does not say that it takes ends is sent none, nor the series that only
// those need, and no report that would be empty. Nothing of that counts as lost.
func testEndsWithoutTaker(t *testing.T, sample func(string, float64) inspectors.Sample) {
	t.Helper()
	o := newTestOutbox(100)
	o.Add([]inspectors.Sample{inspectors.Ending(sample("b", 2))})
	o.cut()
	o.Add([]inspectors.Sample{inspectors.Ending(sample("b", 2)), sample("c", 3)})
	o.cut()
	link := o.Connect(0, "something else")
	r, p := link.nextAfter()
	if p == nil || p.Ends != nil || len(p.T) != 1 || len(p.S) != 1 || len(p.Series) != 1 || p.Series[0].Key != "c" || p.S[0] != p.Series[0].ID || p.Seq != 1 {
		t.Fatalf("got %+v", p)
	}
	link.Acknowledged(r, 0)
	if r, p := link.nextAfter(); r != nil || o.queued != 0 || o.bytes != 0 || o.atRisk != 0 || o.dropped != 0 {
		t.Errorf("%+v comes; %d reports, %d bytes and %d samples are left, %d are lost", p, o.queued, o.bytes, o.atRisk, o.dropped)
	}
}
