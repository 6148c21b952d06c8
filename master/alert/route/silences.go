package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedettehq/vedette/master/alert/shelf"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
)

const (
	silencePrefix = "silences/"
	// showEnded is how long a silence is known after its end.
	showEnded = 5 * 24 * time.Hour
	// brieflyEnded is the same for a silence with a BriefNote.
	brieflyEnded = time.Hour
	// maxSilences and maxSilenceBytes bound the number and the size of silences.
	maxSilences, maxSilenceBytes = 10_000, 64 << 10
)

// silences are those of the state.
type silences struct {
	*silence.Silences
	shelf *shelf.Shelf

	// changing is held by whoever changes a silence, until it is written.
	changing sync.Mutex
	changed  [][]byte             // guarded by changing: silences that are not written yet
	ends     map[string]time.Time // guarded by changing: when they are dropped, by id
}

func openSilences(ctx context.Context, store state.Store, log *slog.Logger, registry prometheus.Registerer) (*silences, error) {
	kept, values, err := shelf.Open(ctx, store, silencePrefix)
	if err != nil {
		return nil, err
	}
	s := &silences{shelf: kept, ends: make(map[string]time.Time)}
	var snapshot bytes.Buffer
	for id, value := range values {
		var one silencepb.MeshSilence
		if err := protojson.Unmarshal(value, &one); err != nil || one.Silence == nil {
			return nil, fmt.Errorf("cannot read the silence %s%s of the state: %w", silencePrefix, id, err)
		}
		s.ends[id] = one.ExpiresAt.AsTime()
		if _, err := protodelim.MarshalTo(&snapshot, &one); err != nil {
			return nil, err
		}
	}
	s.Silences, err = silence.New(silence.Options{
		SnapshotReader: &snapshot, Retention: showEnded, Logger: log, Metrics: registry, EventRecorder: eventrecorder.NopRecorder(),
		Limits: silence.Limits{MaxSilences: func() int { return maxSilences }, MaxSilenceSizeBytes: func() int { return maxSilenceBytes }},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot take up the silences: %w", err)
	}
	s.SetBroadcast(func(b []byte) { s.changed = append(s.changed, slices.Clone(b)) })
	return s, nil
}

// change calls f, which changes silences, and returns when they are on the disk, together
// with their line of the audit log.
func (s *silences) change(ctx context.Context, f func() error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := f(); err != nil {
		return err
	}
	return s.writeLocked(ctx)
}

// writeLocked writes changed silences. Those that could not be written are written the
// next time.
func (s *silences) writeLocked(ctx context.Context) error {
	values, told := make(map[string][]byte), []string(nil)
	for _, b := range s.changed {
		var one silencepb.MeshSilence
		if err := protodelim.UnmarshalFrom(bytes.NewReader(b), &one); err != nil {
			return err
		}
		value, err := protojson.Marshal(&one)
		if err != nil {
			return err
		}
		if values[one.Silence.Id] == nil {
			told = append(told, one.Silence.Id)
		}
		values[one.Silence.Id], s.ends[one.Silence.Id] = value, one.ExpiresAt.AsTime()
	}
	if len(values) == 0 {
		return nil
	}
	attempt := audit.From(ctx)
	var line []state.Change
	if attempt.Who() != audit.Master {
		line = []state.Change{attempt.Change(strings.Join(told, " "), s.describe(ctx, told))}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer cancel()
	if err := s.shelf.Write(ctx, values, line...); err != nil {
		return err
	}
	s.changed = nil
	if line != nil {
		attempt.Written()
	}
	return nil
}

// describe describes silences for the audit log.
func (s *silences) describe(ctx context.Context, ids []string) string {
	found, _, err := s.Query(ctx, silence.QIDs(ids...))
	if err != nil {
		return ""
	}
	var texts []string
	for _, one := range found {
		texts = append(texts, fmt.Sprintf("%s until %s: %s", matchersText(one), one.EndsAt.AsTime().UTC().Format(time.RFC3339), one.Comment))
	}
	return strings.Join(texts, "; ")
}

// expired removes silences that ended long ago.
func (s *silences) expired(ctx context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if _, err := s.GC(); err != nil {
		return err
	}
	if err := s.shortenLocked(ctx); err != nil {
		return err
	}
	gone := make(map[string][]byte)
	for id, end := range s.ends {
		if !end.After(time.Now()) {
			gone[id] = nil
		}
	}
	if err := s.shelf.Write(ctx, gone); err != nil {
		return err
	}
	for id := range gone {
		delete(s.ends, id)
	}
	return nil
}

// shortenLocked lets silences with a BriefNote that ended a while ago expire before the
// next GC.
func (s *silences) shortenLocked(ctx context.Context) error {
	ended, _, err := s.Query(ctx, silence.QState(silence.SilenceStateExpired))
	if err != nil {
		return err
	}
	now, unwritten := time.Now(), s.changed
	defer func() { s.changed = unwritten }() // these are removed from the state instead
	for _, one := range ended {
		if one.Annotations[BriefNote] == "" || now.Sub(one.EndsAt.AsTime()) < brieflyEnded {
			continue
		}
		next := proto.CloneOf(one)
		next.UpdatedAt = timestamppb.New(now)
		var b bytes.Buffer
		if _, err := protodelim.MarshalTo(&b, &silencepb.MeshSilence{Silence: next, ExpiresAt: timestamppb.New(now.Add(time.Minute))}); err != nil {
			return err
		}
		if err := s.Merge(b.Bytes()); err != nil {
			return err
		}
		s.ends[one.Id] = now
	}
	return nil
}

// Silence is one to be made, or one that exists.
type Silence struct {
	ID string
	// Matchers are written as in a query, such as severity="warning"; all must match.
	Matchers []string
	// Either is set if a silence has several sets of matchers. Then one set must match,
	// and Matchers has those of all sets.
	Either   bool
	From, To time.Time
	By       string
	Comment  string
	State    string // active, pending or expired; of one that exists
	// Notes are for programs.
	Notes map[string]string
}

// BriefNote is a note on silences that are known only for brieflyEnded after their end,
// because programs make so many of them that the others would not fit.
const BriefNote = "vedette/brief"

// Silence makes a silence, or changes one that has an ID, and returns the result.
func (r *Router) Silence(ctx context.Context, want Silence) (Silence, error) {
	if !r.isOpen() {
		return Silence{}, ErrNotOpen
	}
	set := &silencepb.MatcherSet{}
	for _, text := range want.Matchers {
		m, err := compat.Matcher(text, "silence")
		if err != nil {
			return Silence{}, fmt.Errorf("cannot read the matcher %q: write it as host=\"web-1\" or alertname=~\"disk/.*\": %w", text, err)
		}
		set.Matchers = append(set.Matchers, &silencepb.Matcher{Type: typesOfMatchers()[m.Type], Name: m.Name, Pattern: m.Value})
	}
	one := &silencepb.Silence{
		MatcherSets: []*silencepb.MatcherSet{set}, StartsAt: timestamppb.New(want.From), EndsAt: timestamppb.New(want.To),
		Id: want.ID, CreatedBy: want.By, Comment: want.Comment, Annotations: want.Notes,
	}
	err := r.silences.change(ctx, func() error { return r.silences.Set(ctx, one) })
	if err != nil && one.Id != "" {
		// It is not on the disk. It must not be there now and gone after a restart.
		err = errors.Join(err, r.silences.Expire(ctx, one.Id))
	}
	if err != nil {
		return Silence{}, fmt.Errorf("cannot make the silence: %w", err)
	}
	return describeSilence(one, time.Now()), nil
}

// Unsilence ends a silence now.
func (r *Router) Unsilence(ctx context.Context, id string) error {
	if !r.isOpen() {
		return ErrNotOpen
	}
	if err := r.silences.change(ctx, func() error { return r.silences.Expire(ctx, id) }); err != nil {
		return fmt.Errorf("cannot end the silence %q: %w", id, err)
	}
	return nil
}

// Silences lists the silences, those that end soonest first; with ended, also
// those of the last days.
func (r *Router) Silences(ctx context.Context, ended bool) ([]Silence, error) {
	if !r.isOpen() {
		return nil, ErrNotOpen
	}
	states := []silence.SilenceState{silence.SilenceStateActive, silence.SilenceStatePending}
	if ended {
		states = append(states, silence.SilenceStateExpired)
	}
	found, _, err := r.silences.Query(ctx, silence.QState(states...))
	if err != nil {
		return nil, fmt.Errorf("cannot list the silences: %w", err)
	}
	list := make([]Silence, 0, len(found))
	for _, one := range found {
		list = append(list, describeSilence(one, time.Now()))
	}
	slices.SortFunc(list, func(a, b Silence) int { return a.To.Compare(b.To) })
	return list, nil
}

func describeSilence(one *silencepb.Silence, now time.Time) Silence {
	s := Silence{
		ID: one.Id, From: one.StartsAt.AsTime(), To: one.EndsAt.AsTime(), By: one.CreatedBy, Comment: one.Comment, Notes: one.Annotations,
		Either: len(one.MatcherSets) > 1,
	}
	for _, set := range one.MatcherSets {
		for _, m := range set.Matchers {
			s.Matchers = append(s.Matchers, matcherText(m))
		}
	}
	switch {
	case !s.To.After(now):
		s.State = string(silence.SilenceStateExpired)
	case s.From.After(now):
		s.State = string(silence.SilenceStatePending)
	default:
		s.State = string(silence.SilenceStateActive)
	}
	return s
}

func typesOfMatchers() map[labels.MatchType]silencepb.Matcher_Type {
	return map[labels.MatchType]silencepb.Matcher_Type{
		labels.MatchEqual: silencepb.Matcher_EQUAL, labels.MatchNotEqual: silencepb.Matcher_NOT_EQUAL,
		labels.MatchRegexp: silencepb.Matcher_REGEXP, labels.MatchNotRegexp: silencepb.Matcher_NOT_REGEXP,
	}
}

func matcherText(m *silencepb.Matcher) string {
	for ours, theirs := range typesOfMatchers() {
		if theirs == m.Type {
			return fmt.Sprintf("%s%s%q", m.Name, ours, m.Pattern)
		}
	}
	return m.Name
}

func matchersText(one *silencepb.Silence) string {
	return "{" + strings.Join(describeSilence(one, time.Time{}).Matchers, ", ") + "}"
}
