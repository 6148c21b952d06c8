package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// assigned is a definition of a revision that has its source for a name.
func assigned(name, revision string) inspectors.Definition {
	d := agenttest.Script(name, revision, time.Second)
	d.Pushed, d.Assigned = true, revision
	return d
}

// How long a receipt waits for others; assignment/DESIGN.md has these.
const (
	receiptStep = 50 * time.Millisecond
	receiptEnd  = 3 * time.Millisecond
)

// TestReceiptsOfAMomentAreOneCall: the way of many inspectors to their first run
// is told in two calls, however many they are, and soon.
func TestReceiptsOfAMomentAreOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receipts := assignment.NewReceipts()
		track := newTracker(slog.New(slog.DiscardHandler), receipts)
		var defs []inspectors.Definition
		var items []wire.Assigned
		for i := range 50 {
			d := assigned(fmt.Sprint("i", i), "one")
			defs = append(defs, d)
			items = append(items, wire.Assigned{Revision: d.Assigned, Code: wire.Code{Name: d.Name}})
		}
		assign := assignmentOf(items...)
		receipts.Assign(&assign)
		if due := receipts.Due(); time.Until(due) != receiptStep {
			t.Errorf("an assignment is told after %v", time.Until(due))
		}
		for _, d := range defs {
			receipts.Verified(d.Name, d.Assigned)
			track.Expect(d)
			track.Loaded(d)
			time.Sleep(time.Millisecond / 2)
		}
		if due := receipts.Due(); time.Until(due) > receiptStep/2 {
			t.Errorf("what came later has put the call off by %v", time.Until(due))
		}
		p := receipts.Take()
		if !p.All || p.Hash != assign.Hash || len(p.Receipts) != 50 || p.Receipts[7].State != wire.ReceiptLoaded {
			t.Errorf("all are %+v", p)
		}
		if !receipts.Due().IsZero() {
			t.Error("there is more to tell")
		}
		for _, d := range defs {
			track.ran(d.Revision(), plugins.Outcome{Name: d.Name, Start: time.Now()})
		}
		if due := receipts.Due(); time.Until(due) != receiptEnd {
			t.Errorf("a good run is told after %v", time.Until(due))
		}
		p = receipts.Take()
		healthy := func(r wire.Receipt) bool { return r.State == wire.ReceiptHealthy && r.AtMS == time.Now().UnixMilli() }
		if p.All || len(p.Receipts) != 50 || slices.ContainsFunc(p.Receipts, func(r wire.Receipt) bool { return !healthy(r) }) {
			t.Errorf("the changes are %+v", p)
		}
		track.ran(defs[0].Revision(), plugins.Outcome{Name: defs[0].Name, Start: time.Now()})
		if !receipts.Due().IsZero() {
			t.Error("another good run is told")
		}
	})
}

// TestReceiptsTellOfTheirRevisionAlone: outcomes of the old revision, ticks
// without a run and what is no fault of the code change no receipt.
func TestReceiptsTellOfTheirRevisionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receipts := assignment.NewReceipts()
		track := newTracker(slog.New(slog.DiscardHandler), receipts)
		state := func() wire.Receipt {
			receipts.Again(0)
			return receipts.Take().Receipts[0]
		}
		ran := func(d inspectors.Definition, err error) {
			track.ran(d.Revision(), plugins.Outcome{Name: d.Name, Start: time.Now(), Err: err})
		}
		assign := func(d inspectors.Definition) {
			a := assignmentOf(wire.Assigned{Revision: d.Assigned, Code: wire.Code{Name: d.Name}})
			receipts.Assign(&a)
			receipts.Verified(d.Name, d.Assigned)
		}
		one, two := assigned("disk", "one"), assigned("disk", "two")
		assign(one)
		track.Loaded(one)
		ran(one, nil)
		assign(two)
		ran(one, nil)
		if r := state(); r.State != wire.ReceiptVerified {
			t.Errorf("after a run of the old: %+v", r)
		}
		track.LoadFailed(two, fmt.Errorf("%w: no checker", plugins.ErrUnavailable), "one")
		if r := state(); r.State != wire.ReceiptVerified || r.Reason == "" || r.Running != "one" {
			t.Errorf("while it cannot be loaded: %+v", r)
		}
		track.LoadFailed(two, errors.New("disk.go:1:1: broken"), "one")
		ran(one, errors.New("the old fails"))
		if r := state(); r.State != wire.ReceiptFailed || r.Reason != "disk.go:1:1: broken" {
			t.Errorf("after a bad run of the old: %+v", r)
		}
		track.Loaded(two)
		ran(two, plugins.ErrUnavailable)
		if r := state(); r.State != wire.ReceiptLoaded || r.Running != "" || r.Reason != "" {
			t.Errorf("after a tick without a run: %+v", r)
		}
		ran(two, nil)
		track.overdue("disk", two.Revision(), time.Minute, "it is busy")
		if r := state(); r.State != wire.ReceiptHealthy {
			t.Errorf("while the host is starved: %+v", r)
		}
		track.overdue("disk", two.Revision(), time.Minute, "")
		if r := state(); r.State != wire.ReceiptFailed {
			t.Errorf("while a run is overdue: %+v", r)
		}
	})
}
