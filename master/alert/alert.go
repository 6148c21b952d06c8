// Package alert evaluates rules over the history: those that come with the
// product, and those of files in Prometheus' format. What fires goes to
// Alertmanagers, and is shown by the Prometheus HTTP API.
//
// Since when an alert is active is in the history, as the series ALERTS_FOR_STATE,
// so that a restart of the master does not begin anew with it. An Alertmanager
// takes an alert as resolved that it is not told of for a while, so that what has
// ended while the master was down is told too.
package alert

import (
	"context"
	_ "embed" // the built-in rules
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/master/history"
)

const (
	// interval is how often rules are evaluated whose group does not say it.
	interval = 15 * time.Second
	// forGracePeriod is the least `for` of which it is remembered over a restart
	// since when an alert is pending, and outageTolerance for how long.
	forGracePeriod  = 5 * time.Second
	outageTolerance = time.Hour
	// resendDelay is how often Alertmanagers are told of what still fires.
	resendDelay = time.Minute
	// builtinName is the file that the API gives for the built-in rules.
	builtinName = "built-in"
	// labelKey is a label of every series of the history. It is of no use to who
	// is told of an alert, who would get one for each key.
	labelKey = "key"
)

//go:embed builtin.yaml
var builtin []byte

// Options say which rules there are, and who is told.
type Options struct {
	Log     *slog.Logger // nil: nothing is logged
	History *history.Store
	// Files are rule files in Prometheus' format, and Builtin adds the rules that
	// come with the product.
	Files   []string
	Builtin bool
	// Alertmanagers are the addresses of those that are told.
	Alertmanagers []string
}

// Alerts evaluates rules. New makes it, Run runs it once.
type Alerts struct {
	opts    Options
	history *history.Rules
	sender  *sender
	ids     []string
	groups  map[string]*rulefmt.RuleGroups // by id, read once

	manager *rules.Manager
	started chan struct{} // closed when manager is set
}

// New reads the rules. The error has every fault, with its place.
func New(opts Options) (*Alerts, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	a := &Alerts{opts: opts, history: opts.History.Rules(), groups: make(map[string]*rulefmt.RuleGroups), started: make(chan struct{})}
	var faults []error
	if opts.Builtin {
		groups, errs := rulefmt.Parse(builtin, false, model.UTF8Validation, a.history.Parser(), opts.Log)
		a.add(builtinName, groups)
		faults = append(faults, errs...)
	}
	for _, file := range opts.Files {
		groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, a.history.Parser(), opts.Log)
		if len(errs) > 0 {
			faults = append(faults, fmt.Errorf("cannot use a file of rules: %w", errors.Join(errs...)))
			continue
		}
		a.add(file, groups)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	var err error
	a.sender, err = newSender(opts.Log, opts.Alertmanagers)
	return a, err
}

func (a *Alerts) add(id string, groups *rulefmt.RuleGroups) {
	a.ids = append(a.ids, id)
	a.groups[id] = groups
}

// Run evaluates rules from the time on when the history is open, until ctx ends,
// and returns when every goroutine is gone.
func (a *Alerts) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.opts.History.Ready():
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, Logger: a.opts.Log.With("component", "rules"),
		QueryFunc: a.history.Query, Queryable: a.history, Appendable: a.history,
		NotifyFunc: a.notify, GroupLoader: loader{a}, Parser: a.history.Parser(),
		OutageTolerance: outageTolerance, ForGracePeriod: forGracePeriod, ResendDelay: resendDelay,
	})
	stopSending := a.sender.run()
	defer stopSending()
	if err := manager.Update(interval, a.ids, labels.EmptyLabels(), "", nil); err != nil {
		return fmt.Errorf("cannot evaluate the rules: %w", err)
	}
	a.manager = manager
	close(a.started)
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		manager.Run()
	}()
	<-ctx.Done()
	manager.Stop()
	<-ran
	return nil
}

// notify tells of alerts, without the label key.
func (a *Alerts) notify(ctx context.Context, expr string, alerts ...*rules.Alert) {
	rules.SendAlerts(a.sender, "")(ctx, expr, withoutKey(alerts)...)
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
	return l.groups[id], nil
}

// Parse implements rules.GroupLoader.
func (l loader) Parse(query string) (parser.Expr, error) { return l.history.Parser().ParseExpr(query) }
