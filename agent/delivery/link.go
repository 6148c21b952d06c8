package delivery

import (
	"slices"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Link is the sending side of the outbox for one connection. Reports overtake
// each other, so nothing here relies on the order in which they arrive: a
// report is sent only when each of its series is declared by an acknowledged
// report of this connection, or by the report itself.
type Link struct {
	o *Outbox

	// The outbox's mu guards these.
	lastID   uint32           // of a declared series
	inFlight map[*Report]bool // true for those of the backlog
	backlogs int              // how many of inFlight are true
	paced    time.Time        // before which no more of the backlog is sent
	paused   time.Time        // before which nothing is sent
}

// Connect starts a link. Reports up to and including the mark acked, which the
// master says it has, are not sent again. The one link before must have ended.
func (o *Outbox) Connect(acked uint64) *Link {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resend = slices.DeleteFunc(o.resend, func(r *Report) bool {
		known := r.boot == "" && r.seq <= acked
		if known {
			o.forgetLocked(r)
		}
		return known
	})
	o.link = &Link{o: o, inFlight: make(map[*Report]bool)}
	bell.Ring(o.bell)
	bell.Ring(o.wake)
	return o.link
}

// End ends the link when nothing is in flight any more. Live reports that were not sent
// become the backlog.
func (l *Link) End() {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	o.link = nil
	bell.Ring(o.gone)
	for r := o.live.oldest(); r != nil; r = o.live.oldest() {
		o.live.drop()
		o.backlog.put(r)
	}
}

// Next returns the report to send now and its params, and notes it as in flight; or nil
// and, if only time has to pass, how long. Otherwise the outbox's bell tells when to
// ask again. Live reports go first.
func (l *Link) Next() (*Report, *wire.ReportParams, time.Duration) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	if wait := time.Until(l.paused); wait > 0 {
		return nil, nil, wait
	}
	if len(l.inFlight) >= maxWindow {
		return nil, nil, 0
	}
	if r := o.live.oldest(); r != nil {
		if l.blockedLocked(r) {
			return nil, nil, 0
		}
		o.live.drop()
		return r, l.sendLocked(r, false), 0
	}
	return l.nextOfBacklogLocked()
}

// nextOfBacklogLocked is Next where nothing live waits. Reports that were sent before
// and came back go before reports that were never sent, and the oldest of those are on
// the disk.
func (l *Link) nextOfBacklogLocked() (*Report, *wire.ReportParams, time.Duration) {
	o := l.o
	early := o.releaseHeldLocked(time.Now())
	r := o.backlog.oldest()
	switch {
	case len(o.resend) > 0:
		r = o.resend[0]
	case len(o.loaded) > 0:
		r = o.loaded[0]
	}
	if r == nil {
		return nil, nil, early
	}
	if l.backlogs >= maxBacklogWindow || l.blockedLocked(r) {
		return nil, nil, 0
	}
	if wait := time.Until(l.paced); wait > 0 {
		return nil, nil, wait
	}
	switch {
	case len(o.resend) > 0:
		o.resend = o.resend[1:]
	case len(o.loaded) > 0:
		o.loaded = o.loaded[1:]
		if len(o.loaded) < loadBelow {
			bell.Ring(o.wake)
		}
	default:
		o.backlog.drop()
	}
	l.paced = time.Now().Add(backlogGap)
	return r, l.sendLocked(r, true), 0
}

// blockedLocked tells whether a series of r is declared by a report that is
// still in flight.
func (l *Link) blockedLocked(r *Report) bool {
	for _, s := range r.series {
		if s.link == l && s.declaring != nil {
			return true
		}
	}
	return false
}

// sendLocked numbers r, declares what has to be declared, and writes it down.
// A report gets its number when it is first sent, so that those which are
// dropped before leave no gaps in the numbers.
func (l *Link) sendLocked(r *Report, backlog bool) *wire.ReportParams {
	if r.seq == 0 {
		l.o.seq++
		r.seq = l.o.seq
	}
	l.inFlight[r] = backlog
	if backlog {
		l.backlogs++
	}
	p := &wire.ReportParams{BootID: l.o.bootID, Seq: r.seq, NowMS: time.Now().UnixMilli()}
	if r.boot != "" {
		p.BootID = r.boot
	}
	p.T, p.V, p.S = r.times, r.values, make([]uint32, r.len())
	told := make(map[*inspectors.About]bool)
	for i, s := range r.series {
		if s.link != l {
			l.lastID++
			s.link, s.id, s.declaring = l, l.lastID, r
			r.declares = append(r.declares, s)
			declaration := s.declaration()
			s.describe(&declaration, told)
			p.Series = append(p.Series, declaration)
		}
		p.S[i] = s.id
	}
	return p
}

// landLocked takes r out of what is in flight. Its declared series count as known to
// the master if known, and as unknown otherwise: a number is never given twice on a
// connection, so a declaration that did arrive does no harm.
func (l *Link) landLocked(r *Report, known bool) {
	if l.inFlight[r] {
		l.backlogs--
	}
	delete(l.inFlight, r)
	for _, s := range r.declares {
		s.declaring = nil
		if !known {
			s.link = nil
		}
	}
	r.declares = nil
	bell.Ring(l.o.bell)
}

// Acknowledged removes r. refused is how many of its samples the master did not take.
func (l *Link) Acknowledged(r *Report, refused int) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	l.landLocked(r, true)
	if o.forgetLocked(r); r.boot == "" {
		o.delivered = true
	}
	if refused > 0 {
		o.loseSamplesLocked(uint64(refused))
	}
}

// Returned keeps r, which was not acknowledged, to be sent again. Nothing is
// sent before pause has passed.
func (l *Link) Returned(r *Report, pause time.Duration) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	l.landLocked(r, false)
	o.putBackLocked(r)
	if until := time.Now().Add(pause); until.After(l.paused) {
		l.paused = until
	}
}

// Held keeps r, which is ahead of the master's clock, to be sent again after the
// wait. It holds up nothing else. The master has noted what r declares.
func (l *Link) Held(r *Report, wait time.Duration) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	l.landLocked(r, true)
	o.holdLocked(r, time.Now().Add(wait))
}

// Refused counts that the master does not take r, and gives it up, returning
// false, when it was sent that many times. Else r is sent again, alone at the
// head of the backlog and after the pause, which holds up nothing else.
func (l *Link) Refused(r *Report, most int, pause time.Duration) (again bool) {
	l.o.mu.Lock()
	r.attempts++
	again = r.attempts < most
	if !again {
		l.landLocked(r, false)
		l.o.loseLocked(r)
	}
	l.o.mu.Unlock()
	if again {
		l.Returned(r, pause)
	}
	return again
}
