package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	amlabels "github.com/prometheus/alertmanager/pkg/labels"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/alert/shelf"
	"github.com/vedettehq/vedette/master/alert/weekly"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	maintenancePrefix = "maintenances/"
	// maxMaintenances bounds the number of maintenances.
	maxMaintenances = 1000
	// maintenanceNote and windowNote mark a silence that a maintenance makes for one of
	// its windows: they hold its id and the name of the window.
	maintenanceNote, windowNote = "vedette/maintenance", "vedette/window"
	// silenceAhead is how long before a window its silence is made.
	silenceAhead = time.Minute
	// maxHostsBytes bounds the names of hosts in one silence.
	maxHostsBytes = 32 << 10
)

// maintenance manages recurring maintenances. A silence is made for each window a little
// before it begins. At a start the silences show which hosts have one, so none is made
// twice, and one that somebody has ended stays ended until the next window.
type maintenance struct {
	changing sync.Mutex // held while entries or their silences are changed
	shelf    *shelf.Shelf
	// covered has the hosts that have a silence, by window; guarded by changing. It is nil
	// until it has been read.
	covered map[string]map[string]bool

	mu   sync.Mutex
	list map[string]recurring // guarded by mu; by id
}

// recurring is an entry, and when it is.
type recurring struct {
	wire.Maintenance
	schedule *weekly.Schedule
}

func (m *maintenance) open(ctx context.Context, store state.Store) error {
	s, values, err := shelf.Open(ctx, store, maintenancePrefix)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shelf, m.list = s, make(map[string]recurring, len(values))
	for id, value := range values {
		var one recurring
		err := json.Unmarshal(value, &one.Maintenance)
		if err == nil {
			one.schedule, err = weekly.Parse(one.Every, one.Zone)
		}
		if err != nil {
			return fmt.Errorf("cannot read the maintenance %s%s of the state: %w", maintenancePrefix, id, err)
		}
		m.list[id] = one
	}
	return nil
}

func (m *maintenance) all() []recurring {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.list))
}

// on are the hosts that an entry applies to now. A single host need not be known, unless
// the author of the entry is bound to labels.
func (r *recurring) on(hosts map[string]scope.Labels) (names []string) {
	within, err := scope.ParseSelector(r.Within)
	if err != nil {
		return nil
	}
	if r.Host != "" {
		if set, known := hosts[r.Host]; r.Within == "" || known && within.Matches(set) {
			return []string{r.Host}
		}
		return nil
	}
	selector, err := scope.ParseSelector(r.Selector)
	if err != nil {
		return nil
	}
	for name, set := range hosts {
		if selector.Matches(set) && within.Matches(set) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// describe returns an entry with when it is next, and for how many hosts it is now.
func (r *recurring) describe(now time.Time, hosts map[string]scope.Labels) wire.Maintenance {
	w, one := r.schedule.Next(now), r.Maintenance
	one.FromMS, one.ToMS, one.Hosts = w.From.UnixMilli(), w.To.UnixMilli(), len(r.on(hosts))
	return one
}

// seenBy reports whether a scope sees an entry: one of a host that it sees, or one whose
// author has the same scope.
func (r *recurring) seenBy(s scope.Scope) bool {
	return s.All() || r.Host != "" && s.Sees(r.Host) || r.Within == s.Selector()
}

// Maintenances lists what recurs.
func (a *Alerts) Maintenances(ctx context.Context, _ wire.Empty) (wire.MaintenancesResult, error) {
	result := wire.MaintenancesResult{Maintenances: []wire.Maintenance{}}
	now, hosts, caller := time.Now(), a.opts.Hosts(), scope.From(ctx)
	for _, one := range a.maintenance.all() {
		if one.seenBy(caller) {
			result.Maintenances = append(result.Maintenances, one.describe(now, hosts))
		}
	}
	slices.SortFunc(result.Maintenances, func(a, b wire.Maintenance) int {
		return cmp.Or(cmp.Compare(a.FromMS, b.FromMS), cmp.Compare(a.ID, b.ID))
	})
	return result, nil
}

// AddMaintenance adds a recurring maintenance. Adding the same one again changes its
// message.
func (a *Alerts) AddMaintenance(ctx context.Context, p wire.MaintenanceParams) (wire.Maintenance, error) {
	caller, attempt := scope.From(ctx), audit.From(ctx)
	one := recurring{Maintenance: wire.Maintenance{
		Host: p.Host, Selector: p.Selector, Within: caller.Selector(), Every: p.Every, Zone: cmp.Or(p.Zone, "UTC"),
		By: attempt.Who(), AtMS: time.Now().UnixMilli(), Message: cmp.Or(p.Message, "maintenance"),
	}}
	if err := one.check(caller); err != nil {
		return wire.Maintenance{}, err
	}
	m := &a.maintenance
	m.changing.Lock()
	defer m.changing.Unlock()
	if m.shelf == nil {
		return wire.Maintenance{}, rpc.Errorf(wire.CodeBusy, "%v", route.ErrNotOpen)
	}
	m.mu.Lock()
	before, known := m.list[one.ID]
	count := len(m.list)
	m.mu.Unlock()
	if known { // what it has silenced is still its own
		one.AtMS = before.AtMS
	}
	if !known && count >= maxMaintenances {
		return wire.Maintenance{}, rpc.Errorf(rpc.CodeInvalidParams, "%d maintenances recur, which is the limit; `vedette maintenance list` shows them", count)
	}
	value, err := json.Marshal(one.Maintenance)
	if err != nil {
		return wire.Maintenance{}, fmt.Errorf("cannot store the maintenance: %w", err)
	}
	if err := m.shelf.Write(ctx, map[string][]byte{one.ID: value}, attempt.Change(one.ID, one.text())); err != nil {
		return wire.Maintenance{}, err
	}
	attempt.Written()
	m.mu.Lock()
	m.list[one.ID] = one
	m.mu.Unlock()
	return one.describe(time.Now(), a.opts.Hosts()), a.maintainLocked(ctx)
}

// check returns what is wrong with a requested entry, or gives it its schedule and its id.
func (r *recurring) check(caller scope.Scope) (err error) {
	switch {
	case (r.Host == "") == (r.Selector == ""):
		return rpc.Errorf(rpc.CodeInvalidParams, "give a host or a selector of hosts")
	case r.Host != "" && !caller.Sees(r.Host):
		return rpc.Errorf(wire.CodeNotFound, "there is no host %q", r.Host)
	}
	if _, err := scope.ParseSelector(r.Selector); err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	if r.schedule, err = weekly.Parse(r.Every, r.Zone); err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{r.Host, r.Selector, r.Within, r.schedule.String()}, "\x00")))
	r.ID = hex.EncodeToString(sum[:6])
	return nil
}

// text describes an entry for the audit log.
func (r *recurring) text() string {
	hosts := r.Host
	if hosts == "" {
		hosts = hostsText(r.Selector)
	}
	if r.Within != "" {
		hosts += " within " + r.Within
	}
	return fmt.Sprintf("every %s on %s: %s", r.schedule, hosts, r.Message)
}

// EndMaintenance removes a recurring maintenance, and ends it if it is now.
func (a *Alerts) EndMaintenance(ctx context.Context, p wire.MaintenanceEndParams) (wire.Maintenance, error) {
	m, caller := &a.maintenance, scope.From(ctx)
	m.changing.Lock()
	defer m.changing.Unlock()
	var ids []string
	var found *recurring
	for _, one := range m.all() {
		if one.seenBy(caller) {
			ids = append(ids, one.ID)
			if one.ID == p.ID {
				found = &one
			}
		}
	}
	if found == nil {
		return wire.Maintenance{}, rpc.Errorf(wire.CodeNotFound, "there is no recurring maintenance %q%s; `vedette maintenance list` shows those that there are",
			p.ID, nearest.Ask(p.ID, ids))
	}
	attempt := audit.From(ctx)
	if err := m.shelf.Write(ctx, map[string][]byte{p.ID: nil}, attempt.Change(p.ID, found.text())); err != nil {
		return wire.Maintenance{}, err
	}
	attempt.Written()
	m.mu.Lock()
	delete(m.list, p.ID)
	m.mu.Unlock()
	m.covered = nil // and its present silences end
	return found.Maintenance, a.maintainLocked(ctx)
}

// maintain makes the silences of windows that are now or soon, and ends those whose
// maintenance was removed.
func (a *Alerts) maintain(ctx context.Context) {
	a.maintenance.changing.Lock()
	defer a.maintenance.changing.Unlock()
	if err := a.maintainLocked(ctx); err != nil {
		a.opts.Log.Error("a maintenance is not as it should be; trying again", "error", err)
	}
}

// maintainLocked is maintain. The master itself is the author of the silences, whoever
// calls.
func (a *Alerts) maintainLocked(ctx context.Context) error {
	ctx = audit.With(context.WithoutCancel(ctx), audit.NewAttempt(audit.Master, audit.Master, "", ""))
	m, now := &a.maintenance, time.Now()
	if m.covered == nil {
		if err := a.readCovered(ctx, now); err != nil {
			return err
		}
	}
	var hosts map[string]scope.Labels
	var faults []error
	covered := make(map[string]map[string]bool)
	for _, one := range m.all() {
		w := one.schedule.Next(now)
		if w.From.Sub(now) > silenceAhead {
			continue
		}
		if hosts == nil {
			hosts = a.opts.Hosts()
		}
		window := one.window(w)
		done := m.covered[window]
		if done == nil {
			done = make(map[string]bool)
		}
		covered[window] = done
		faults = append(faults, a.silenceWindow(ctx, one, now, w, hosts, done))
	}
	m.covered = covered // windows that are over are not needed any more
	return errors.Join(faults...)
}

// window is the name of a window of an entry.
func (r *recurring) window(w weekly.Window) string {
	return fmt.Sprint(r.ID, "/", r.AtMS, "/", w.From.Unix())
}

// readCovered reads from the silences which hosts are covered, and ends silences whose
// maintenance was removed.
func (a *Alerts) readCovered(ctx context.Context, now time.Time) error {
	known := make(map[string]bool)
	for _, one := range a.maintenance.all() {
		known[one.ID] = true
	}
	all, err := a.route.Silences(ctx, true)
	if err != nil {
		return err
	}
	covered := make(map[string]map[string]bool)
	for _, one := range all {
		id, window := one.Notes[maintenanceNote], one.Notes[windowNote]
		if id == "" {
			continue
		}
		if one.To.After(now) && !known[id] {
			if err := a.route.Unsilence(ctx, one.ID); err != nil {
				return err
			}
			a.opts.Changed()
		}
		if covered[window] == nil {
			covered[window] = make(map[string]bool)
		}
		for _, host := range hostsOf(&one) {
			covered[window][host] = true
		}
	}
	a.maintenance.covered = covered
	return nil
}

// silenceWindow makes the silences of a window, for hosts that had none in it.
func (a *Alerts) silenceWindow(ctx context.Context, one recurring, now time.Time, w weekly.Window, hosts map[string]scope.Labels, done map[string]bool) error {
	for _, names := range partsOf(slices.DeleteFunc(one.on(hosts), func(name string) bool { return done[name] })) {
		_, err := a.route.Silence(ctx, route.Silence{
			Matchers: []string{fmt.Sprintf("%s=~%q", labelHost, strings.Join(names, "|"))}, From: laterOf(w.From, now), To: w.To, By: one.By,
			Comment: fmt.Sprintf("%s (every %s)", one.Message, one.schedule), Notes: map[string]string{maintenanceNote: one.ID, windowNote: one.window(w)},
		})
		if err != nil {
			return err
		}
		for _, name := range names {
			done[strings.ReplaceAll(name, `\`, "")] = true
		}
		a.opts.Changed()
	}
	return nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// partsOf splits hosts into parts that fit into one silence, quoted for a regular
// expression.
func partsOf(hosts []string) (parts [][]string) {
	size := maxHostsBytes
	for _, host := range hosts {
		quoted := regexp.QuoteMeta(host)
		if size += len(quoted) + 1; size > maxHostsBytes {
			parts, size = append(parts, nil), len(quoted)+1
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], quoted)
	}
	return parts
}

// hostsOf are the hosts of a silence with such a matcher.
func hostsOf(one *route.Silence) []string {
	for _, text := range one.Matchers {
		if m, err := amlabels.ParseMatcher(text); err == nil && m.Name == labelHost {
			return strings.Split(strings.ReplaceAll(m.Value, `\`, ""), "|")
		}
	}
	return nil
}
