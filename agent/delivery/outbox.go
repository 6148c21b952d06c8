package delivery

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of delivery.
const (
	// coalesce is how long samples wait for others to share their report.
	coalesce = 3 * time.Millisecond
	// maxOutboxBytes bounds the memory of all reports that are kept.
	maxOutboxBytes = 16 << 20
	// maxWindow is how many reports are sent ahead of their acknowledgement.
	maxWindow = 32
	// maxBacklogWindow is how many of these may come from the backlog, so that
	// there is always room for live reports.
	maxBacklogWindow = 4
	// backlogGap is the least time between two reports of the backlog: a fleet
	// that comes back after an outage must not overwhelm the master.
	backlogGap = 5 * time.Millisecond
)

// Outbox makes reports of samples and keeps them until the master has them. It
// is bounded in reports and in bytes; beyond that the oldest are dropped and
// counted. One link at a time sends from it.
type Outbox struct {
	log    *slog.Logger
	bootID string
	limit  int           // of reports
	kick   chan struct{} // capacity 1: samples wait to become a report
	bell   chan struct{} // capacity 1: the link has something to look at
	gone   chan struct{} // capacity 1: a report has been settled, or the link has ended
	wake   chan struct{} // capacity 1: the Spooler has something to do
	notify func()        // called, with mu held, when the status has changed
	claim  *spool.Claim  // or nil; set before run

	mu        sync.Mutex
	table     seriesTable
	open      *Report   // being filled, or nil
	live      queue     // made since the link is up
	resend    []*Report // sent before, by seq; not in flight
	loaded    []*Report // from the disk, by id; not in flight
	backlog   queue     // made while there was no link
	held      []*Report // ahead of the master's clock
	link      *Link     // or nil
	seq       uint64    // of the report that was first sent last
	queued    int       // reports in memory alone: live, resend, backlog, held and in flight
	bytes     int64     // of these
	atRisk    uint64    // samples of these, and of open
	dropped   uint64    // samples
	delivered bool      // the master has a report of this run
	lossy     bool      // the log has been told of the current loss
	disk      disk
}

// New makes an empty outbox that keeps up to limit reports. bootID identifies this
// run of the agent to the master. notify is called, with the outbox locked, when
// the result of Status has changed.
func New(log *slog.Logger, bootID string, limit int, notify func()) *Outbox {
	return &Outbox{
		log:    log,
		bootID: bootID,
		limit:  limit,
		kick:   make(chan struct{}, 1),
		bell:   make(chan struct{}, 1),
		gone:   make(chan struct{}, 1),
		wake:   make(chan struct{}, 1),
		notify: notify,
	}
}

// Add takes the samples of one run.
func (o *Outbox) Add(samples ...[]inspectors.Sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, some := range samples {
		for i := range some {
			o.addLocked(&some[i])
		}
	}
	if o.open != nil {
		bell.Ring(o.kick)
	}
	o.noteLocked()
}

func (o *Outbox) addLocked(sample *inspectors.Sample) {
	if (math.IsNaN(sample.Value) || math.IsInf(sample.Value, 0)) && !inspectors.IsEnding(sample.Value) {
		o.loseSamplesLocked(1) // a runner should not let one through, and no codec could carry it
		return
	}
	if o.open == nil {
		o.open = &Report{bytes: reportBytes}
	}
	s, isNew := o.table.get(sample)
	if isNew {
		o.open.bytes += s.bytes
	}
	o.open.add(s, sample.Time.UnixMilli(), sample.Value)
	if !inspectors.IsEnding(sample.Value) {
		o.atRisk++
	}
	if o.open.full() {
		o.cutLocked()
	}
}

// Run makes reports of the added samples, until ctx ends.
func (o *Outbox) Run(ctx context.Context) {
	timer := time.NewTimer(coalesce)
	defer timer.Stop()
	defer o.cut()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.kick:
		}
		timer.Reset(coalesce)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		o.cut()
	}
}

func (o *Outbox) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cutLocked()
}

// cutLocked queues the open report and makes room for it.
func (o *Outbox) cutLocked() {
	r := o.open
	if r == nil {
		return
	}
	o.open, r.made = nil, time.Now()
	if o.link != nil {
		o.live.put(r)
	} else {
		o.backlog.put(r)
	}
	o.queued++
	o.bytes += r.bytes
	for (o.queued > o.limit || o.bytes > maxOutboxBytes) && o.dropOldestLocked() {
	}
	if o.crowdedLocked() {
		bell.Ring(o.wake)
	}
	bell.Ring(o.bell)
}

// dropOldestLocked drops the oldest report that is not in flight, if any.
func (o *Outbox) dropOldestLocked() bool {
	var r *Report
	switch {
	case len(o.resend) > 0:
		r, o.resend = o.resend[0], o.resend[1:]
	case len(o.held) > 0:
		r, o.held = o.held[0], o.held[1:]
	case o.backlog.oldest() != nil:
		r = o.backlog.oldest()
		o.backlog.drop()
	case o.live.oldest() != nil:
		r = o.live.oldest()
		o.live.drop()
	default:
		return false
	}
	if !o.lossy {
		o.lossy = true
		o.log.Warn("the buffer is full; the oldest samples are dropped until the master takes them",
			"reports", o.limit, "bytes", maxOutboxBytes)
	}
	o.loseLocked(r)
	return true
}

// loseLocked gives up a report that is no longer in a queue.
func (o *Outbox) loseLocked(r *Report) {
	o.forgetLocked(r)
	o.loseSamplesLocked(uint64(r.samples()))
}

func (o *Outbox) loseSamplesLocked(n uint64) {
	o.dropped += n
	o.noteLocked()
	o.notify()
}

// forgetLocked removes a report that is no longer in a queue from the counts.
func (o *Outbox) forgetLocked(r *Report) {
	r.settled = true
	if r.id != 0 {
		o.disk.settledLocked(o, r)
		return
	}
	o.queued--
	o.bytes -= r.bytes
	o.atRisk -= uint64(r.samples())
	o.noteLocked()
	bell.Ring(o.gone)
	if o.queued == 0 && o.lossy {
		o.lossy = false
		o.log.Info("the buffer is empty again", "samples_dropped", o.dropped)
	}
}

// Drain closes the open report and waits until every report is with the master or
// on the disk. It gives up when there is no link to send them, when none was sent
// for as long as idle, or when ctx ends. Nothing may be added meanwhile.
func (o *Outbox) Drain(ctx context.Context, idle time.Duration) {
	o.cut()
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for left := o.toDrain(); left > 0; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-o.gone:
		}
		now := o.toDrain()
		if now < left {
			timer.Reset(idle)
		}
		left = now
	}
}

// toDrain returns how many reports in memory could go to the master now.
func (o *Outbox) toDrain() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link == nil {
		return 0
	}
	return o.queued - len(o.held)
}

// Measures are the counts of delivery.
type Measures struct {
	InMemory int // reports that are in memory alone
	// SamplesInMemory counts the samples of these reports, and those that wait to
	// become one.
	SamplesInMemory uint64
	OnDisk          int // reports on the disk that the master does not have
	// SamplesOnDisk is about how many samples these reports have.
	SamplesOnDisk uint64
	MemoryBytes   int64  // estimated size of the reports in memory
	SpoolBytes    uint64 // estimated size of the reports in the spool's file
	Dropped       uint64 // samples that the master will never have
	Spooling      bool   // reports can go to the disk
}

// Queued returns how many reports the master does not have.
func (m Measures) Queued() int { return m.InMemory + m.OnDisk }

// Delivered reports whether the master has a report of this run of the agent.
func (o *Outbox) Delivered() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.delivered
}

// Measures returns the current counts.
func (o *Outbox) Measures() Measures {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Measures{
		InMemory: o.queued, SamplesInMemory: o.atRisk, OnDisk: o.disk.reports, SamplesOnDisk: o.disk.totals.Samples,
		MemoryBytes: o.bytes, SpoolBytes: o.disk.totals.Bytes,
		Dropped: o.dropped, Spooling: o.disk.mode == modeDisk,
	}
}

// Ready receives a token when there may be a report to send: see Link.Next.
func (o *Outbox) Ready() <-chan struct{} { return o.bell }

// Status returns the part of the agent's status that is about delivery.
func (o *Outbox) Status() *wire.AgentStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &wire.AgentStatus{ReportsQueued: o.queued + o.disk.reports, SamplesDropped: o.dropped, Spool: o.disk.mode}
}
