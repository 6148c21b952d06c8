package alert

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// ackNote marks the silence of an acknowledgement with the alert's id, and ackFor is
	// how long it lasts at most.
	ackNote = "vedette/ack"
	ackFor  = 365 * 24 * time.Hour
	// maxSilence bounds the others.
	maxSilence = 365 * 24 * time.Hour
	// mostShown bounds the alerts of one answer.
	mostShown = 10_000
)

// snapshot copies the known alerts.
func (l *ledger) snapshot() map[model.Fingerprint]record {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[model.Fingerprint]record, len(l.alerts))
	for fp, one := range l.alerts {
		if !one.heldBack {
			all[fp] = *one
		}
	}
	return all
}

func (r *record) state() string {
	switch {
	case r.ended():
		return wire.AlertEnded
	case r.Unknown:
		return wire.AlertUnknown
	}
	return wire.AlertFiring
}

// List lists alerts that are pending or fire, and those that ended recently.
func (a *Alerts) List(ctx context.Context, p wire.AlertsParams) (wire.AlertsResult, error) {
	fates, err := a.fates(ctx, p)
	if err != nil {
		return wire.AlertsResult{}, err
	}
	result := wire.AlertsResult{Alerts: []wire.Alert{}, Receivers: a.route.Receivers()}
	for _, one := range fates[:min(len(fates), mostShown)] {
		result.Alerts = append(result.Alerts, one.Alert)
	}
	return result, nil
}

// fates returns the selected alerts: first those that fire, then unknown, pending and
// ended ones, each with the oldest first.
func (a *Alerts) fates(ctx context.Context, p wire.AlertsParams) ([]wire.AlertFate, error) {
	silences, err := a.silencesByID(ctx)
	if err != nil {
		return nil, err
	}
	caller := scope.From(ctx)
	selected := func(set model.LabelSet) bool {
		return sees(caller, set) && (p.Name == "" || p.Name == string(set[model.AlertNameLabel])) && (p.Host == "" || p.Host == string(set["host"]))
	}
	known, hours := a.ledger.snapshot(), a.route.Hours()
	var list []wire.AlertFate
	for fp := range known {
		if one := known[fp]; selected(one.Labels) && (p.Ended || !one.ended()) {
			list = append(list, a.fate(ctx, &one, one.state(), silences, hours))
		}
	}
	for _, group := range a.ruleGroups() {
		for _, rule := range group.AlertingRules() {
			for _, alert := range withoutKey(rule.ActiveAlerts()) {
				set := labelSet(alert.Labels)
				if one, fires := known[set.Fingerprint()]; alert.State != rules.StatePending || fires && !one.ended() || !selected(set) {
					continue
				}
				one := record{Labels: set, Annotations: labelSet(alert.Annotations), StartsAt: alert.ActiveAt, value: alert.Value, seen: alert.ActiveAt}
				list = append(list, a.fate(ctx, &one, wire.AlertPending, silences, hours))
			}
		}
	}
	for _, one := range a.posted(known) {
		if selected(one.Labels) && (p.Ended || !one.ended()) {
			f := a.fate(ctx, &one, one.state(), silences, hours)
			f.Posted = true
			list = append(list, f)
		}
	}
	order := []string{wire.AlertFiring, wire.AlertUnknown, wire.AlertPending, wire.AlertEnded}
	slices.SortFunc(list, func(a, b wire.AlertFate) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)), cmp.Compare(a.SinceMS, b.SinceMS), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// posted are the alerts that other programs have posted and no rule here has.
func (a *Alerts) posted(known map[model.Fingerprint]record) (list []record) {
	found := a.route.Posted()
	told := a.ledger.postedTolds(found)
	for _, one := range found {
		fp := one.Fingerprint()
		if _, ours := known[fp]; ours {
			continue
		}
		k := record{Labels: one.Labels, Annotations: one.Annotations, StartsAt: one.StartsAt, Generator: one.GeneratorURL, Told: told[fp]}
		if one.Resolved() {
			k.EndsAt = one.EndsAt
		}
		list = append(list, k)
	}
	return list
}

// fate describes one alert.
func (a *Alerts) fate(ctx context.Context, one *record, state string, silences map[string]wire.Silence, hours *route.Hours) wire.AlertFate {
	f := wire.AlertFate{Alert: wire.Alert{
		ID: one.Labels.Fingerprint().String(), Name: one.name(), Host: one.host(), Severity: string(one.Labels["severity"]),
		Labels: texts(one.Labels), Summary: string(one.Annotations["summary"]), State: state, SinceMS: one.StartsAt.UnixMilli(),
	}}
	if !one.seen.IsZero() {
		f.Value = &one.value
	}
	for _, receiver := range slices.Sorted(maps.Keys(one.Told)) {
		t := one.Told[receiver]
		note := wire.TellNote{Receiver: receiver, Ended: t.Ended, Failed: t.Failed}
		if !t.At.IsZero() {
			note.AtMS = t.At.UnixMilli()
		}
		f.Told = append(f.Told, note)
	}
	if one.ended() {
		f.EndedMS = one.EndsAt.UnixMilli()
		return f
	}
	silencedBy, inhibitedBy := a.route.Muted(ctx, one.Labels)
	for _, id := range silencedBy {
		one, known := silences[id]
		if !known { // it belongs to other hosts too, or is new
			one = wire.Silence{ID: id, State: "active", Matchers: []string{}}
		}
		f.SilencedBy = append(f.SilencedBy, one)
	}
	f.InhibitedBy = a.namesOf(inhibitedBy)
	now := time.Now()
	for _, way := range a.route.Ways(one.Labels) {
		w := wire.TellWay{
			Receiver: way.RouteOpts.Receiver, WaitSeconds: way.RouteOpts.GroupWait.Seconds(), AgainSeconds: way.RouteOpts.RepeatInterval.Seconds(),
		}
		if len(silencedBy) == 0 && len(inhibitedBy) == 0 && state == wire.AlertFiring {
			if next := hours.OpenFrom(way, one.next(way, now)); !next.IsZero() {
				w.NextMS = next.UnixMilli()
			}
		}
		if muting, outside := hours.Shut(way, now); len(muting)+len(outside) > 0 {
			shut := wire.ShutHours{Receiver: w.Receiver, Intervals: muting, Outside: outside}
			if open := hours.OpenFrom(way, now); !open.IsZero() {
				shut.ToMS = open.UnixMilli()
			}
			f.ShutHours = append(f.ShutHours, shut)
		}
		f.Ways, f.Receivers = append(f.Ways, w), append(f.Receivers, w.Receiver)
	}
	return f
}

// next is the earliest time at which a way may tell of an alert that fires, if nothing mutes
// it.
func (r *record) next(way *dispatch.Route, now time.Time) time.Time {
	next := r.StartsAt.Add(way.RouteOpts.GroupWait)
	for receiver, t := range r.Told {
		if strings.HasPrefix(receiver, way.RouteOpts.Receiver+"/") && !t.At.IsZero() {
			next = t.At.Add(way.RouteOpts.RepeatInterval)
		}
	}
	if next.Before(now) {
		return now
	}
	return next
}

func texts(set model.LabelSet) map[string]string {
	m := make(map[string]string, len(set))
	for name, value := range set {
		m[string(name)] = string(value)
	}
	return m
}

// namesOf are the names of the alerts with these fingerprints.
func (a *Alerts) namesOf(fingerprints []string) (names []string) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	for _, text := range fingerprints {
		fp, err := model.ParseFingerprint(text)
		if one := a.ledger.alerts[fp]; err == nil && one != nil {
			names = append(names, one.name())
		} else {
			names = append(names, text)
		}
	}
	return names
}

// Summary counts what fires.
func (a *Alerts) Summary(ctx context.Context) wire.AlertsSummary {
	var s wire.AlertsSummary
	known := a.ledger.snapshot()
	list := slices.AppendSeq(a.posted(known), maps.Values(known))
	for _, one := range list {
		if one.ended() || !sees(scope.From(ctx), one.Labels) {
			continue
		}
		s.Firing++
		if one.Unknown {
			s.Unknown++
		}
		if silencedBy, inhibitedBy := a.route.Muted(ctx, one.Labels); len(silencedBy)+len(inhibitedBy) > 0 {
			s.Muted++
		}
	}
	return s
}

// Explain says what an alert's rules ask for and how they are, and for each of its alerts
// when who is told.
func (a *Alerts) Explain(ctx context.Context, p wire.AlertParams) (wire.AlertExplanation, error) {
	result := wire.AlertExplanation{Rules: []wire.AlertRule{}, Alerts: []wire.AlertFate{}}
	var names []string
	for _, group := range a.ruleGroups() {
		for _, rule := range alertingFor(scope.From(ctx), group) {
			names = append(names, rule.Name())
			if rule.Name() == p.Name {
				result.Rules = append(result.Rules, describeRule(group, rule))
			}
		}
	}
	fates, err := a.fates(ctx, wire.AlertsParams{Name: p.Name, Host: p.Host, Ended: true})
	if err != nil {
		return result, err
	}
	if len(result.Rules) == 0 && len(fates) == 0 {
		slices.Sort(names)
		all := strings.Join(slices.Compact(names), ", ")
		return result, rpc.Errorf(wire.CodeNotFound, "there is no alert %q%s (there are %s)", p.Name, nearest.Ask(p.Name, names), all)
	}
	result.Alerts = append(result.Alerts, fates[:min(len(fates), mostShown)]...)
	return result, nil
}

func describeRule(group *rules.Group, rule *rules.AlertingRule) wire.AlertRule {
	r := wire.AlertRule{
		Name: rule.Name(), File: group.File(), Group: group.Name(), Query: rule.Query().String(), Labels: rule.Labels().Map(),
		IntervalSeconds: group.Interval().Seconds(), ForSeconds: rule.HoldDuration().Seconds(), KeepSeconds: rule.KeepFiringFor().Seconds(),
	}
	if at := rule.GetEvaluationTimestamp(); !at.IsZero() {
		r.EvaluatedMS = at.UnixMilli()
	}
	if err := rule.LastError(); err != nil {
		r.Error = err.Error()
	}
	return r
}

// Test sends a test message.
func (a *Alerts) Test(ctx context.Context, p wire.AlertTestParams) (wire.AlertTestResult, error) {
	ways, err := a.route.Test(ctx, p.To)
	if err != nil {
		return wire.AlertTestResult{}, rpc.Errorf(wire.CodeNotFound, "%v", err)
	}
	result := wire.AlertTestResult{Ways: []wire.TellNote{}}
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		note := wire.TellNote{Receiver: p.To + "/" + way, AtMS: time.Now().UnixMilli()}
		if ways[way] != nil {
			note.Failed, note.AtMS = ways[way].Error(), 0
		}
		result.Ways = append(result.Ways, note)
	}
	return result, nil
}

// Ack acknowledges alerts: each gets a silence for this alert alone, which ends when the
// alert does.
func (a *Alerts) Ack(ctx context.Context, p wire.AlertAckParams) (wire.SilencesResult, error) {
	result := wire.SilencesResult{Silences: []wire.Silence{}}
	if p.ID == "" && p.Name == "" {
		return result, rpc.Errorf(rpc.CodeInvalidParams, "name an alert, by its id or its name")
	}
	known := a.ledger.snapshot()
	for fp := range known {
		one := known[fp]
		is := sees(scope.From(ctx), one.Labels) && !one.ended() && one.Ack == "" && (p.ID == "" || p.ID == fp.String()) && (p.Name == "" || p.Name == one.name()) &&
			(p.Host == "" || p.Host == one.host())
		if !is {
			continue
		}
		silence, err := a.route.Silence(ctx, route.Silence{
			Matchers: exactly(one.Labels), From: time.Now(), To: time.Now().Add(ackFor), By: audit.From(ctx).Who(),
			Comment: cmp.Or(p.Message, "acknowledged"), Notes: map[string]string{ackNote: fp.String()},
		})
		if err != nil {
			return result, err
		}
		if !a.ledger.acknowledge(fp, silence.ID) { // it has ended meanwhile
			if err := a.route.Unsilence(ctx, silence.ID); err != nil {
				return result, err
			}
			continue
		}
		result.Silences = append(result.Silences, describeSilence(silence))
	}
	if len(result.Silences) == 0 {
		for _, one := range a.posted(known) {
			if sees(scope.From(ctx), one.Labels) && !one.ended() && (p.ID == "" || p.ID == one.Labels.Fingerprint().String()) &&
				(p.Name == "" || p.Name == one.name()) && (p.Host == "" || p.Host == one.host()) {
				return result, rpc.Errorf(rpc.CodeInvalidParams, "%s was posted by another program, which says when it ends, so it cannot be acknowledged; "+
					"silence it: vedette silence '%s'", one.name(), strings.Join(exactly(one.Labels), "' '"))
			}
		}
		return result, rpc.Errorf(wire.CodeNotFound, "no alert%s fires that is not acknowledged yet%s; `vedette alerts` lists what fires",
			asked(p), nearestAlert(ctx, p, known))
	}
	a.write(ctx)
	a.opts.Changed()
	return result, nil
}

// nearestAlert asks whether a firing alert with a similar name was meant, or is "" if
// there is one of that name.
func nearestAlert(ctx context.Context, p wire.AlertAckParams, known map[model.Fingerprint]record) string {
	var names, ids []string
	for fp, one := range known {
		if !one.ended() && sees(scope.From(ctx), one.Labels) {
			names, ids = append(names, one.name()), append(ids, fp.String())
		}
	}
	slices.Sort(names)
	slices.Sort(ids)
	if p.Name != "" && !slices.Contains(names, p.Name) {
		return nearest.Ask(p.Name, names)
	}
	if p.ID != "" && !slices.Contains(ids, p.ID) {
		return nearest.Ask(p.ID, ids)
	}
	return ""
}

// asked says which alerts were asked for.
func asked(p wire.AlertAckParams) (text string) {
	for _, part := range []struct{ before, value string }{{"", p.Name}, {"with the id ", p.ID}, {"of the host ", p.Host}} {
		if part.value != "" {
			text += fmt.Sprintf(" %s%q", part.before, part.value)
		}
	}
	return text
}

// exactly are the matchers of this alert alone.
func exactly(set model.LabelSet) (matchers []string) {
	for name, value := range set {
		matchers = append(matchers, fmt.Sprintf("%s=%q", name, value))
	}
	slices.Sort(matchers)
	return matchers
}

func describeSilence(s route.Silence) wire.Silence {
	return wire.Silence{
		ID: s.ID, Matchers: s.Matchers, FromMS: s.From.UnixMilli(), ToMS: s.To.UnixMilli(), By: s.By, Message: s.Comment, State: s.State,
		Ack: s.Notes[ackNote] != "", Maintenance: cmp.Or(s.Notes[maintenanceNote], selfOf(s)),
	}
}

// Silences lists them.
func (a *Alerts) Silences(ctx context.Context, p wire.SilencesParams) (wire.SilencesResult, error) {
	result := wire.SilencesResult{Silences: []wire.Silence{}}
	all, err := a.route.Silences(ctx, p.Ended)
	for _, one := range all {
		if seesSilence(scope.From(ctx), &one) {
			result.Silences = append(result.Silences, describeSilence(one))
		}
	}
	return result, err
}

func (a *Alerts) silencesByID(ctx context.Context) (map[string]wire.Silence, error) {
	all, err := a.Silences(ctx, wire.SilencesParams{})
	byID := make(map[string]wire.Silence, len(all.Silences))
	for _, one := range all.Silences {
		byID[one.ID] = one
	}
	return byID, err
}

// Silence makes a silence. Its matchers are complete: a selector was already replaced by
// the hosts that it selects.
func (a *Alerts) Silence(ctx context.Context, matchers []string, p wire.SilenceParams) (wire.Silence, error) {
	d := time.Duration(p.Seconds * float64(time.Second))
	if !(p.Seconds >= 1 && p.Seconds <= maxSilence.Seconds()) {
		return wire.Silence{}, rpc.Errorf(rpc.CodeInvalidParams, "a silence lasts from 1 second to 365 days, not %g seconds", p.Seconds)
	}
	if len(matchers) == 0 {
		return wire.Silence{}, rpc.Errorf(rpc.CodeInvalidParams, "say what is silent: a matcher such as host=\"web-1\", or a selector of hosts")
	}
	silence, err := a.route.Silence(ctx, route.Silence{
		Matchers: matchers, From: time.Now(), To: time.Now().Add(d), By: audit.From(ctx).Who(), Comment: cmp.Or(p.Message, "no reason given"),
	})
	if err != nil {
		return wire.Silence{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	a.opts.Changed()
	return describeSilence(silence), nil
}

// EndSilence ends a silence now. If it was an acknowledgement, people are told of its
// alert again.
func (a *Alerts) EndSilence(ctx context.Context, p wire.SilenceEndParams) (wire.Empty, error) {
	all, err := a.Silences(ctx, wire.SilencesParams{Ended: true})
	if err != nil {
		return wire.Empty{}, err
	}
	var ids []string
	for _, one := range all.Silences {
		if one.ID == p.Silence || one.State != "expired" {
			ids = append(ids, one.ID)
		}
	}
	if !slices.Contains(ids, p.Silence) {
		of := ""
		if !scope.From(ctx).All() {
			of = " of your hosts alone"
		}
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "there is no silence %q%s%s; `vedette silence list` shows those that there are",
			p.Silence, of, nearest.Ask(p.Silence, ids))
	}
	if err := a.route.Unsilence(ctx, p.Silence); err != nil {
		return wire.Empty{}, err
	}
	a.ledger.unacknowledge(p.Silence)
	a.write(ctx)
	a.opts.Changed()
	return wire.Empty{}, nil
}
