package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/master/alert/shelf"
	"github.com/vedettehq/vedette/master/state"
)

const (
	alertPrefix = "alerts/"
	// refreshEvery is how often it is said again that an alert continues, and holds how
	// long that counts.
	refreshEvery, holds = time.Minute, 10 * time.Minute
	// settleAfter is how long after a start, or after its host has come back, an alert
	// continues although its rule does not say so: there may be no fresh samples yet.
	settleAfter = 2 * time.Minute
	// rememberEnded is how long an alert is remembered after its end, and for how long telling
	// people of its end is tried.
	rememberEnded = 24 * time.Hour
	// hostGone is the alert that says that its host is gone. It is not unknown when the
	// host is gone.
	hostGone = "host/gone"
)

// record is the record of an alert that has fired, as the state has it.
type record struct {
	Labels      model.LabelSet `json:"labels"`
	Annotations model.LabelSet `json:"annotations,omitempty"`
	StartsAt    time.Time      `json:"starts_at"`
	// EndsAt is when it ended, or zero.
	EndsAt time.Time `json:"ends_at,omitzero"`
	// Unknown says that its host is gone, so nobody can tell whether it still fires.
	Unknown   bool   `json:"unknown,omitempty"`
	Generator string `json:"generator,omitempty"`
	// Told says who was told, by receiver and way.
	Told map[string]tolds `json:"told,omitempty"`
	// Ack is the silence that an acknowledgement made, or "".
	Ack string `json:"ack,omitempty"`

	// The fields below are not stored.
	value    float64
	seen     time.Time // when its rule last said that it fires
	put      time.Time // when it was last handed on
	settled  bool      // since the start, or its host's return, its rule has said whether it fires
	heldBack bool      // it fired before the start, nobody was told, and its rule has not confirmed it
	dirty    bool      // the state does not have it as it is
}

// tolds is what a receiver was last told of an alert.
type tolds struct {
	// At is zero while it is not known whether the receiver was told at all: the master
	// may have been killed after the message and before recording it.
	At    time.Time `json:"at,omitzero"`
	Ended bool      `json:"ended,omitempty"` // that it has ended
	// Ends is whether the receiver is told of ends too.
	Ends bool `json:"ends,omitempty"`
	// Failed says why it could not be told, since At, or is "".
	Failed string `json:"failed,omitempty"`
}

func (r *record) name() string { return string(r.Labels[model.AlertNameLabel]) }
func (r *record) host() string { return string(r.Labels["host"]) }

func (r *record) ended() bool { return !r.EndsAt.IsZero() }

// over reports whether an alert has ended and nobody has to be told of that any more.
func (r *record) over() bool {
	for _, one := range r.Told {
		if one.Ends && !one.Ended && (!one.At.IsZero() || one.Failed == "") {
			return false
		}
	}
	return r.ended()
}

// ledger knows which alerts fire, and stores them in the state. It stands between rules
// and people because rules forget at a restart, and may be silent for lack of samples.
type ledger struct {
	opts  *Options
	shelf *shelf.Shelf // set by open

	writing sync.Mutex // held while the state is written; taken before mu

	mu     sync.Mutex
	alerts map[model.Fingerprint]*record // guarded by mu
	// posted says who was told of alerts that other programs have posted. They are not
	// stored, because those programs post them again.
	posted map[model.Fingerprint]map[string]tolds // guarded by mu
	downs  map[string]time.Time                   // guarded by mu: when a host was last seen gone
	gone   map[model.Fingerprint]bool             // guarded by mu: to be removed from the state
	start  time.Time                              // guarded by mu: when rules were first evaluated
}

func newLedger(opts *Options) *ledger {
	return &ledger{
		opts: opts, alerts: make(map[model.Fingerprint]*record), downs: make(map[string]time.Time),
		posted: make(map[model.Fingerprint]map[string]tolds), gone: make(map[model.Fingerprint]bool),
	}
}

// open reads the alerts that fired when the master last stopped.
func (l *ledger) open(ctx context.Context, store state.Store) error {
	s, values, err := shelf.Open(ctx, store, alertPrefix)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shelf = s
	for name, value := range values {
		one := new(record)
		if err := json.Unmarshal(value, one); err != nil {
			return fmt.Errorf("cannot read the alert %s%s of the state: %w", alertPrefix, name, err)
		}
		one.heldBack = len(one.Told) == 0 && !one.ended()
		l.alerts[one.Labels.Fingerprint()] = one
	}
	return nil
}

// begin records that the evaluation of rules begins, and returns alerts to be handed on
// before.
func (l *ledger) begin(now time.Time) []*amalert.Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start = now
	var list []*amalert.Alert
	for _, one := range l.alerts {
		if one.ended() && one.unsure() {
			one.EndsAt, one.dirty = time.Time{}, true // people are told of its beginning again, and then of its end
		}
		if !one.heldBack && !one.over() {
			list = append(list, one.handOn(now))
		}
	}
	return list
}

// unsure reports whether somebody may have been told that the alert fires without a record
// of it.
func (r *record) unsure() bool {
	for _, one := range r.Told {
		if one.At.IsZero() && one.Failed == "" {
			return true
		}
	}
	return false
}

// handOn is the alert in the form that package route takes.
func (r *record) handOn(now time.Time) *amalert.Alert {
	r.put = now
	a := &amalert.Alert{
		Alert:     model.Alert{Labels: r.Labels, Annotations: r.Annotations, StartsAt: r.StartsAt, EndsAt: r.EndsAt, GeneratorURL: r.Generator},
		UpdatedAt: now, Timeout: !r.ended(),
	}
	if !r.ended() {
		a.EndsAt = now.Add(holds)
	}
	return a
}

// fired takes the firing alerts of a rule, and returns the alerts to be handed on.
func (l *ledger) fired(now time.Time, generator string, alerts []*rules.Alert) []*amalert.Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*amalert.Alert
	for _, a := range alerts {
		if a.State != rules.StateFiring {
			continue
		}
		set := labelSet(a.Labels)
		fp := set.Fingerprint()
		one := l.alerts[fp]
		if one == nil || one.ended() {
			next := &record{Labels: set, StartsAt: a.FiredAt, Generator: generator, dirty: true}
			if one != nil {
				next.Told = one.Told // of the time before the restart, until people are told again
			}
			one, l.alerts[fp] = next, next
			delete(l.gone, fp)
		}
		annotations := labelSet(a.Annotations)
		fresh := now.Sub(one.put) >= refreshEvery || one.heldBack || !annotations.Equal(one.Annotations)
		one.Annotations, one.value, one.seen, one.settled, one.heldBack = annotations, a.Value, now, true, false
		if one.Unknown {
			one.Unknown, one.dirty = false, true
		}
		if fresh {
			list = append(list, one.handOn(now))
		}
	}
	return list
}

func labelSet(l labels.Labels) model.LabelSet {
	set := make(model.LabelSet, l.Len())
	l.Range(func(l labels.Label) { set[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return set
}

// saying is what rules say at one time.
type saying struct {
	at      time.Time
	firing  map[model.Fingerprint]bool
	pending map[model.Fingerprint]bool
	// rules has, by the name of their alert, when each rule was last evaluated without an
	// error. After that it has had its say.
	rules map[string][]evaluated
}

type evaluated struct {
	at   time.Time     // zero: with an error
	keep time.Duration // keep_firing_for, which rules forget at a restart
}

// review compares the firing alerts with what rules say. It returns alerts to be handed
// on, and silences that end with their alerts.
func (l *ledger) review(s saying) (list []*amalert.Alert, acks []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fp, one := range l.alerts {
		if one.ended() {
			if s.at.Sub(one.EndsAt) > rememberEnded {
				delete(l.alerts, fp)
				l.gone[fp] = true
			}
			continue
		}
		if !s.firing[fp] && one.seen.Before(s.at) && l.endedLocked(one, fp, s) {
			one.EndsAt, one.Unknown, one.dirty = s.at, false, true
			if one.Ack != "" {
				acks = append(acks, one.Ack)
				one.Ack = ""
			}
			if !one.heldBack {
				list = append(list, one.handOn(s.at))
			}
			continue
		}
		if !one.heldBack && s.at.Sub(one.put) >= refreshEvery {
			list = append(list, one.handOn(s.at))
		}
	}
	return list, acks
}

// endedLocked reports whether an alert that no rule names as firing has ended. While its
// host is gone it is unknown instead.
func (l *ledger) endedLocked(one *record, fp model.Fingerprint, s saying) bool {
	since := l.start
	if host := one.host(); host != "" && one.name() != hostGone {
		if l.opts.Gone(host) {
			l.downs[host] = s.at
			one.dirty = one.dirty || !one.Unknown
			one.Unknown, one.settled = true, false
			return false
		}
		if down := l.downs[host]; down.After(since) {
			since = down
		}
	}
	if one.settled && !one.Unknown {
		since = time.Time{}
	} else {
		if s.pending[fp] {
			return false
		}
		since = since.Add(l.opts.Settle)
	}
	if len(s.rules[one.name()]) == 0 && since.After(s.at) {
		return false // its host may not have sent that inspector's alerts yet
	}
	for _, rule := range s.rules[one.name()] {
		unsure := !since.IsZero()
		if !unsure && rule.at.IsZero() || unsure && !rule.at.After(since.Add(max(rule.keep-l.opts.Settle, 0))) {
			return false
		}
	}
	return true
}

// telling records that somebody is about to be told for the first time, and reports
// whether there is anything to write.
func (l *ledger) telling(receiver string, alerts []*amalert.Alert, ends bool) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range alerts {
		one := l.alerts[a.Fingerprint()]
		if one == nil || a.Resolved() {
			continue
		}
		if _, known := one.Told[receiver]; !known {
			one.note(receiver, tolds{Ends: ends})
			changed = true
		}
	}
	return changed
}

// told records who was told.
func (l *ledger) told(receiver string, alerts []*amalert.Alert, at time.Time, ends bool, failed error, posted func(model.Fingerprint) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range alerts {
		fp := a.Fingerprint()
		one := l.alerts[fp]
		if one == nil && posted(fp) {
			l.notePostedLocked(fp, receiver, tolds{At: at, Ended: a.Resolved(), Ends: ends}, failed)
			continue
		}
		if one == nil {
			if failed != nil || a.Resolved() {
				continue
			}
			// It ended while the message was under way, so its end must be told too.
			one = &record{Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: at, Generator: a.GeneratorURL}
			l.alerts[fp] = one
			delete(l.gone, fp)
		}
		t := tolds{At: at, Ended: a.Resolved(), Ends: ends}
		if failed != nil {
			t = one.Told[receiver]
			t.Failed = failed.Error()
		}
		one.note(receiver, t)
	}
}

// notePostedLocked records what a receiver was told of a posted alert.
func (l *ledger) notePostedLocked(fp model.Fingerprint, receiver string, t tolds, failed error) {
	next := maps.Clone(l.posted[fp])
	if next == nil {
		next = make(map[string]tolds)
	}
	if failed != nil {
		t = next[receiver]
		t.Failed = failed.Error()
	}
	next[receiver] = t
	l.posted[fp] = next
}

// postedTolds says who was told of posted alerts, and forgets alerts that are no longer
// known.
func (l *ledger) postedTolds(known []*amalert.Alert) map[model.Fingerprint]map[string]tolds {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[model.Fingerprint]map[string]tolds, len(known))
	for _, a := range known {
		if t := l.posted[a.Fingerprint()]; t != nil {
			all[a.Fingerprint()] = t
		}
	}
	l.posted = maps.Clone(all)
	return all
}

// note records what a receiver was told. Copies that were handed out before do not change.
func (r *record) note(receiver string, t tolds) {
	next := make(map[string]tolds, len(r.Told)+1)
	maps.Copy(next, r.Told)
	next[receiver] = t
	r.Told, r.dirty = next, true
}

// acknowledge records the silence of an acknowledgement, and returns false if the alert no
// longer fires.
func (l *ledger) acknowledge(fp model.Fingerprint, silence string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.alerts[fp]
	if one == nil || one.ended() {
		return false
	}
	one.Ack, one.dirty = silence, true
	return true
}

// write writes changed alerts to the state. Those that could not be written are written
// the next time.
func (l *ledger) write(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if l.shelf == nil {
		l.mu.Unlock()
		return nil
	}
	values, written := make(map[string][]byte), make(map[model.Fingerprint]*record)
	for fp, one := range l.alerts {
		if !one.dirty {
			continue
		}
		value, err := json.Marshal(one)
		if err != nil {
			l.mu.Unlock()
			return fmt.Errorf("cannot store the alert %q: %w", one.name(), err)
		}
		one.dirty = false
		values[fp.String()], written[fp] = value, one
	}
	gone := l.gone
	l.gone = make(map[model.Fingerprint]bool)
	for fp := range gone {
		values[fp.String()] = nil
	}
	l.mu.Unlock()
	err := l.shelf.Write(ctx, values)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range written {
		one.dirty = true
	}
	for fp := range gone {
		if l.alerts[fp] == nil {
			l.gone[fp] = true
		}
	}
	return err
}

// unacknowledge records that a silence no longer exists.
func (l *ledger) unacknowledge(silence string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.alerts {
		if one.Ack == silence {
			one.Ack, one.dirty = "", true
		}
	}
}
