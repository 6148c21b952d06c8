package hosts

import (
	"errors"
	"slices"
	"sync"
)

// maxRanges bounds the gaps between reports that are remembered for one run of an
// agent. A gap is a report that was dropped, was refused, or is still to come;
// beyond the bound the oldest gap is assumed never to be filled.
const maxRanges = 1024

// maxBoots is how many boot ids of one agent are remembered, those that were used
// last. A report with another boot id would be taken again.
const maxBoots = 8

// Reports knows which reports of one run of an agent the master has, so that a
// report which is sent again after a broken connection is taken once. Reports come
// in any order, because live ones overtake a backlog.
type Reports struct {
	mu    sync.Mutex
	taken []seqRange // sorted; apart by at least one missing report
	used  uint64     // its place in the order of use within its host; Registry.mu guards it
}

type seqRange struct{ first, last uint64 }

// Acked returns the number up to which every report was taken, or 0 if the first
// is missing.
func (r *Reports) Acked() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.taken) == 0 || r.taken[0].first > 1 {
		return 0
	}
	return r.taken[0].last
}

// Take runs take for a report that was not taken before, and notes the report if
// that returns no error. It returns false for one that was taken before.
func (r *Reports) Take(seq uint64, take func() error) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq == 0 {
		return false, errors.New("seq is 0; reports count from 1")
	}
	at, dup := slices.BinarySearchFunc(r.taken, seq, func(s seqRange, seq uint64) int {
		switch {
		case s.last < seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	if dup {
		return false, nil
	}
	if err := take(); err != nil {
		return false, err
	}
	r.insertLocked(at, seq)
	return true, nil
}

// insertLocked adds seq, which lies before range at and in none, and joins
// adjacent ranges.
func (r *Reports) insertLocked(at int, seq uint64) {
	joinsBefore := at > 0 && r.taken[at-1].last+1 == seq
	joinsAfter := at < len(r.taken) && seq+1 == r.taken[at].first
	switch {
	case joinsBefore && joinsAfter:
		r.taken[at-1].last = r.taken[at].last
		r.taken = slices.Delete(r.taken, at, at+1)
	case joinsBefore:
		r.taken[at-1].last = seq
	case joinsAfter:
		r.taken[at].first = seq
	default:
		r.taken = slices.Insert(r.taken, at, seqRange{seq, seq})
	}
	if len(r.taken) > maxRanges {
		r.taken[1].first = r.taken[0].first
		r.taken = slices.Delete(r.taken, 0, 1)
	}
}

// reports returns the reports under a boot id of the host's agent. Registry.mu
// is held.
func (h *host) reports(boot string) *Reports {
	known, ok := h.boots[boot]
	if ok {
		h.use(known)
		return known
	}
	if len(h.boots) >= maxBoots {
		oldest, first := "", uint64(0)
		for id, reports := range h.boots {
			if first == 0 || reports.used < first {
				oldest, first = id, reports.used
			}
		}
		delete(h.boots, oldest)
	}
	known = &Reports{}
	h.use(known)
	h.boots[boot] = known
	return known
}

func (h *host) use(reports *Reports) {
	h.uses++
	reports.used = h.uses
}
