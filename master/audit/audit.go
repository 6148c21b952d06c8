// Package audit keeps the log of every change that somebody made or tried to make:
// who, in which role, from where, what, and how it ended. It is kept for a time
// and up to a size.
//
// The code that handles a call puts an Attempt into its context. A change of the
// state writes its line in the same commit, so that both are written or neither
// is; an attempt that has no line when the call has ended gets one then. So there
// is one line for each change, and one for each refused attempt, unless there are
// many of one kind: then one further line says how many more there were. No line
// is ever changed: the one with the number is written when that is final.
//
// The lines form a chain: each has a checksum over itself, its number and the
// previous checksum, made in the commit that adds it. Verify finds later changes.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// LogName is the log of the state that has the lines.
	LogName = "audit"
	// OK is the outcome of a success.
	OK = "ok"

	defaultLimit = 100
	maxLimit     = 10_000
	// maxTextBytes bounds the text that a caller can put into a line.
	maxTextBytes = 2000

	// sweepEvery is how often the log is searched for lines that are too old.
	sweepEvery = time.Hour
	// trimMost is how many lines are removed in one write.
	trimMost = 1000
)

// Log is the audit log in a state. It is safe for use from many goroutines.
type Log struct {
	store     state.Store
	retention Retention
	merged    merger
	cutting   sync.Mutex   // held while lines are removed, or verified
	written   atomic.Int64 // bytes of lines since the last Sweep
	sweptAt   atomic.Int64 // time of the last Sweep, in ns since 1970, or 0
}

// New makes the log of a state.
func New(store state.Store, retention Retention) *Log {
	return &Log{store: store, retention: retention}
}

func (l *Log) swept() time.Time { return time.Unix(0, l.sweptAt.Load()) }

// Append adds a separate line. A refusal that is like one with a line is only
// counted; see Keep.
func (l *Log) Append(ctx context.Context, entry wire.AuditEntry) error {
	if entry.Outcome != OK {
		var first bool
		if entry, first = l.merged.take(clean(entry), time.Now()); !first {
			return nil
		}
	}
	return l.write(ctx, entry)
}

func (l *Log) write(ctx context.Context, entry wire.AuditEntry) error {
	line := encode(entry)
	l.written.Add(int64(len(line)))
	if err := l.store.Apply(ctx, state.AppendLinked(LogName, line, link)); err != nil {
		return fmt.Errorf("cannot write the audit log: %w", err)
	}
	return nil
}

// Sweep removes the lines that are too old, and then the oldest until the rest is
// within its bytes.
func (l *Log) Sweep(ctx context.Context, now time.Time) error {
	l.cutting.Lock()
	defer l.cutting.Unlock()
	l.written.Store(0)
	l.sweptAt.Store(now.UnixNano())
	oldest := now.Add(-l.retention.MaxAge).UnixMilli()
	size, first, last, keepFrom := int64(0), uint64(0), uint64(0), uint64(0)
	for record, err := range l.store.ScanBack(ctx, LogName, 0) {
		if err != nil {
			return fmt.Errorf("cannot read the audit log: %w", err)
		}
		first, last = record.Seq, max(last, record.Seq)
		if size += int64(len(record.Value)); keepFrom != 0 {
			continue
		}
		var entry wire.AuditEntry
		if err := json.Unmarshal(record.Value, &entry); err != nil {
			return fmt.Errorf("cannot read line %d of the audit log: %w", record.Seq, err)
		}
		if size > l.retention.MaxBytes || entry.AtMS < oldest {
			keepFrom = min(record.Seq+1, last) // the last stays
		}
	}
	for at := first; at < keepFrom; {
		at = min(at+trimMost, keepFrom)
		if err := l.cut(ctx, at); err != nil {
			return fmt.Errorf("cannot shorten the audit log: %w", err)
		}
	}
	return nil
}

// List returns the selected lines, newest first. Subjects and names must be equal,
// actions must begin with the given text.
func (l *Log) List(ctx context.Context, p wire.AuditParams) ([]wire.AuditEntry, error) {
	limit := p.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	found := []wire.AuditEntry{}
	for record, err := range l.store.ScanBack(ctx, LogName, 0) {
		if err != nil {
			return nil, fmt.Errorf("cannot read the audit log: %w", err)
		}
		var entry wire.AuditEntry
		if err := json.Unmarshal(record.Value, &entry); err != nil {
			return nil, fmt.Errorf("cannot read line %d of the audit log: %w", record.Seq, err)
		}
		entry.Seq = record.Seq
		if selects(p, entry) {
			found = append(found, entry)
		}
		if len(found) == limit {
			break
		}
	}
	return found, nil
}

func selects(p wire.AuditParams, entry wire.AuditEntry) bool {
	return (p.Who == "" || p.Who == entry.Who) &&
		strings.HasPrefix(entry.Action, p.Action) &&
		(p.Subject == "" || p.Subject == entry.Subject) &&
		entry.AtMS >= p.SinceMS
}

// encode writes a line without its number, which the log adds.
func encode(entry wire.AuditEntry) []byte {
	data, err := json.Marshal(clean(entry))
	if err != nil {
		panic(fmt.Sprintf("cannot encode a line of the audit log: %v", err)) // strings and numbers only
	}
	return data
}

// clean bounds the text that a caller can put into a line.
func clean(entry wire.AuditEntry) wire.AuditEntry {
	entry.Seq, entry.Sum = 0, ""
	if entry.AtMS == 0 {
		entry.AtMS = time.Now().UnixMilli()
	}
	for _, text := range []*string{&entry.Subject, &entry.Detail, &entry.Outcome} {
		if len(*text) > maxTextBytes {
			*text = strings.ToValidUTF8((*text)[:maxTextBytes], "") + "…"
		}
	}
	return entry
}

// Attempt is one call for the log.
type Attempt struct {
	who, role, from, action string

	mu      sync.Mutex
	written bool
}

// NewAttempt notes who tries what, and from which address.
func NewAttempt(who, role, from, action string) *Attempt {
	return &Attempt{who: who, role: role, from: from, action: action}
}

type attemptKey struct{}

// With returns a context that has an attempt.
func With(ctx context.Context, a *Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// From returns the attempt of a context. Without one, the attempt is the master's
// own.
func From(ctx context.Context) *Attempt {
	if a, ok := ctx.Value(attemptKey{}).(*Attempt); ok {
		return a
	}
	return NewAttempt(Master, Master, "", "")
}

// Master is the author of changes that no caller asked for, such as a rollback after a
// failed gate.
const Master = "master"

// Who returns the name of the credential.
func (a *Attempt) Who() string { return a.who }

// Change returns the line of an attempt that succeeds, as a change for the same
// state.Apply that makes it succeed. Call Written when it has.
func (a *Attempt) Change(subject, detail string) state.Change {
	return state.AppendLinked(LogName, encode(a.Entry(subject, detail, nil)), link)
}

// ChangeAs is Change for a call that has done something else than its method says: it
// gives the action.
func (a *Attempt) ChangeAs(action, subject, detail string) state.Change {
	entry := a.Entry(subject, detail, nil)
	entry.Action = action
	return state.AppendLinked(LogName, encode(entry), link)
}

// Written notes that the line of Change is in the log.
func (a *Attempt) Written() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.written = true
}

// HasLine reports whether the line is in the log.
func (a *Attempt) HasLine() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.written
}

// inWords is an error without the code that programs go by.
func inWords(err error) string {
	if answer, ok := errors.AsType[*rpc.Error](err); ok {
		return strings.Replace(err.Error(), answer.Error(), answer.Message, 1)
	}
	return err.Error()
}

// Entry returns the line of the attempt, which ended in err.
func (a *Attempt) Entry(subject, detail string, err error) wire.AuditEntry {
	outcome := OK
	if err != nil {
		outcome = inWords(err)
	}
	return wire.AuditEntry{
		AtMS: time.Now().UnixMilli(), Who: a.who, Role: a.role, From: a.from, Action: a.action,
		Subject: subject, Detail: detail, Outcome: outcome,
	}
}
