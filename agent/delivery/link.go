package delivery

import (
	"slices"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Link is the sending side of the outbox for one connection. Reports overtake each
// other, so nothing here relies on the order in which they arrive: a report is
// sent only when each of its series is declared by an acknowledged report of this
// connection, or by the report itself.
type Link struct {
	o           *Outbox
	ends, about bool // whether the master takes ends of series and descriptions of metrics

	// The outbox's mu guards these.
	lastID   uint32           // of a declared series
	inFlight map[*Report]bool // true for those of the backlog
	backlogs int              // the number of true entries in inFlight
	paced    time.Time        // no more of the backlog is sent before this time
	paused   time.Time        // nothing is sent before this time
}

// Connect starts a link. Reports up to and including number acked, which the
// master says it has, are not sent again. takes are the parts of reports that the master
// takes, as it said at hello. The previous link must have ended.
func (o *Outbox) Connect(acked uint64, takes ...string) *Link {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resend = slices.DeleteFunc(o.resend, func(r *Report) bool {
		known := r.boot == "" && r.seq <= acked
		if known {
			o.forgetLocked(r)
		}
		return known
	})
	o.link = &Link{
		o: o, inFlight: make(map[*Report]bool),
		ends: slices.Contains(takes, wire.TakesEnds), about: slices.Contains(takes, wire.TakesAbout),
	}
	bell.Ring(o.bell)
	bell.Ring(o.wake)
	return o.link
}

// End ends the link, when nothing is in flight any more. Live reports that were
// not sent become backlog.
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

// Next returns the report to send now and its params, and marks it as in flight.
// If there is none, it returns nil; and if one only has to wait, how long.
// Otherwise the outbox's bell says when to ask again. Live reports go first.
func (l *Link) Next() (*Report, *wire.ReportParams, time.Duration) {
	l.o.mu.Lock()
	defer l.o.mu.Unlock()
	for {
		r, p, wait := l.nextLocked()
		if r == nil || p != nil {
			return r, p, wait
		}
		l.o.forgetLocked(r) // it has nothing that this master takes
	}
}

// nextLocked is Next, and returns no params for a report of which nothing is to be sent.
func (l *Link) nextLocked() (*Report, *wire.ReportParams, time.Duration) {
	o := l.o
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

// nextOfBacklogLocked is Next when no live report waits. Reports that were sent
// before and came back go before reports that were never sent. Among the latter,
// those on the disk are the oldest.
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

// blockedLocked reports whether a series of r is declared by a report that is
// still in flight.
func (l *Link) blockedLocked(r *Report) bool {
	for _, s := range r.series {
		if s.link == l && s.declaring != nil {
			return true
		}
	}
	return false
}

// sendLocked numbers r, adds the declarations that it needs, and records it as in
// flight. A report gets its number when it is first sent, so reports that are
// dropped before leave no gaps in the numbers. It returns nil, and records nothing, where
// the report has ends of series alone and the master does not take those.
func (l *Link) sendLocked(r *Report, backlog bool) *wire.ReportParams {
	left := r.ends > 0 && !l.ends
	if left && r.samples() == 0 {
		return nil
	}
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
	numbers := make([]uint32, r.len())
	told := make(map[*inspectors.About]bool)
	for i, s := range r.series {
		if left && inspectors.IsEnding(r.values[i]) {
			continue
		}
		isNew := s.link != l
		if isNew {
			l.lastID++
			s.link, s.id = l, l.lastID
		}
		if isNew || l.about && s.about != s.told && !told[s.about] {
			s.declaring = r
			r.declares = append(r.declares, s)
			declaration := s.declaration()
			if l.about {
				s.describe(&declaration, told)
			}
			p.Series = append(p.Series, declaration)
		}
		s.told = s.about
		numbers[i] = s.id
	}
	if p.T, p.S, p.V = r.times, numbers, r.values; r.ends > 0 {
		splitEndings(p)
	}
	if left {
		p.Ends = nil
	}
	return p
}

// splitEndings moves the samples that end series to their own columns: they have no value
// that a codec could carry. The columns of the report are left as they are.
func splitEndings(p *wire.ReportParams) {
	all := p.Columns
	p.Columns, p.Ends = wire.Columns{T: []int64{}, S: []uint32{}, V: []float64{}}, &wire.Ends{}
	for i, v := range all.V {
		if inspectors.IsEnding(v) {
			p.Ends.T, p.Ends.S = append(p.Ends.T, all.T[i]), append(p.Ends.S, all.S[i])
			continue
		}
		p.T, p.S, p.V = append(p.T, all.T[i]), append(p.S, all.S[i]), append(p.V, v)
	}
}

// landLocked removes r from the reports in flight. If known, the master knows the
// series that it declares; otherwise they count as unknown. A series number is
// never used twice on a connection, so a declaration that did arrive does no harm.
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

// Acknowledged removes r. refused is how many of its samples the master did not
// take.
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

// Returned keeps r, which was not acknowledged, to be sent again. Nothing is sent
// before pause has passed.
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
// wait. It delays nothing else. The master knows the series that r declares.
func (l *Link) Held(r *Report, wait time.Duration) {
	o := l.o
	o.mu.Lock()
	defer o.mu.Unlock()
	l.landLocked(r, true)
	o.holdLocked(r, time.Now().Add(wait))
}

// Refused counts one refusal of r by the master. When r has been sent as often as
// most says, it is given up and Refused returns false. Otherwise it will be sent
// again after the pause, alone at the head of the backlog, and delays nothing
// else.
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
