package assignment

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/internal/errtext"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// How long a receipt may wait for others to be sent with it, by the kind of its
// change.
const (
	receiptEnd   = 3 * time.Millisecond  // healthy, failed, refused: somebody waits for it
	receiptStep  = 50 * time.Millisecond // a step on the way there
	receiptWords = time.Second           // a new reason for the same state
)

// Receipts record how far the inspectors of the assignment got, and which changes
// the master has not heard of. They are safe for use from many goroutines, and
// call nobody while locked.
type Receipts struct {
	bell chan struct{} // capacity 1: due is now earlier

	mu      sync.Mutex // guards all below
	hash    string
	entries map[string]*receipt
	all     bool      // the master has not heard of the assignment
	due     time.Time // when to send the changes; zero if there are none
}

// receipt is the receipt of one inspector.
type receipt struct {
	wire.Receipt
	changed bool // and not taken yet
	barred  bool // it failed or was refused before it was handed on to be loaded
	signed  []wire.Signature
}

// NewReceipts returns receipts of an empty assignment.
func NewReceipts() *Receipts {
	return &Receipts{bell: make(chan struct{}, 1), entries: make(map[string]*receipt)}
}

// Bell rings when Due has become earlier.
func (b *Receipts) Bell() <-chan struct{} { return b.bell }

// Assign makes the receipts those of an assignment. The receipt of a revision that
// was assigned before stays as it is, unless the revision was barred and now comes
// with other signatures.
func (b *Receipts) Assign(a *wire.Assignment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.entries
	b.hash, b.all = a.Hash, true
	b.entries = make(map[string]*receipt, len(a.Inspectors))
	for _, item := range a.Inspectors {
		r := old[item.Name]
		if r == nil || r.Revision != item.Revision || r.barred && !slices.Equal(r.signed, item.Signatures) {
			r = &receipt{Receipt: wire.Receipt{
				Inspector: item.Name, Revision: item.Revision,
				State: wire.ReceiptReceived, AtMS: time.Now().UnixMilli(),
			}}
		}
		r.signed = item.Signatures
		b.entries[item.Name] = r
	}
	b.dueInLocked(receiptStep)
}

// Verified notes that the code has been handed on to be loaded.
func (b *Receipts) Verified(name, revision string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.ofLocked(name, revision); r != nil && (r.State == wire.ReceiptReceived || r.barred) {
		b.moveLocked(r, wire.ReceiptVerified, "", "")
		r.barred = false
	}
}

// Barred notes that the code is not handed on to be loaded: state is failed or
// refused, and running is the revision that continues.
func (b *Receipts) Barred(name, revision, state, reason, running string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.ofLocked(name, revision); r != nil {
		b.moveLocked(r, state, reason, running)
		r.barred = true
	}
}

// Loaded notes that the code runs from now on.
func (b *Receipts) Loaded(name, revision string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.ofLocked(name, revision); r != nil {
		b.moveLocked(r, wire.ReceiptLoaded, "", "")
	}
}

// Ran updates the receipt from the state of a loaded inspector. reason says why it
// is not well.
func (b *Receipts) Ran(name, revision, state, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.ofLocked(name, revision)
	switch {
	case r == nil:
	case state == wire.StateOK:
		b.moveLocked(r, wire.ReceiptHealthy, "", "")
	case state == wire.StateStarved: // says nothing about the code
		if r.State == wire.ReceiptVerified || r.State == wire.ReceiptLoaded {
			b.moveLocked(r, r.State, reason, r.Running)
		}
	case state != wire.StateStarting:
		b.moveLocked(r, wire.ReceiptFailed, reason, "")
	}
}

// LoadFailed notes why a definition is not loaded, and which revision continues.
// After a failure that is not the fault of the code, loading is tried again, so
// the receipt is not final.
func (b *Receipts) LoadFailed(name, revision string, err error, running string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.ofLocked(name, revision)
	switch {
	case r == nil:
	case errors.Is(err, inspectors.ErrPolicy):
		b.moveLocked(r, wire.ReceiptRefused, errtext.Of(err), running)
	case errors.Is(err, plugins.ErrUnavailable):
		b.moveLocked(r, wire.ReceiptVerified, errtext.Of(err), running)
	default:
		b.moveLocked(r, wire.ReceiptFailed, errtext.Of(err), running)
	}
}

// ofLocked returns the receipt of a revision, or nil if the inspector is not
// assigned or has another revision.
func (b *Receipts) ofLocked(name, revision string) *receipt {
	r := b.entries[name]
	if r == nil || revision == "" || r.Revision != revision {
		return nil
	}
	return r
}

// moveLocked changes a receipt.
func (b *Receipts) moveLocked(r *receipt, state, reason, running string) {
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
	b.dueInLocked(wait)
}

func (b *Receipts) dueInLocked(wait time.Duration) {
	if due := time.Now().Add(wait); b.due.IsZero() || due.Before(b.due) {
		b.due = due
		bell.Ring(b.bell)
	}
}

// Due returns when to send receipts; the zero time means not now.
func (b *Receipts) Due() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.due
}

// Again makes all receipts due again, after the wait. It does nothing if nothing
// was ever assigned.
func (b *Receipts) Again(wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hash == "" && !b.all {
		return
	}
	b.all, b.due = true, time.Now().Add(wait)
	bell.Ring(b.bell)
}

// Take returns the receipts that the master has not heard of, by name: all of
// them, or those that changed since the last Take.
func (b *Receipts) Take() wire.ReceiptParams {
	b.mu.Lock()
	defer b.mu.Unlock()
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
