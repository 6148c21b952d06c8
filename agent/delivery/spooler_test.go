package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
)

// newTestSpooler opens the spool of a folder for an outbox.
func newTestSpooler(t testing.TB, log io.Writer, o *Outbox, dir string) *Spooler {
	t.Helper()
	cfg := config.Agent{Data: dir, Spool: config.Spool{On: true}.OrDefault()}
	k := NewSpooler(slog.New(slog.NewTextHandler(log, nil)), &cfg, o)
	k.retryAfter = 0
	if err := k.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return k
}

// die is what a kill leaves behind.
func (k *Spooler) die() error { return errors.Join(k.claim.Close(), k.store.Close()) }

// crash has the agent killed and started again. What flies may arrive.
func (h *history) crash() {
	for _, f := range h.flying {
		if h.rand.IntN(2) == 0 {
			h.arrive(f)
		}
	}
	if err := h.spooler.die(); err != nil {
		h.Error(err)
	}
	h.crashes++
	h.flying, h.link = nil, nil
	o := newTestOutbox(30)
	o.bootID = fmt.Sprint("boot-", h.crashes)
	h.o, h.spooler = o, newTestSpooler(h.T, io.Discard, o, h.spooler.cfg.Data)
}

// As TestNothingIsLostOrUndeclared, with a spool that works at any moment and
// an agent that is killed at any moment.
func TestNothingIsLostWithASpool(t *testing.T) {
	onDisk := uint64(0)
	for seed := range uint64(12) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			o := newTestOutbox(30)
			h := &history{T: t, rand: rand.New(rand.NewPCG(seed, 2)), o: o, got: make(map[float64]bool), taken: make(map[numbered]bool)}
			h.spooler = newTestSpooler(t, io.Discard, o, dir)
			for range 2000 {
				h.step()
			}
			h.finish()
			onDisk += h.o.disk.totals.Moved
			h.spooler.Close()
			if t.Failed() {
				t.Fatalf("with seed %d", seed)
			}
		})
	}
	if onDisk == 0 {
		t.Error("nothing was ever on the disk")
	}
}

// A disk that cannot be used is told once, costs nothing but room, and is used
// again when it can be.
func TestUnusableDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, spool.FileName)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o := newTestOutbox(100)
	k := newTestSpooler(t, &log, o, dir)
	for i := range 5 {
		o.put("a", float64(i))
		k.step()
	}
	if s := o.Status(); s.ReportsQueued != 5 || !strings.HasPrefix(s.Spool, modeMemory+": cannot open the spool") {
		t.Errorf("the status is %+v", s)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("the log has %d warnings:\n%s", n, log.String())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	k.step()
	if s := o.Status(); s.ReportsQueued != 1 || s.Spool != modeDisk || o.queued != 0 || o.disk.totals.Samples != 5 {
		t.Errorf("then the status is %+v, with %d in memory", s, o.queued)
	}
	k.Close()
	if s := o.Status(); s.SamplesDropped != 0 || o.atRisk != 0 {
		t.Errorf("at the end the status is %+v, with %d at risk", s, o.atRisk)
	}
}

// The memory may hold more than the disk is given: the newest reports are kept, and the
// rest is reported as dropped.
func TestMoreInMemoryThanTheSpoolHolds(t *testing.T) {
	dir := t.TempDir()
	o := newTestOutbox(10_000)
	k := newTestSpooler(t, io.Discard, o, dir)
	k.store.Close()
	var err error
	if k.store, err = spool.Open(k.path(), spool.Options{MaxBytes: 1 << 20, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	const made = 300_000
	for i := range made {
		o.Add(oneSample(fmt.Sprint("a/", i%5000), float64(i)))
		if i%1000 == 999 {
			o.cut()
		}
	}
	k.Close()
	totals := k.store.Totals()
	if s := o.Status(); o.queued != 0 || totals.Samples == 0 || s.SamplesDropped == 0 || s.SamplesDropped+totals.Samples != made {
		t.Errorf("of %d samples there are %+v, %d reports in memory; the status is %+v", made, totals, o.queued, s)
	}
}

// A spool that is damaged under way costs what was in it and was not loaded.
func TestDamageUnderWay(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	o := newTestOutbox(10_000)
	k := newTestSpooler(t, &log, o, dir)
	const made = 20_000
	for i := range made {
		o.Add(oneSample(fmt.Sprint("a/", i), 1))
		if i%100 == 99 {
			o.cut()
		}
	}
	k.step()
	link := o.Connect(0)
	k.step()
	r, _ := link.nextAfter()
	loaded := r.len()
	for _, other := range o.loaded {
		loaded += other.len()
	}
	if loaded >= made {
		t.Fatal("all of it was loaded")
	}
	path := filepath.Join(dir, spool.FileName)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	o.put("b", 1)
	link.Returned(r, 0)
	link.End()
	k.step()
	k.step()
	if s := o.Status(); s.SamplesDropped != uint64(made-loaded) || s.Spool != modeDisk {
		t.Errorf("%d of %d samples were loaded; the status is %+v", loaded, made, s)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil || !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("%v; the log is\n%s", err, log.String())
	}
	got, link := 0, o.Connect(0)
	for o.queued+o.disk.reports > 0 {
		r, p := link.nextAfter()
		if r == nil {
			k.step()
			continue
		}
		got += len(p.T)
		link.Acknowledged(r, 0)
	}
	if got != loaded+1 {
		t.Errorf("%d samples came, want the %d that were loaded and a new one", got, loaded)
	}
	link.End()
	k.Close()
}

// BenchmarkSpooledReport is what a report of ten samples costs that goes to the
// disk and back, with fifty of them for each step of the spooler.
func BenchmarkSpooledReport(b *testing.B) {
	o := newTestOutbox(10_000)
	k := newTestSpooler(b, io.Discard, o, b.TempDir())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for _, key := range keys {
			o.Add(oneSample(key, float64(i)))
		}
		o.cut()
		if i%50 == 49 {
			k.step()
			drainAll(o, k)
		}
	}
	drainAll(o, k)
	k.Close()
}

func drainAll(o *Outbox, k *Spooler) {
	link := o.Connect(0)
	for o.queued+o.disk.reports > 0 {
		link.paced = time.Time{}
		if r, _, _ := link.Next(); r != nil {
			link.Acknowledged(r, 0)
			continue
		}
		k.step()
	}
	link.End()
}

func oneSample(key string, v float64) []inspectors.Sample {
	return []inspectors.Sample{{Key: key, Time: time.Now(), Value: v}}
}
