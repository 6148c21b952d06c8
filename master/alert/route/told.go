package route

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/vedettehq/vedette/master/alert/shelf"
	"github.com/vedettehq/vedette/master/state"
)

const (
	toldPrefix = "told/"
	// rememberTold is how long the log remembers at least what a group was told.
	// Alertmanager does so for twice the repeat interval, which is too short for an alert
	// that is muted meanwhile: nobody would be told of its end.
	rememberTold = 30 * 24 * time.Hour
	writeWithin  = 10 * time.Second
)

// toldLog remembers which group was told what, in the state. It implements
// notify.NotificationLog.
type toldLog struct {
	log    *nflog.Log
	shelf  *shelf.Shelf
	logger *slog.Logger
	told   func(Telling)

	// writing is held from the change of log until it is written.
	writing sync.Mutex
	changed []byte               // guarded by writing: what changed in log
	ends    map[string]time.Time // guarded by writing: when entries expire, by name

	mu      sync.Mutex
	sending map[string]sending // guarded by mu: what was sent and is not in log yet, by name
}

// sending is what was sent and is about to be in the log. done must be called then.
type sending struct {
	Telling
	done func()
}

func openToldLog(ctx context.Context, store state.Store, opts Options, registry prometheus.Registerer) (*toldLog, error) {
	kept, values, err := shelf.Open(ctx, store, toldPrefix)
	if err != nil {
		return nil, err
	}
	l := &toldLog{shelf: kept, logger: opts.Log, told: opts.Told, ends: make(map[string]time.Time), sending: make(map[string]sending)}
	var snapshot bytes.Buffer
	for name, value := range values {
		var entry nflogpb.MeshEntry
		if err := protojson.Unmarshal(value, &entry); err != nil || entry.Entry == nil || entry.Entry.Receiver == nil {
			return nil, fmt.Errorf("cannot read what was told from %s%s of the state: %w", toldPrefix, name, err)
		}
		l.ends[name] = entry.ExpiresAt.AsTime()
		if _, err := protodelim.MarshalTo(&snapshot, &entry); err != nil {
			return nil, err
		}
	}
	l.log, err = nflog.New(nflog.Options{SnapshotReader: &snapshot, Retention: rememberTold, Logger: opts.Log, Metrics: registry})
	if err != nil {
		return nil, fmt.Errorf("cannot take up what was told: %w", err)
	}
	l.log.SetBroadcast(func(b []byte) { l.changed = b })
	return l, nil
}

// nameOf is the name of the entry for one group and one way.
func nameOf(group, receiver, way string) string {
	sum := sha256.Sum256([]byte(group + "\x00" + receiver + "\x00" + way))
	return hex.EncodeToString(sum[:16])
}

// Query implements notify.NotificationLog.
func (l *toldLog) Query(params ...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	return l.log.Query(params...)
}

// Log implements notify.NotificationLog. It returns when the disk has what a receiver was
// told.
func (l *toldLog) Log(r *nflogpb.Receiver, group string, firing, resolved []uint64, store *nflog.Store, _ time.Duration) error {
	name := nameOf(group, r.GroupName, fmt.Sprintf("%s[%d]", r.Integration, r.Idx))
	err := l.write(name, func() error { return l.log.Log(r, group, firing, resolved, store, 0) })
	if err != nil {
		// The receiver was told, and log remembers that until the master stops: no reason
		// to tell it again.
		l.logger.Error("what was told is not on the disk; it is told again if the master restarts", "receiver", r.GroupName, "error", err)
	}
	l.mu.Lock()
	sent, ok := l.sending[name]
	delete(l.sending, name)
	l.mu.Unlock()
	if ok {
		defer sent.done()
		l.told(sent.Telling)
	}
	return nil
}

func (l *toldLog) write(name string, change func() error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.changed = nil
	if err := change(); err != nil {
		return err
	}
	if l.changed == nil {
		return nil // there is a newer one
	}
	var entry nflogpb.MeshEntry
	if err := protodelim.UnmarshalFrom(bytes.NewReader(l.changed), &entry); err != nil {
		return err
	}
	value, err := protojson.Marshal(&entry)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	l.ends[name] = entry.ExpiresAt.AsTime()
	return l.shelf.Write(ctx, map[string][]byte{name: value})
}

// expired removes what is too old.
func (l *toldLog) expired(ctx context.Context) error {
	if _, err := l.log.GC(); err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	gone := make(map[string][]byte)
	for name, end := range l.ends {
		if !end.After(time.Now()) {
			gone[name] = nil
		}
	}
	if err := l.shelf.Write(ctx, gone); err != nil {
		return err
	}
	for name := range gone {
		delete(l.ends, name)
	}
	return nil
}

// sent remembers what was sent until Log has it.
func (l *toldLog) sent(name string, t Telling, done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sending[name] = sending{t, done}
}

// teller wraps the notifiers of one configuration.
type teller struct {
	*Router
	messages *gate
}

// wrap lets a message that is under way finish although its group ends, and records which
// alerts it told.
func (t teller) wrap(receiver, way string, sends notify.ResolvedSender, n notify.Notifier) notify.Notifier {
	return notifierFunc(func(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
		if !t.messages.enter() {
			return false, context.Canceled
		}
		if ctx.Value(testKey{}) != nil {
			defer t.messages.leave()
			return notifyDetached(ctx, n, alerts)
		}
		told := Telling{Receiver: receiver + "/" + way, Alerts: alerts, SendsResolved: sends.SendResolved()}
		t.opts.Telling(told)
		again, err := notifyDetached(ctx, n, alerts)
		told.At, told.Err = time.Now(), err
		if err != nil {
			again = again || isTooMany(err)
			t.messages.leave()
			t.opts.Told(told)
			return again, err
		}
		group, _ := notify.GroupKey(ctx)
		t.log.sent(nameOf(group, receiver, way), told, t.messages.leave)
		return again, nil
	})
}

// isTooMany reports whether a receiver has answered that it takes no more messages for
// now. Most ways give up then, and the next attempt waits for the group's interval, which
// may be hours; a retry waits longer each time.
func isTooMany(err error) bool {
	return strings.Contains(err.Error(), fmt.Sprint("unexpected status code ", http.StatusTooManyRequests))
}

// notifyDetached sends a message. After ctx is canceled it may still take a while, because
// a message that is cut off may have been read.
func notifyDetached(ctx context.Context, n notify.Notifier, alerts []*alert.Alert) (bool, error) {
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		var release context.CancelFunc
		detached, release = context.WithDeadline(detached, deadline)
		defer release()
	}
	defer context.AfterFunc(ctx, func() {
		late := time.AfterFunc(finishWithin, cancel)
		context.AfterFunc(detached, func() { late.Stop() })
	})()
	return n.Notify(detached, alerts...)
}

// gate counts what is under way, until it is closed.
type gate struct {
	mu     sync.Mutex
	inside int
	closed bool
	empty  chan struct{} // closed when it is closed and nothing is inside
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.closed && g.inside == 0 {
		close(g.empty)
	}
}

// close lets nothing in any more, and waits until nothing is inside.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	if g.inside == 0 {
		close(g.empty)
	}
	g.mu.Unlock()
	<-g.empty
}

// notifierFunc implements notify.Notifier.
type notifierFunc func(ctx context.Context, alerts ...*alert.Alert) (bool, error)

// Notify implements notify.Notifier.
func (f notifierFunc) Notify(ctx context.Context, alerts ...*alert.Alert) (bool, error) {
	return f(ctx, alerts...)
}
