package delivery

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/alone"
)

// When the disk is full, what is new is kept in memory, what is on the disk can
// be sent, and the disk is used again when there is room.
func TestFullDisk(t *testing.T) { alone.Test(t, testFullDisk) }

func testFullDisk(t *testing.T) {
	var log bytes.Buffer
	o := newTestOutbox(100_000)
	k := newTestSpooler(t, &log, o, t.TempDir())
	o.put("first", 1)
	k.step()
	if o.queued != 0 {
		t.Fatal("the first report is not on the disk")
	}
	lift := alone.LimitFiles(t, 32<<10)
	for i := range 10_000 {
		o.Add(oneSample(fmt.Sprint("a/", i), 1))
		if i%200 == 199 {
			o.cut()
		}
	}
	k.retryAfter = time.Hour
	k.step()
	if s := o.Status(); o.queued != 50 || !strings.Contains(s.Spool, "file too large") || s.SamplesDropped != 0 {
		t.Fatalf("the status is %+v, with %d in memory", s, o.queued)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("the log has %d warnings:\n%s", n, log.String())
	}
	link := o.Connect(0)
	k.step()
	if len(o.loaded) != 1 {
		t.Errorf("%d reports are loaded from the full disk", len(o.loaded))
	}
	drained := 0
	for o.queued+o.disk.reports > 0 {
		r, p := link.nextAfter()
		drained += len(p.T)
		link.Acknowledged(r, 0)
	}
	if drained != 10_001 {
		t.Errorf("%d samples came", drained)
	}
	lift()
	k.retry = time.Time{}
	k.step() // removes what was sent
	k.retry = time.Time{}
	k.step() // finds the disk well
	if s := o.Status(); s.Spool != modeDisk || k.store.Totals().Reports != 0 || !strings.Contains(log.String(), "is used again") {
		t.Errorf("the status is %+v; the log is\n%s", s, log.String())
	}
	link.End()
	k.Close()
}
