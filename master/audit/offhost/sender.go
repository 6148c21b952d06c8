// Package offhost sends the entries of the audit log off the master's machine as they
// are made: to a syslog server, or to a webhook.
//
// The log itself is the queue. The state remembers, for each receiver, the number of the
// last entry that it has taken; later entries are sent, again and again until they are
// taken. So an entry arrives at least once, in order, over restarts of either side, and
// its number tells the copies apart. If retention removes entries from the log before the
// receiver has taken them, they are missed, and counted. A state that was restored from a
// backup goes back to the numbers of the backup: entries that were made after it then
// have numbers that the receiver has seen on other entries.
package offhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// lookEvery is how often the log is checked for new entries.
	lookEvery = 250 * time.Millisecond
	// batchMost is how many entries are sent at once.
	batchMost = 200
	// firstRetry is the wait after an error. It doubles up to longestRetry times that.
	firstRetry   = time.Second
	longestRetry = 30
)

// receiver takes entries off the master.
type receiver interface {
	// deliver sends entries in their order, and then those that more returns, for
	// as long as it likes; more returns none if there is nothing new. deliver
	// returns nil when the receiver has taken all of them. After an error each of
	// them is sent again. It returns soon after ctx ends.
	deliver(ctx context.Context, entries []wire.AuditEntry, more func() ([]wire.AuditEntry, error)) error
}

// Sender sends the log to one receiver. New makes it, Run runs it once.
type Sender struct {
	kind, key string // of the state
	log       *slog.Logger
	to        receiver
	retry     time.Duration

	mu      sync.Mutex
	status  wire.AuditReceiver // guarded by mu
	version state.Version      // of the mark; Run's alone
}

// mark is what the state stores about a receiver.
type mark struct {
	Seq    uint64 `json:"seq"`    // the last entry that it has taken
	Missed uint64 `json:"missed"` // entries that were removed before they could be sent
}

// newSender makes the sender to an address. The address may be a secret, so the
// state and the status have only a checksum of it and its kind.
func newSender(kind, address string, log *slog.Logger, to receiver) *Sender {
	sum := sha256.Sum256([]byte(address))
	return &Sender{
		kind: kind, key: "audit/sent/" + kind + "-" + hex.EncodeToString(sum[:8]), log: log.With("receiver", kind), to: to, retry: firstRetry,
		status: wire.AuditReceiver{Kind: kind},
	}
}

// Status returns the status of the sender.
func (s *Sender) Status() wire.AuditReceiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *Sender) update(change func(status *wire.AuditReceiver)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

// Run sends the entries of a state's log, present and future, until ctx ends.
func (s *Sender) Run(ctx context.Context, store state.Store) {
	wait := s.retry
	for {
		switch err := s.round(ctx, store); {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.failed(err)
			pause(ctx, wait/2+rand.N(wait))
			wait = min(2*wait, longestRetry*s.retry)
		default:
			wait = s.retry
			s.well()
			pause(ctx, lookEvery)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// failed notes an error, and logs the first of consecutive ones.
func (s *Sender) failed(err error) {
	first := false
	s.update(func(status *wire.AuditReceiver) {
		if first = status.Error == ""; first {
			status.SinceMS = time.Now().UnixMilli()
		}
		status.Error = err.Error()
		status.Failures++
	})
	if first {
		s.log.Error("entries of the audit log cannot be sent; they wait in the log", "error", err)
	}
}

// well notes a success.
func (s *Sender) well() {
	failing := false
	s.update(func(status *wire.AuditReceiver) {
		failing = status.Error != ""
		status.Error, status.SinceMS = "", 0
	})
	if failing {
		s.log.Info("entries of the audit log are sent again")
	}
}

// round sends the entries that the receiver has not taken.
func (s *Sender) round(ctx context.Context, store state.Store) error {
	m, err := s.remembered(ctx, store)
	if err != nil {
		return err
	}
	handed := m
	more := func() ([]wire.AuditEntry, error) {
		newest, err := audit.Newest(ctx, store)
		if err != nil {
			return nil, err
		}
		if newest < handed.Seq {
			handed.Seq = 0 // it is another log
		}
		entries, err := audit.After(ctx, store, handed.Seq, batchMost)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			if first := entries[0].Seq; handed.Seq > 0 && first > handed.Seq+1 {
				handed.Missed += first - handed.Seq - 1
			}
			handed.Seq = entries[len(entries)-1].Seq
		}
		s.update(func(status *wire.AuditReceiver) {
			status.Taken, status.Waiting, status.Missed = m.Seq, newest-min(newest, m.Seq), handed.Missed
		})
		return entries, nil
	}
	entries, err := more()
	if err != nil || len(entries) == 0 {
		return err
	}
	if err := s.to.deliver(ctx, entries, more); err != nil {
		return err
	}
	if err := s.remember(ctx, store, handed); err != nil {
		return err
	}
	s.update(func(status *wire.AuditReceiver) {
		status.Waiting -= min(status.Waiting, handed.Seq-min(handed.Seq, m.Seq))
		status.Taken = handed.Seq
	})
	return nil
}

// remembered reads what the receiver has taken.
func (s *Sender) remembered(ctx context.Context, store state.Store) (mark, error) {
	entry, err := store.Get(ctx, s.key)
	if errors.Is(err, state.ErrNotFound) {
		s.version = state.None
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("cannot read which entries were sent: %w", err)
	}
	var m mark
	if err := json.Unmarshal(entry.Value, &m); err != nil {
		return mark{}, fmt.Errorf("cannot read which entries were sent: %w", err)
	}
	s.version = entry.Version
	return m, nil
}

func (s *Sender) remember(ctx context.Context, store state.Store, m mark) error {
	value, err := json.Marshal(m)
	if err != nil {
		return err
	}
	// The mark is written even when the master is about to stop.
	if s.version, err = store.Put(context.WithoutCancel(ctx), s.key, value, s.version); err != nil {
		return fmt.Errorf("cannot note which entries were sent: %w", err)
	}
	return nil
}
