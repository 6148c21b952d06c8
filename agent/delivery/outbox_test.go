package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

func newTestOutbox(limit int) *Outbox {
	return New(slog.New(slog.DiscardHandler), "boot", limit, func() {})
}

// put makes one report of one sample.
func (o *Outbox) put(key string, value float64) {
	o.Add([]inspectors.Sample{{Key: key, Time: time.Now(), Value: value}})
	o.cut()
}

// nextAfter is next, after the time that it asks for.
func (l *Link) nextAfter() (*Report, *wire.ReportParams) {
	for {
		r, p, wait := l.Next()
		if r != nil || wait == 0 {
			return r, p
		}
		<-time.After(wait)
	}
}

func TestSamplesOfAMomentShareAReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := newTestOutbox(100)
		ended := make(chan struct{})
		go func() { defer close(ended); o.Run(ctx) }()
		link := o.Connect(0)
		for i := range 10 {
			o.Add([]inspectors.Sample{{Key: fmt.Sprintf("a/%d", i), Time: time.Now(), Value: 1}})
			<-time.After(coalesce / 20)
		}
		if r, _, _ := link.Next(); r != nil {
			t.Error("a report was cut at once")
		}
		<-time.After(coalesce)
		if r, p, _ := link.Next(); r == nil || len(p.T) != 10 || len(p.Series) != 10 || p.Seq != 1 || p.BootID != "boot" {
			t.Errorf("the report is %+v", p)
		}
		o.put("last", 1)
		cancel()
		<-ended
	})
}

func TestLiveOvertakesTheBacklogWhichIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestOutbox(1000)
		for i := range 100 {
			o.put("a", float64(i))
		}
		link := o.Connect(0)
		r, p := link.nextAfter() // it declares the series
		link.Acknowledged(r, 0)
		if p.V[0] != 0 {
			t.Errorf("the backlog begins with %v, want the oldest", p.V[0])
		}
		began, backlog := time.Now(), 1
		for live := range 20 {
			o.put("a", 1000+float64(live))
			if _, p := link.nextAfter(); p.V[0] != 1000+float64(live) {
				t.Fatalf("%v was sent before what is live", p.V[0])
			}
			if r, p := link.nextAfter(); r != nil {
				if backlog++; p.V[0] >= 1000 {
					t.Fatalf("%v was sent twice", p.V[0])
				}
			}
		}
		if backlog != 1+maxBacklogWindow {
			t.Errorf("%d reports of the backlog were sent ahead, want %d", backlog-1, maxBacklogWindow)
		}
		if took := time.Since(began); took != maxBacklogWindow*backlogGap {
			t.Errorf("the backlog was sent in %v, want one each %v", took, backlogGap)
		}
		for {
			r, _ := link.nextAfter()
			for r := range maps.Keys(link.inFlight) {
				link.Acknowledged(r, 0)
			}
			if r == nil && len(link.inFlight) == 0 && o.queued == 0 {
				break
			}
		}
		link.End()
	})
}

func TestWindowIsBounded(t *testing.T) {
	o := newTestOutbox(1000)
	link := o.Connect(0)
	for i := range 100 {
		o.put(fmt.Sprintf("a/%d", i), 1)
	}
	sent := 0
	for r, _, _ := link.Next(); r != nil; r, _, _ = link.Next() {
		sent++
	}
	if sent != maxWindow {
		t.Errorf("%d reports were sent ahead, want %d", sent, maxWindow)
	}
}

func TestBytesAreBounded(t *testing.T) {
	o := newTestOutbox(1 << 30)
	made := 0
	for o.dropped == 0 {
		samples := make([]inspectors.Sample, 10_000)
		for i := range samples {
			made++
			samples[i] = inspectors.Sample{Key: fmt.Sprintf("a/%d", made), Time: time.UnixMilli(int64(made)), Value: 1}
		}
		o.Add(samples)
		o.cut()
		if o.bytes > maxOutboxBytes {
			t.Fatalf("%d bytes are kept, at most %d are allowed", o.bytes, maxOutboxBytes)
		}
	}
	if half := int64(maxOutboxBytes) / 2; o.bytes < half {
		t.Errorf("samples were dropped when %d bytes were kept", o.bytes)
	}
	if o.table.bytes > maxTableBytes {
		t.Errorf("the table of series holds %d bytes", o.table.bytes)
	}
}

func TestLargestReportFitsAFrame(t *testing.T) {
	const most = 1000
	o := newTestOutbox(100)
	value := strings.Repeat("v", inspectors.MaxLabelValueBytes)
	for i := range most {
		var pairs []string
		for j := range inspectors.MaxLabels {
			pairs = append(pairs, fmt.Sprintf("label%d", j), fmt.Sprintf("%06d%s", i, value[6:]))
		}
		labels, err := inspectors.NewLabels(pairs...)
		if err != nil {
			t.Fatal(err)
		}
		o.Add([]inspectors.Sample{{Key: "a", Labels: labels, Time: time.Now(), Value: math.Pi}})
	}
	o.cut()
	link, samples := o.Connect(0), 0
	for {
		r, p := link.nextAfter()
		if r == nil {
			break
		}
		samples += len(p.T)
		data, err := cbor.Marshal(p)
		if err != nil || len(data) > 1<<20 {
			t.Errorf("a report of %d samples takes %d bytes: %v", len(p.T), len(data), err)
		}
		link.Acknowledged(r, 0)
	}
	if kept := most - int(o.dropped); samples != kept {
		t.Errorf("%d samples were sent of the %d that were kept", samples, kept)
	}
}

func TestNotFiniteIsDropped(t *testing.T) {
	o := newTestOutbox(100)
	o.Add([]inspectors.Sample{{Key: "a", Value: math.NaN()}, {Key: "b", Value: math.Inf(1)}, {Key: "c", Value: 1}})
	o.cut()
	if _, p := o.Connect(0).nextAfter(); o.dropped != 2 || p == nil || len(p.T) != 1 || p.Series[0].Key != "c" {
		t.Errorf("%d were dropped, and %+v is sent", o.dropped, p)
	}
}

func TestMarkOfTheMasterEndsResending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestOutbox(100)
		link := o.Connect(0)
		for i := range 5 {
			o.put(fmt.Sprint("a/", i), float64(i))
		}
		for range 5 {
			link.Next()
		}
		inFlight := slices.SortedFunc(maps.Keys(link.inFlight), func(a, b *Report) int { return int(a.seq) - int(b.seq) })
		for _, i := range []int{3, 0, 4, 2, 1} {
			link.Returned(inFlight[i], 0)
		}
		link.End()
		link = o.Connect(3)
		var seqs []uint64
		for r, p := link.nextAfter(); r != nil; r, p = link.nextAfter() {
			seqs = append(seqs, p.Seq)
			if len(p.Series) != 1 {
				t.Errorf("report %d declares %d series on the new connection", p.Seq, len(p.Series))
			}
		}
		if !slices.Equal(seqs, []uint64{4, 5}) {
			t.Errorf("sent again: %v, want 4 and 5", seqs)
		}
	})
}

func TestOldestIsDroppedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestOutbox(6)
		link := o.Connect(0)
		for i := range 3 {
			o.put(fmt.Sprint("sent/", i), float64(i))
		}
		for r, _, _ := link.Next(); r != nil; r, _, _ = link.Next() {
		}
		for r := range maps.Keys(link.inFlight) {
			link.Returned(r, 0)
		}
		link.End()
		for i := range 4 { // one too many
			o.put("backlog", float64(3+i))
		}
		link = o.Connect(0)
		for i := range 3 { // three too many
			o.put(fmt.Sprint("live/", i), float64(7+i))
		}
		var kept []float64
		for r, p := link.nextAfter(); r != nil; r, p = link.nextAfter() {
			kept = append(kept, p.V[0])
			link.Acknowledged(r, 0)
		}
		if want := []float64{7, 8, 9, 4, 5, 6}; !slices.Equal(kept, want) || o.dropped != 4 {
			t.Errorf("%v were sent and %d dropped, want %v and 4", kept, o.dropped, want)
		}
	})
}

// A long random history of sends, losses, refusals and broken connections, in
// which reports arrive in any order: whatever was added arrives or is counted
// as dropped, and no series is used before it is declared.
func TestNothingIsLostOrUndeclared(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			h := &history{T: t, rand: rand.New(rand.NewPCG(seed, 1)), o: newTestOutbox(30), got: make(map[float64]bool), taken: make(map[numbered]bool)}
			for range 3000 {
				h.step()
			}
			h.finish()
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		})
	}
}

type history struct {
	*testing.T
	rand *rand.Rand
	o    *Outbox
	link *Link

	made     int
	flying   []flight
	declared map[uint32]string // on the link
	takes    bool              // ends, on the link
	ends     int               // that arrived
	got      map[float64]bool
	taken    map[numbered]bool

	spooler *Spooler // or nil
	crashes int
	held    int
}

// numbered is the number of a report.
type numbered struct {
	boot string
	seq  uint64
}

type flight struct {
	r *Report
	p *wire.ReportParams
}

func (h *history) step() {
	<-time.After(time.Duration(h.rand.IntN(3)) * time.Millisecond)
	if h.spooler != nil && h.rand.IntN(20) == 0 {
		h.spooler.step()
	}
	switch n := h.rand.IntN(100); {
	case h.spooler != nil && h.rand.IntN(200) == 0:
		h.crash()
	case n < 15:
		h.add()
	case n < 16 || h.link == nil && n < 25:
		h.toggle()
	case h.link == nil:
	case n < 55:
		if r, p, _ := h.link.Next(); r != nil {
			h.flying = append(h.flying, flight{r: r, p: p})
		}
	case len(h.flying) > 0:
		i := h.rand.IntN(len(h.flying))
		f := h.flying[i]
		h.flying = slices.Delete(h.flying, i, i+1)
		h.land(f, n)
	}
}

// add adds a sample, and maybe the end of another series. The series of a sample follows
// from its value.
func (h *history) add() {
	h.made++
	var some []inspectors.Sample
	if h.rand.IntN(4) == 0 {
		some = append(some, inspectors.Ending(inspectors.Sample{Key: fmt.Sprint("e/", h.rand.IntN(20)), Time: time.Now()}))
	}
	if h.rand.IntN(9) == 0 {
		h.o.Add(some) // alone
		some = nil
	}
	h.o.Add(append(some, inspectors.Sample{Key: keyOf(float64(h.made)), Time: time.Now(), Value: float64(h.made)}))
	h.o.cut()
}

func keyOf(value float64) string { return fmt.Sprint("a/", int(value)*7919%20) }

// land lets a report arrive and be answered.
func (h *history) land(f flight, n int) {
	switch {
	case n < 60 && !h.taken[numbered{f.p.BootID, f.p.Seq}]:
		h.declare(f) // ahead of the master's clock
		h.held++
		h.link.Held(f.r, time.Duration(1+h.rand.IntN(60))*time.Millisecond)
	case n < 72:
		h.link.Returned(f.r, time.Duration(h.rand.IntN(5))*time.Millisecond) // busy
	case n < 74:
		h.arrive(f)
		h.link.Returned(f.r, 0) // the answer is lost
	case n < 75:
		h.link.Refused(f.r, 2, 0)
	default:
		h.arrive(f)
		h.link.Acknowledged(f.r, 0)
	}
}

func (h *history) declare(f flight) {
	for _, s := range f.p.Series {
		if _, dup := h.declared[s.ID]; dup {
			h.Errorf("series %d is declared twice", s.ID)
		}
		h.declared[s.ID] = s.Key
	}
}

func (h *history) arrive(f flight) {
	h.declare(f)
	number := numbered{f.p.BootID, f.p.Seq}
	again := h.taken[number]
	h.taken[number] = true
	if f.p.Ends != nil {
		if !h.takes {
			h.Errorf("report %d has ends, which the master does not take", f.p.Seq)
		}
		for _, id := range f.p.Ends.S {
			if h.ends++; !strings.HasPrefix(h.declared[id], "e/") {
				h.Errorf("report %d ends series %d, which is declared as %q", f.p.Seq, id, h.declared[id])
			}
		}
	}
	if len(f.p.S) == 0 && f.p.Ends == nil {
		h.Errorf("report %d is empty", f.p.Seq)
	}
	for i, id := range f.p.S {
		if h.declared[id] != keyOf(f.p.V[i]) {
			h.Errorf("report %d uses series %d, which is declared as %q, for %q", f.p.Seq, id, h.declared[id], keyOf(f.p.V[i]))
		}
		if !again && h.got[f.p.V[i]] {
			h.Errorf("%v came under two numbers", f.p.V[i])
		}
		h.got[f.p.V[i]] = true
	}
}

func (h *history) toggle() {
	if h.link == nil {
		acked := uint64(0)
		for h.taken[numbered{h.o.bootID, acked + 1}] {
			acked++
		}
		var takes []string
		if h.takes = h.rand.IntN(2) == 0; h.takes {
			takes = append(takes, wire.TakesEnds)
		}
		h.link, h.declared = h.o.Connect(acked, takes...), make(map[uint32]string)
		return
	}
	for _, f := range h.flying {
		if h.rand.IntN(2) == 0 {
			h.arrive(f)
		}
		h.link.Returned(f.r, 0)
	}
	h.flying = nil
	h.link.End()
	h.link = nil
}

func (h *history) finish() {
	if h.link == nil {
		h.toggle()
	}
	for {
		for _, f := range h.flying {
			h.arrive(f)
			h.link.Acknowledged(f.r, 0)
		}
		h.flying = nil
		r, p := h.link.nextAfter()
		if r == nil {
			if h.spooler != nil && h.o.disk.reports > 0 {
				h.spooler.step()
				<-time.After(time.Millisecond) // the store may keep some back
				continue
			}
			break
		}
		h.flying = append(h.flying, flight{r: r, p: p})
	}
	h.link.End()
	if h.o.queued != 0 || h.o.bytes != 0 {
		h.Errorf("%d reports and %d bytes are left", h.o.queued, h.o.bytes)
	}
	if missing := h.made - len(h.got); missing > int(h.o.dropped) || int(h.o.dropped) > h.made {
		h.Errorf("%d of %d samples never arrived, but %d are counted as dropped", missing, h.made, h.o.dropped)
	}
	if h.ends == 0 {
		h.Error("no end of a series ever arrived")
	}
	if h.held == 0 || len(h.o.held) > 0 {
		h.Errorf("%d reports were held, and %d still are", h.held, len(h.o.held))
	}
	if len(h.taken) == 0 || len(h.got) < h.made/2 {
		h.Errorf("the history is too tame or too wild: %d of %d arrived, %d were dropped", len(h.got), h.made, h.o.dropped)
	}
}

// BenchmarkOutcomeToFrame is what delivery spends on one run of ten samples, from
// its outcome to the bytes that go to the master.
func BenchmarkOutcomeToFrame(b *testing.B) {
	labels, _ := inspectors.NewLabels("mount", "/var/lib")
	o := newTestOutbox(100)
	link := o.Connect(0)
	of, _ := inspectors.NewLabels("inspector", "disk")
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		samples := make([]inspectors.Sample, 10)
		now := time.Now()
		for i := range samples {
			samples[i] = inspectors.Sample{Key: keys[i], Labels: labels, Time: now, Value: 12.5}
		}
		own := make([]inspectors.Sample, 5) // as many as the agent adds to each run
		for i := range own {
			own[i] = inspectors.Sample{Key: ownKeys[i], Labels: of, Time: now, Value: 1}
		}
		o.Add(samples, own)
		o.cut()
		r, p, _ := link.Next()
		data, err := cbor.Marshal(p)
		if err != nil {
			b.Fatal(err)
		}
		size = len(data)
		link.Acknowledged(r, 0)
	}
	b.ReportMetric(float64(size), "bytes/report")
}

var keys = [10]string{"disk/a", "disk/b", "disk/c", "disk/d", "disk/e", "disk/f", "disk/g", "disk/h", "disk/i", "disk/j"}

var ownKeys = [5]string{"vedette/a", "vedette/b", "vedette/c", "vedette/d", "vedette/e"}
