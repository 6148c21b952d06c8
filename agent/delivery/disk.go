package delivery

import (
	"cmp"
	"slices"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/internal/bell"
)

const (
	// spoolAfter is how long a report waits for its acknowledgement before it goes
	// to the disk, and the interval at which reports are moved. A master that
	// answers costs the disk nothing; one that does not costs at most two writes a
	// second.
	spoolAfter = 500 * time.Millisecond
	// loadAhead is how many reports are read from the disk at once. Reading starts
	// when fewer than loadBelow of them wait to be sent.
	loadAhead = 8
	loadBelow = 4
	// doneAtOnce is the number of finished reports that are removed from the disk
	// without waiting for more.
	doneAtOnce = 256
)

// disk is the outbox's view of the spool. The outbox's mu guards it; the Spooler
// does the work, without mu.
type disk struct {
	mode    string       // as wire.AgentStatus.Spool has it
	reports int          // in the store; the master does not have them
	out     int          // of these, loaded or in flight
	done    []uint64     // ids of those that the master has but the store has not removed
	later   []later      // ids of those that the store is to hold back
	totals  spool.Totals // of the store, or zero
}

// settledLocked notes that the master has a report of the disk, or will never
// take it.
func (d *disk) settledLocked(o *Outbox, r *Report) {
	d.done = append(d.done, r.id)
	d.out--
	d.reports--
	if len(d.done) >= doneAtOnce {
		bell.Ring(o.wake)
	}
	if d.reports == 0 {
		o.notify()
	}
}

// noteLocked keeps the count of what would be lost now.
func (o *Outbox) noteLocked() {
	if o.claim == nil {
		return
	}
	count := spool.Count{
		Dropped: o.dropped,
		AtRisk:  o.atRisk,
		OnDisk:  o.disk.totals.Samples,
		Moved:   o.disk.totals.Moved,
		Gone:    o.disk.totals.Dropped,
	}
	if err := o.claim.Note(count); err != nil {
		o.log.Warn("samples that are lost when the agent is killed are counted no more", "reason", err)
	}
}

// crowdedLocked reports whether it is time to move reports out of memory, however
// new they are.
func (o *Outbox) crowdedLocked() bool {
	return o.queued > o.limit/2 || o.bytes > maxOutboxBytes/2
}

// takeOld takes out the reports that should go to the disk: all of them if there
// is no link to send them, or if memory gets short; otherwise those that have
// waited for long. They still count as in memory until moved or untake is called
// with them. Reports in flight that have waited for long are copied: they stay in
// flight, and their samples survive if the process is killed.
func (o *Outbox) takeOld() (taken, flying []*Report) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	all, before := o.link == nil || o.crowdedLocked(), now.Add(-spoolAfter)
	old := func(r *Report) bool { return all || !r.made.After(before) }
	o.resend = slices.DeleteFunc(o.resend, func(r *Report) bool {
		if !old(r) {
			return false
		}
		taken = append(taken, r)
		return true
	})
	taken = append(taken, o.takeHeldLocked(all, now)...)
	taken = append(taken, o.backlog.take(old)...)
	taken = append(taken, o.live.take(old)...)
	if o.link != nil {
		for r := range o.link.inFlight {
			if r.id == 0 && !r.made.After(before) {
				flying = append(flying, r)
			}
		}
	}
	return taken, flying
}

// untake puts back reports that could not be moved to the disk.
func (o *Outbox) untake(taken []*Report) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var unsent []*Report
	now := time.Now()
	for _, r := range taken {
		if r.notBefore.After(now) {
			o.held = append(o.held, r)
		} else if r.seq == 0 {
			unsent = append(unsent, r)
		} else {
			o.putBackLocked(r)
		}
	}
	o.backlog.putBack(unsent)
	bell.Ring(o.bell)
}

// moved notes that reports are now on the disk and that finished ones have left
// it, with the totals of the store. ids are those of flying; moved returns the ids
// of those that are still in flight.
func (o *Outbox) moved(taken, flying []*Report, ids []uint64, done int, totals spool.Totals) (held []uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := &o.disk
	d.done = slices.Delete(d.done, 0, done)
	for _, r := range taken {
		o.leaveMemoryLocked(r)
	}
	for i, r := range flying {
		if r.settled { // meanwhile
			d.done = append(d.done, ids[i])
			continue
		}
		o.leaveMemoryLocked(r)
		r.id = ids[i]
		d.out++
		held = append(held, r.id)
		if at := slices.Index(o.resend, r); at >= 0 {
			o.resend = slices.Delete(o.resend, at, at+1)
			o.putBackLocked(r)
		}
	}
	d.reports = int(totals.Reports) - len(d.done)
	lost := totals.Dropped - d.totals.Dropped
	d.totals = totals
	if lost > 0 {
		o.loseSamplesLocked(lost)
	}
	o.noteLocked()
	bell.Ring(o.gone)
	return held
}

// leaveMemoryLocked removes a report that is on the disk from the counts of
// reports in memory alone.
func (o *Outbox) leaveMemoryLocked(r *Report) {
	o.queued--
	o.bytes -= r.bytes
	o.atRisk -= uint64(r.samples())
}

// doneOnDisk returns the reports that the store may remove.
func (o *Outbox) doneOnDisk() []uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.disk.done)
}

// hungry reports whether there are reports on the disk that could be sent and are
// not loaded.
func (o *Outbox) hungry() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.link != nil && len(o.loaded) < loadBelow && o.disk.reports > o.disk.out
}

// load takes reports that the store has given out.
func (o *Outbox) load(kept []spool.Kept) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range kept {
		o.loaded = append(o.loaded, o.table.loadReport(&kept[i]))
	}
	o.disk.out += len(kept)
	bell.Ring(o.bell)
}

// putBackLocked queues a report that was sent, to be sent again.
func (o *Outbox) putBackLocked(r *Report) {
	into, order := &o.resend, func(r *Report) uint64 { return r.seq }
	if r.id != 0 {
		into, order = &o.loaded, func(r *Report) uint64 { return r.id }
	}
	at, _ := slices.BinarySearchFunc(*into, r, func(a, b *Report) int { return cmp.Compare(order(a), order(b)) })
	*into = slices.Insert(*into, at, r)
}

// takeOver continues the counts of the previous run. It returns how many samples
// were lost with that run.
func (o *Outbox) takeOver(before spool.Count, totals *spool.Totals) (lost uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	after := before.After(totals)
	o.dropped += after.Dropped
	o.disk.totals = spool.Totals{Samples: after.OnDisk, Moved: after.Moved, Dropped: after.Gone}
	if totals != nil {
		o.disk.totals, o.disk.reports = *totals, int(totals.Reports)
	}
	o.noteLocked()
	return after.Dropped - before.Dropped
}

// inherited notes that reports of another store have moved into this one.
func (o *Outbox) inherited(totals spool.Totals) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.disk.totals, o.disk.reports = totals, int(totals.Reports)-len(o.disk.done)
	o.noteLocked()
	bell.Ring(o.wake)
}

// abandon notes that the store is damaged: reports that were loaded from it are
// now in memory alone, the rest is lost.
func (o *Outbox) abandon() (lost uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := &o.disk
	lost = d.totals.Samples
	adopt := func(r *Report) {
		if r.id == 0 {
			return
		}
		r.id = 0
		o.queued++
		o.bytes += r.bytes
		o.atRisk += uint64(r.samples())
		lost -= min(lost, uint64(r.samples()))
	}
	for _, r := range o.loaded {
		adopt(r)
		o.putBackLocked(r)
	}
	o.loaded = nil
	if o.link != nil {
		for r := range o.link.inFlight {
			adopt(r)
		}
	}
	*d = disk{mode: d.mode}
	o.loseSamplesLocked(lost)
	return lost
}

// leave stops recording, because the claim is given up.
func (o *Outbox) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.claim = nil
}

// setMode sets where reports are kept, for the status.
func (o *Outbox) setMode(mode string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.disk.mode != mode {
		o.disk.mode = mode
		o.notify()
	}
}
