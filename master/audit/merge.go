package audit

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// mergeWithin is how long the line of a first refusal also stands for refusals
	// like it.
	mergeWithin = time.Minute
	// kindsPerCaller is how many different refusals of one caller get their own
	// line in that time, and maxCallers is for how many callers.
	kindsPerCaller = 16
	maxCallers     = 256
)

// kind is what the refusals that one line stands for have in common.
type kind struct{ who, role, from, action, subject, outcome string }

// others is the kind for refusals of a caller, or of all callers, that are too
// many to be told apart.
const others = "…"

// merger holds back refusals that are like one with a line. It is safe for use
// from many goroutines.
type merger struct {
	mu      sync.Mutex
	pending map[kind]*merged // guarded by mu
	callers map[string]int   // guarded by mu: kinds in pending, by caller
}

// merged counts the refusals of a kind since the line that stands for it.
type merged struct {
	entry wire.AuditEntry // the last one
	began time.Time
	more  int // refusals without a line
}

// take returns the line to write for a refusal, if any.
func (m *merger) take(entry wire.AuditEntry, now time.Time) (wire.AuditEntry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending == nil {
		m.pending, m.callers = make(map[kind]*merged), make(map[string]int)
	}
	from := entry.From
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	k := kind{entry.Who, entry.Role, from, entry.Action, entry.Subject, entry.Outcome}
	caller := entry.Who + "\x00" + from
	if m.pending[k] == nil && m.callers[caller] >= kindsPerCaller {
		k.action, k.subject, k.outcome = others, "", others
		entry.Action, entry.Subject, entry.Detail, entry.Outcome = others, "", "", "refused"
	}
	if m.pending[k] == nil && m.callers[caller] == 0 && len(m.callers) >= maxCallers {
		k, caller = kind{who: others}, others
		entry = wire.AuditEntry{AtMS: entry.AtMS, Who: others, Role: others, From: others, Action: others, Outcome: "refused"}
	}
	known := m.pending[k]
	if known == nil {
		m.pending[k] = &merged{entry: entry, began: now}
		m.callers[caller]++
		return entry, true
	}
	known.entry = entry
	known.more++
	return wire.AuditEntry{}, false
}

// due returns the lines for refusals that were held back for mergeWithin, or for
// all of them, oldest first, and forgets them.
func (m *merger) due(now time.Time, all bool) []wire.AuditEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []wire.AuditEntry
	for k, known := range m.pending {
		if !all && now.Sub(known.began) < mergeWithin {
			continue
		}
		delete(m.pending, k)
		caller := k.who + "\x00" + k.from
		if k.who == others {
			caller = others
		}
		if m.callers[caller]--; m.callers[caller] <= 0 {
			delete(m.callers, caller)
		}
		if known.more > 0 {
			line := known.entry
			line.Detail = fmt.Sprintf("%d more within %v", known.more, now.Sub(known.began).Round(time.Second))
			lines = append(lines, line)
		}
	}
	slices.SortFunc(lines, func(a, b wire.AuditEntry) int { return int(a.AtMS - b.AtMS) })
	return lines
}

// Retention bounds the log.
type Retention struct {
	MaxAge   time.Duration
	MaxBytes int64 // of its lines
}

// DefaultRetention keeps a little more than a year, and about 200,000 lines.
func DefaultRetention() Retention {
	return Retention{MaxAge: 400 * 24 * time.Hour, MaxBytes: 64 << 20}
}

// Keep writes the lines for refusals that were held back, and removes lines beyond
// the retention. Call it every minute or so.
func (l *Log) Keep(ctx context.Context, now time.Time) error {
	if err := l.flush(ctx, now, false); err != nil {
		return err
	}
	if l.written.Load() < l.retention.MaxBytes/8 && now.Sub(l.swept()) < sweepEvery {
		return nil
	}
	return l.Sweep(ctx, now)
}

// Flush writes the lines for all refusals that were held back.
func (l *Log) Flush(ctx context.Context) error { return l.flush(ctx, time.Now(), true) }

func (l *Log) flush(ctx context.Context, now time.Time, all bool) error {
	for _, line := range l.merged.due(now, all) {
		if err := l.write(ctx, line); err != nil {
			return err
		}
	}
	return nil
}
