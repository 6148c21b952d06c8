package agent

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// How long a receipt may wait for others to go with it, by what it tells of.
const (
	receiptEnd   = 3 * time.Millisecond  // healthy, failed, refused: somebody waits for it
	receiptStep  = 50 * time.Millisecond // a step on the way there
	receiptWords = time.Second           // another reason for the same state
)

// receipts are how far the inspectors of the assignment got. The tracker's mu
// guards them.
type receipts struct {
	bell chan struct{} // capacity 1: due has come nearer

	hash    string
	entries map[string]*receipt
	all     bool      // the master has not heard of the assignment
	due     time.Time // when what changed is to be sent; zero where nothing did
}

// receipt is one of them.
type receipt struct {
	wire.Receipt
	changed bool // and not taken yet
	barred  bool // it ended before it was handed on to be loaded
	signed  []wire.Signature
}

func newReceipts() receipts {
	return receipts{bell: make(chan struct{}, 1), entries: make(map[string]*receipt)}
}

// assign makes the receipts those of an assignment. One of a revision that was
// there before stays as it is, but for one that may be let through now that it has
// other signatures.
func (t *tracker) assign(a *wire.Assignment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.receipts.entries
	t.receipts.hash, t.receipts.all = a.Hash, true
	t.receipts.entries = make(map[string]*receipt, len(a.Inspectors))
	for _, item := range a.Inspectors {
		r := old[item.Name]
		if r == nil || r.Revision != item.Revision || r.barred && !slices.Equal(r.signed, item.Signatures) {
			r = &receipt{Receipt: wire.Receipt{
				Inspector: item.Name, Revision: item.Revision,
				State: wire.ReceiptReceived, AtMS: time.Now().UnixMilli(),
			}}
		}
		r.signed = item.Signatures
		t.receipts.entries[item.Name] = r
	}
	t.receipts.dueIn(receiptStep)
}

// verified notes that the code is handed on to be loaded.
func (t *tracker) verified(name, revision string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.receipts.of(name, revision); r != nil && (r.State == wire.ReceiptReceived || r.barred) {
		t.receipts.move(r, wire.ReceiptVerified, "", "")
		r.barred = false
	}
}

// barred notes that the code is not handed on to be loaded: State is failed or
// refused, and running the revision that goes on.
func (t *tracker) barred(name, revision, state, reason, running string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.receipts.of(name, revision); r != nil {
		t.receipts.move(r, state, reason, running)
		r.barred = true
	}
}

// adopt notes that the code which runs already is that of d.
func (t *tracker) adopt(d inspectors.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[d.Name]
	if r == nil || r.Revision != d.Revision() {
		return
	}
	if r.Assigned != d.Assigned {
		r.Assigned = d.Assigned
		t.markLocked(r, atOnce)
	}
	if r.State == wire.StateStarting {
		t.receipts.loaded(d.Name, d.Assigned)
	} else {
		t.receipts.ran(r)
	}
}

// of returns the receipt of a revision, or nil where the inspector is assigned
// none or another.
func (b *receipts) of(name, revision string) *receipt {
	r := b.entries[name]
	if r == nil || revision == "" || r.Revision != revision {
		return nil
	}
	return r
}

func (b *receipts) loaded(name, revision string) {
	if r := b.of(name, revision); r != nil {
		b.move(r, wire.ReceiptLoaded, "", "")
	}
}

// ran draws the conclusion of the state that a loaded inspector is in.
func (b *receipts) ran(rec *record) {
	r := b.of(rec.Name, rec.Assigned)
	switch {
	case r == nil:
	case rec.State == wire.StateOK:
		b.move(r, wire.ReceiptHealthy, "", "")
	case rec.State == wire.StateStarved: // which says nothing of the code
		if r.State == wire.ReceiptVerified || r.State == wire.ReceiptLoaded {
			b.move(r, r.State, rec.Error, r.Running)
		}
	case rec.State != wire.StateStarting:
		b.move(r, wire.ReceiptFailed, rec.Error, "")
	}
}

// loadFailed notes why a definition is not loaded, and which revision goes on.
// What is no fault of the code is tried again, and ends nothing.
func (b *receipts) loadFailed(d *inspectors.Definition, err error, running string) {
	r := b.of(d.Name, d.Assigned)
	switch {
	case r == nil:
	case errors.Is(err, inspectors.ErrPolicy):
		b.move(r, wire.ReceiptRefused, errorText(err), running)
	case errors.Is(err, plugins.ErrUnavailable):
		b.move(r, wire.ReceiptVerified, errorText(err), running)
	default:
		b.move(r, wire.ReceiptFailed, errorText(err), running)
	}
}

// move changes a receipt.
func (b *receipts) move(r *receipt, state, reason, running string) {
	if running == r.Revision {
		running = ""
	}
	wait := receiptWords
	if r.State != state {
		r.State, r.AtMS = state, time.Now().UnixMilli()
		wait = receiptEnd
		if state == wire.ReceiptVerified || state == wire.ReceiptLoaded {
			wait = receiptStep
		}
	} else if r.Reason == reason && r.Running == running {
		return
	}
	r.Reason, r.Running, r.changed = reason, running, true
	b.dueIn(wait)
}

func (b *receipts) dueIn(wait time.Duration) {
	if due := time.Now().Add(wait); b.due.IsZero() || due.Before(b.due) {
		b.due = due
		bell.Ring(b.bell)
	}
}

// receiptsDue returns when receipts are to be sent; zero is not now.
func (t *tracker) receiptsDue() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.receipts.due
}

// receiptsAgain has all receipts sent, not before the wait is over. There is
// nothing to tell where nothing was ever assigned.
func (t *tracker) receiptsAgain(wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.receipts.hash == "" && !t.receipts.all {
		return
	}
	t.receipts.all, t.receipts.due = true, time.Now().Add(wait)
	bell.Ring(t.receipts.bell)
}

// takeReceipts returns what the master has not heard, by name: all of them, or
// those that changed since the last take.
func (t *tracker) takeReceipts() wire.ReceiptParams {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.receipts
	p := wire.ReceiptParams{Hash: b.hash, All: b.all, Receipts: []wire.Receipt{}}
	for _, name := range slices.Sorted(maps.Keys(b.entries)) {
		r := b.entries[name]
		if b.all || r.changed {
			p.Receipts = append(p.Receipts, r.Receipt)
		}
		r.changed = false
	}
	b.all, b.due = false, time.Time{}
	return p
}

// sendReceipts tells the master how far the assigned inspectors are, and then
// what changes. What changes within a moment is one call, and a receipt that
// moved on before it was sent is told as it is then. It returns when ctx ends or
// the connection is of no use.
func (s *session) sendReceipts(ctx context.Context, p *rpc.Peer) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	s.track.receiptsAgain(0)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.track.receipts.bell:
		case <-timer.C:
		}
		due := s.track.receiptsDue()
		if due.IsZero() {
			continue
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			continue
		}
		if err := s.sendReceipt(ctx, p); err != nil {
			return err
		}
		timer.Reset(0) // for what came meanwhile
	}
}

// sendReceipt makes one call. An error says that the connection is of no use.
func (s *session) sendReceipt(ctx context.Context, p *rpc.Peer) error {
	call, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	_, err := wire.MasterReceipt.Call(call, p, s.track.takeReceipts())
	re, answered := errors.AsType[*rpc.Error](err)
	switch {
	case !answered, refusedForGood(err), re.Code == wire.CodeConflict:
		return err
	case re.Code == wire.CodeBusy:
		s.track.receiptsAgain(busyPause(err))
	case re.Code == rpc.CodeMethodNotFound:
		s.noReceipts.Do(func() {
			s.log.Warn("the master takes no receipts of pushed inspectors; install this agent's version on it")
		})
		<-ctx.Done()
		return context.Cause(ctx)
	default:
		s.log.Error("the master refused receipts", "reason", re)
	}
	return nil
}
