// Package alert evaluates rules over the history: the built-in ones, those of inspectors,
// and those of files in Prometheus' format. Package route tells people about firing
// alerts. Alerts are also sent to external Alertmanagers and shown by the Prometheus HTTP
// API.
//
// The history stores since when each alert is active, in the series ALERTS_FOR_STATE, so
// pending times survive a restart. The master's state stores which alerts fire, since
// when, and who was told, so that people hear of an alert that ended while the master was
// down. An alert that its rule no longer names has ended only if its host is up. If the
// host is gone, the alert is unknown and continues.
package alert

import (
	"context"
	_ "embed" // the built-in rules
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/alert/rulefile"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
)

const (
	// interval is how often rules are evaluated if their group does not say.
	interval = 15 * time.Second
	// forGracePeriod is the shortest `for` of an alert whose pending time survives a
	// restart, and outageTolerance is how long that restart may take.
	forGracePeriod  = 5 * time.Second
	outageTolerance = time.Hour
	// resendDelay is how often Alertmanagers are told of alerts that still fire.
	resendDelay = time.Minute
	// reviewEvery is how often firing alerts are reviewed. When rules say that alerts have
	// ended, a review follows at once.
	reviewEvery = 5 * time.Second
	writeWithin = 10 * time.Second
	// builtinName is the file that the API gives for the built-in rules.
	builtinName = "built-in"
	// labelKey is a label of every series of the history. People are told of alerts
	// without it, or they would get one message for each key.
	labelKey = "key"
)

// RoutePrefix is the path below which Alertmanager's API is served, and MaxRouteBody
// bounds its requests.
const (
	RoutePrefix  = route.Prefix + "/"
	MaxRouteBody = route.MaxBody
)

//go:embed builtin.yaml
var builtin []byte

// Options are what Alerts need from outside.
type Options struct {
	Log     *slog.Logger // nil: nothing is logged
	History *history.Store
	// Config says which rules there are, and who is told.
	Config config.Alerts
	// Link returns the address of the master, without a slash at its end, for messages.
	Link func() string
	// Gone reports whether a known host does not report, so that nobody can tell the state
	// of its alerts. Nil: no host is gone.
	Gone func(host string) bool
	// Hosts returns the labels of every known host. Nil: there are none.
	Hosts func() map[string]scope.Labels
	// Changed is called when an alert fires or ends, or somebody was told. It must not
	// call back, and may be nil.
	Changed func()
	// Settle is how long after a start, or after its host has come back, an alert
	// continues although no rule says that it fires. Zero: settleAfter.
	Settle time.Duration
}

// Alerts evaluates rules and tells of what fires. New makes it, Open gives it its
// state, Run runs it once.
type Alerts struct {
	opts    Options
	history *history.Rules
	sender  *sender
	route   *route.Router
	ledger  *ledger
	review  chan struct{} // rung when rules say that something has ended

	probing  sync.Mutex // held while the rules of inspectors are made; taken before updating
	updating sync.Mutex // held while the rules that are evaluated are replaced

	mu     sync.Mutex
	ids    []string                       // guarded by mu
	groups map[string]*rulefmt.RuleGroups // guarded by mu; by id
	probes map[string]*rulefmt.RuleGroups // guarded by mu; by id: those of inspectors
	// builtin are the built-in rules, with the thresholds that are set; guarded by mu.
	builtin *rulefmt.RuleGroups
	given   map[string][]alerts.Probe // guarded by mu: the probes that they were made of

	thresholds  thresholds
	maintenance maintenance

	manager *rules.Manager
	started chan struct{} // closed when manager is set
}

// New reads the rules and the configuration of receivers. The error has every fault, with
// its place.
func New(opts Options) (*Alerts, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Gone == nil {
		opts.Gone = func(string) bool { return false }
	}
	if opts.Hosts == nil {
		opts.Hosts = func() map[string]scope.Labels { return nil }
	}
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Settle == 0 {
		opts.Settle = settleAfter
	}
	a := &Alerts{opts: opts, history: opts.History.Rules(), review: make(chan struct{}, 1), started: make(chan struct{})}
	a.ledger = newLedger(&a.opts)
	ids, groups, err := a.read(opts.Config)
	tell, tellErr := route.Read(opts.Config)
	limits, limitsErr := readThresholds(opts.Config, groups[builtinName])
	if err = errors.Join(err, tellErr, limitsErr); err != nil {
		return nil, err
	}
	a.ids, a.groups = ids, groups
	a.thresholds.configure(limits)
	page := func() string { return opts.Link() + "/alerts" }
	if a.route, err = route.New(route.Options{Log: opts.Log, Link: page, Telling: a.telling, Told: a.told}, tell); err != nil {
		return nil, err
	}
	a.sender, err = newSender(opts.Log, opts.Config.Alertmanagers)
	return a, err
}

// read reads the rules that a configuration names.
func (a *Alerts) read(c config.Alerts) (ids []string, groups map[string]*rulefmt.RuleGroups, err error) {
	var faults []error
	groups = make(map[string]*rulefmt.RuleGroups)
	if c.BuiltIn {
		read, errs := rulefmt.Parse(builtin, false, model.UTF8Validation, a.history.Parser(), a.opts.Log)
		ids, groups[builtinName] = append(ids, builtinName), read
		faults = append(faults, errs...)
	}
	for _, file := range c.Rules {
		read, err := rulefile.Read(file, a.history.Parser(), a.opts.Log)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		ids, groups[file] = append(ids, file), read
	}
	return ids, groups, errors.Join(faults...)
}

// Open reads from the state which alerts fired, the silences, and who was told. It must be
// called once, before Run.
func (a *Alerts) Open(ctx context.Context, store state.Store) error {
	if err := errors.Join(a.ledger.open(ctx, store), a.route.Open(ctx, store), a.thresholds.open(ctx, store), a.maintenance.open(ctx, store)); err != nil {
		return fmt.Errorf("cannot take up the alerts: %w", err)
	}
	return nil
}

// Reload replaces the rules and the receivers. If there is an error, the old ones stay.
func (a *Alerts) Reload(c config.Alerts) error {
	if !slices.Equal(c.Alertmanagers, a.opts.Config.Alertmanagers) {
		return errors.New("master.alerts.alertmanagers has changed, which takes a restart")
	}
	ids, groups, err := a.read(c)
	tell, tellErr := route.Read(c)
	limits, limitsErr := readThresholds(c, groups[builtinName])
	if err = errors.Join(err, tellErr, limitsErr); err != nil {
		return err
	}
	if err := a.route.Reload(tell); err != nil {
		return err
	}
	a.mu.Lock()
	a.ids, a.groups = ids, groups
	a.mu.Unlock()
	a.thresholds.configure(limits)
	return errors.Join(a.update(), a.applyThresholds())
}

// update evaluates the present rules. Rules that stay keep their state.
func (a *Alerts) update() error {
	select {
	case <-a.started:
	default:
		return nil // Run takes them
	}
	a.updating.Lock()
	defer a.updating.Unlock()
	return a.manager.Update(interval, a.all(), labels.EmptyLabels(), a.opts.Link(), nil)
}

// all are the ids of all rules.
func (a *Alerts) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Concat(a.ids, slices.Sorted(maps.Keys(a.probes)))
}

// Route is what tells people.
func (a *Alerts) Route() *route.Router { return a.route }

// Run evaluates rules from the moment the history is open until ctx ends, and returns when
// every goroutine is gone.
func (a *Alerts) Run(ctx context.Context) error {
	defer a.route.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-a.opts.History.Ready():
	}
	link, err := url.Parse(a.opts.Link()) // templates of alerts call for it
	if err != nil {
		return fmt.Errorf("cannot read the address of the master: %w", err)
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, Logger: seldomLog(history.Quiet(a.opts.Log.With("component", "rules"))),
		QueryFunc: a.history.Query, Queryable: a.history, Appendable: a.history,
		ExternalURL: link, NotifyFunc: a.notify, GroupLoader: loader{a}, Parser: a.history.Parser(),
		OutageTolerance: outageTolerance, ForGracePeriod: forGracePeriod, ResendDelay: resendDelay,
		RestoreNewRuleGroups: true, // the rules of an inspector that comes back
	})
	if err := a.spreadBuiltin(); err != nil { // a faulty threshold must not disable the others
		a.opts.Log.Error("a threshold has no effect", "error", err)
	}
	stopSending := a.sender.run()
	defer stopSending()
	if err := manager.Update(interval, a.all(), labels.EmptyLabels(), a.opts.Link(), nil); err != nil {
		return fmt.Errorf("cannot evaluate the rules: %w", err)
	}
	a.maintain(ctx) // before anybody is told
	a.handOn(ctx, a.ledger.begin(time.Now()))
	if err := a.route.Start(); err != nil {
		return fmt.Errorf("cannot tell of alerts: %w", err)
	}
	a.manager = manager
	close(a.started)
	if err := a.update(); err != nil { // what came meanwhile
		return fmt.Errorf("cannot evaluate the rules: %w", err)
	}
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		manager.Run()
	}()
	a.watch(ctx)
	manager.Stop()
	<-ran
	a.route.Stop()
	a.write(context.WithoutCancel(ctx))
	return nil
}

// watch reviews firing alerts until ctx ends.
func (a *Alerts) watch(ctx context.Context) {
	ticker := time.NewTicker(reviewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.maintain(ctx)
		case <-a.review:
		}
		list, acks := a.ledger.review(a.saying())
		for _, id := range acks { // first, or nobody is told of the end
			if err := a.route.Unsilence(ctx, id); err != nil {
				a.opts.Log.Warn("an acknowledgement outlasts its alert", "error", err)
			}
		}
		a.handOn(ctx, list)
		a.sender.repeat(time.Now())
		if len(list) > 0 {
			a.opts.Changed()
		}
	}
}

// saying collects what rules say now.
func (a *Alerts) saying() saying {
	s := saying{at: time.Now(), firing: make(map[model.Fingerprint]bool), pending: make(map[model.Fingerprint]bool), rules: make(map[string][]evaluated)}
	for _, group := range a.manager.RuleGroups() {
		for _, rule := range group.AlertingRules() {
			e := evaluated{keep: rule.KeepFiringFor()}
			if rule.Health() == rules.HealthGood {
				e.at = rule.GetEvaluationTimestamp()
			}
			s.rules[rule.Name()] = append(s.rules[rule.Name()], e)
			for _, alert := range withoutKey(rule.ActiveAlerts()) {
				if fp := labelSet(alert.Labels).Fingerprint(); alert.State == rules.StateFiring {
					s.firing[fp] = true
				} else {
					s.pending[fp] = true
				}
			}
		}
	}
	return s
}

// notify takes the alerts of a rule, without the label key.
func (a *Alerts) notify(ctx context.Context, expr string, alerts ...*rules.Alert) {
	if len(alerts) == 0 {
		return
	}
	list := a.ledger.fired(time.Now(), a.opts.Link()+"/explore?q="+url.QueryEscape(expr), withoutKey(alerts))
	a.handOn(ctx, list)
	if len(list) > 0 {
		a.opts.Changed()
	}
	if slices.ContainsFunc(alerts, func(one *rules.Alert) bool { return one.State != rules.StateFiring }) {
		bell.Ring(a.review)
	}
}

// handOn stores alerts as they are now, then has people told.
func (a *Alerts) handOn(ctx context.Context, list []*amalert.Alert) {
	a.write(ctx)
	if len(list) == 0 {
		return
	}
	if err := a.route.Put(ctx, list...); err != nil && ctx.Err() == nil {
		a.opts.Log.Error("nobody is told of alerts", "error", err)
	}
	a.sender.put(list)
}

func (a *Alerts) write(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer cancel()
	if err := a.ledger.write(ctx); err != nil {
		a.opts.Log.Error("what fires is not on the disk; trying again", "error", err)
	}
}

// telling records that somebody is about to be told.
func (a *Alerts) telling(t route.Telling) {
	if a.ledger.telling(t.Receiver, t.Alerts, t.SendsResolved) {
		a.write(context.Background())
	}
}

// told records who was told.
func (a *Alerts) told(t route.Telling) {
	a.ledger.told(t.Receiver, t.Alerts, t.At, t.SendsResolved, t.Err, a.route.IsPosted)
	a.write(context.Background())
	a.opts.Changed()
}

func withoutKey(alerts []*rules.Alert) []*rules.Alert {
	told := make([]*rules.Alert, len(alerts))
	for i, alert := range alerts {
		one := *alert
		one.Labels = labels.NewBuilder(alert.Labels).Del(labelKey).Labels()
		told[i] = &one
	}
	return told
}

// loader gives the manager the rules that were read. It implements
// rules.GroupLoader.
type loader struct{ *Alerts }

// Load implements rules.GroupLoader.
func (l loader) Load(id string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if groups := l.probes[id]; groups != nil {
		return groups, nil
	}
	if id == builtinName && l.builtin != nil {
		return l.builtin, nil
	}
	return l.groups[id], nil
}

// Parse implements rules.GroupLoader.
func (l loader) Parse(query string) (parser.Expr, error) { return l.history.Parser().ParseExpr(query) }
