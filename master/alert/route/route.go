package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amapi "github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/state"
)

const (
	// Prefix is the path below which the HTTP API of Alertmanager is.
	Prefix = "/alertmanager"

	// forgetEndedEvery is how often ended alerts and expired entries are dropped.
	forgetEndedEvery = 30 * time.Minute
	expireEvery      = 15 * time.Minute
	groupsEvery      = 30 * time.Second
	// finishWithin is how long a message that is under way may take when the configuration
	// changes or the master stops. If it were cut off, its receiver would be told again.
	finishWithin = 5 * time.Second
	// testWithin bounds a test message.
	testWithin = 20 * time.Second
)

// ErrNotOpen is returned for calls that need the state before it is open.
var ErrNotOpen = errors.New("the master is starting; try again in a moment")

// Options are what a Router needs from outside.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
	// Link returns the address of the page, for messages.
	Link func() string
	// Telling is called before a receiver is told of alerts. If the master is killed, Told
	// may not follow.
	Telling func(Telling)
	// Told is called after a receiver was told of alerts, or could not be. A failed
	// attempt is repeated.
	Told func(Telling)
}

// Telling says that a receiver was told of alerts, or could not be.
type Telling struct {
	Receiver string // with the way, such as "ops/email[0]"
	Alerts   []*alert.Alert
	At       time.Time
	// SendsResolved is whether the receiver is told of ends too.
	SendsResolved bool
	Err           error
}

// Router tells receivers of alerts. New makes it, Open gives it its state, Start
// lets it tell, Stop ends that.
type Router struct {
	opts     Options
	registry *prometheus.Registry
	pipeline *notify.PipelineBuilder
	metrics  *dispatch.DispatcherMetrics
	groups   marker.GroupMarker

	// Set by Open, and not changed afterwards.
	silences *silences
	log      *toldLog
	silencer *silence.Silencer
	alerts   *mem.Alerts
	opened   chan struct{} // closed by Open

	postedMu sync.Mutex
	posted   map[model.Fingerprint]bool // guarded by postedMu: alerts that came through the API

	current atomic.Pointer[running] // nil before Start and after Stop; written with mu

	mu      sync.Mutex // guards what follows
	config  *Config
	api     *amapi.API   // nil until somebody asks it
	handler http.Handler // of api
	started bool

	done     chan struct{} // closed by Stop
	stopping sync.Once
	upkeep   sync.WaitGroup
}

// running is everything that runs for one configuration.
type running struct {
	config     *Config
	routes     *dispatch.Route
	receivers  map[string][]notify.Integration
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
	template   *template.Template
	messages   *gate
	intervals  *timeinterval.Intervener
}

// New makes a Router for a configuration that Read returned.
func New(opts Options, config *Config) (*Router, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	r := &Router{
		opts: opts, registry: registry, config: config, groups: marker.NewGroupMarker(),
		pipeline: notify.NewPipelineBuilder(registry, featurecontrol.NoopFlags{}, eventrecorder.NopRecorder()),
		metrics:  dispatch.NewDispatcherMetrics(false, registry, featurecontrol.NoopFlags{}),
		posted:   make(map[model.Fingerprint]bool),
		opened:   make(chan struct{}), done: make(chan struct{}),
	}
	_, err := r.prepare(config)
	return r, err
}

// Open reads the silences and the notification log from the state.
func (r *Router) Open(ctx context.Context, store state.Store) error {
	var err error
	if r.silences, err = openSilences(ctx, store, r.opts.Log, r.registry); err != nil {
		return err
	}
	if r.log, err = openToldLog(ctx, store, r.opts, r.registry); err != nil {
		return err
	}
	r.silencer = silence.NewSilencer(r.silences.Silences, r.opts.Log, eventrecorder.NopRecorder())
	r.alerts, err = mem.NewAlerts(context.WithoutCancel(ctx), forgetEndedEvery, 0, r.silencer, r.opts.Log,
		eventrecorder.NopRecorder(), r.registry, featurecontrol.NoopFlags{})
	if err != nil {
		return err
	}
	r.upkeep.Go(r.maintain)
	close(r.opened)
	return nil
}

func (r *Router) isOpen() bool {
	select {
	case <-r.opened:
		return true
	default:
		return false
	}
}

// maintain drops expired entries, until Stop.
func (r *Router) maintain() {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-ticker.C:
		}
		if err := errors.Join(r.silences.expired(context.Background()), r.log.expired(context.Background())); err != nil {
			r.opts.Log.Error("silences and records of what was told that have expired stay in the state", "error", err)
		}
	}
}

// prepare makes everything that a configuration needs, and starts nothing.
func (r *Router) prepare(c *Config) (*running, error) {
	conf := c.alertmanager
	tmpl, err := template.FromGlobs(conf.Templates)
	if err == nil {
		err = tmpl.Parse(strings.NewReader(templates))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the templates of alerts: %w", err)
	}
	tmpl.ExternalURL = &url.URL{} // that of the page, when there is one
	run := &running{
		config: c, routes: dispatch.NewRoute(conf.Route, nil), receivers: make(map[string][]notify.Integration),
		template: tmpl, messages: newGate(),
	}
	var faults []error
	for _, receiver := range conf.Receivers {
		b := &builder{receiver: receiver.Name, tmpl: tmpl, log: r.opts.Log, wrap: teller{r, run.messages}.wrap}
		made, err := b.build(receiver, c.topics[receiver.Name])
		run.receivers[receiver.Name] = made
		faults = append(faults, err)
	}
	return run, errors.Join(faults...)
}

// Start begins to tell of alerts that were put before, and of those that will be.
func (r *Router) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isOpen() {
		return ErrNotOpen
	}
	r.started = true
	return r.replaceLocked(r.config)
}

// Reload replaces the configuration. If there is an error, the old one stays.
func (r *Router) Reload(c *Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.started {
		_, err := r.prepare(c)
		if err == nil {
			r.config = c
		}
		return err
	}
	return r.replaceLocked(c)
}

// replaceLocked stops the running configuration and starts the next. Messages that are
// under way end in between, because the next one must know what they told.
func (r *Router) replaceLocked(c *Config) error {
	next, err := r.prepare(c)
	if err != nil {
		return err
	}
	if link, err := url.Parse(r.opts.Link()); err == nil {
		next.template.ExternalURL = link
	}
	r.stopLocked()
	conf := c.alertmanager
	next.inhibitor = inhibit.NewInhibitor(r.alerts, conf.InhibitRules, r.opts.Log, eventrecorder.NopRecorder())
	intervals := make(map[string][]timeinterval.TimeInterval)
	for _, i := range conf.MuteTimeIntervals {
		intervals[i.Name] = i.TimeIntervals
	}
	for _, i := range conf.TimeIntervals {
		intervals[i.Name] = i.TimeIntervals
	}
	next.intervals = timeinterval.NewIntervener(intervals)
	stage := r.pipeline.New(next.receivers, func() time.Duration { return 0 }, next.inhibitor, r.silencer,
		next.intervals, r.groups, r.log, nil)
	next.dispatcher = dispatch.NewDispatcher(r.alerts, next.routes, stage, r.groups, atLeast, groupsEvery, nil,
		r.opts.Log, eventrecorder.NopRecorder(), r.metrics)
	r.upkeep.Go(next.inhibitor.Run)
	next.inhibitor.WaitForLoading() // or alerts that it inhibits are told
	r.upkeep.Go(func() { next.dispatcher.Run(time.Now()) })
	next.dispatcher.WaitForLoading()
	r.config = c
	r.current.Store(next)
	r.tellAPILocked()
	return nil
}

func atLeast(d time.Duration) time.Duration { return max(d, notify.MinTimeout) }

func (r *Router) stopLocked() {
	old := r.current.Swap(nil)
	if old == nil {
		return
	}
	old.dispatcher.Stop()
	old.inhibitor.Stop()
	old.messages.close()
}

// Stop ends everything, and returns when nothing is under way. A second call does nothing.
func (r *Router) Stop() {
	r.mu.Lock()
	r.stopLocked()
	r.started = false
	r.mu.Unlock()
	if !r.isOpen() {
		return
	}
	r.stopping.Do(func() {
		close(r.done)
		r.alerts.Close()
		r.upkeep.Wait()
	})
}

// Put takes alerts as they are now. An alert that fires has an end in the future.
func (r *Router) Put(ctx context.Context, alerts ...*alert.Alert) error {
	if !r.isOpen() {
		return ErrNotOpen
	}
	return r.alerts.Put(ctx, alerts...)
}

// now returns the running configuration, or nil.
func (r *Router) now() *running { return r.current.Load() }

// Ways tells who is told of an alert with the given labels.
func (r *Router) Ways(labels model.LabelSet) []*dispatch.Route {
	run := r.now()
	if run == nil {
		return nil
	}
	return run.routes.Match(labels)
}

// Muted tells which silences and which alerts mute an alert with the given labels.
func (r *Router) Muted(ctx context.Context, labels model.LabelSet) (silencedBy, inhibitedBy []string) {
	run := r.now()
	if run == nil {
		return nil, nil
	}
	marks := marker.NewAlertMarker()
	ctx = marker.WithContext(ctx, marks)
	run.inhibitor.Mutes(ctx, labels)
	r.silencer.Mutes(ctx, labels)
	status := marks.Status(labels.Fingerprint())
	return status.SilencedBy, status.InhibitedBy
}

// Test sends a message to a receiver now, and returns the error of each way, or nil.
func (r *Router) Test(ctx context.Context, receiver string) (map[string]error, error) {
	run := r.now()
	if run == nil {
		return nil, ErrNotOpen
	}
	ways, ok := run.receivers[receiver]
	if !ok {
		names := r.Receivers()
		if len(names) == 0 {
			return nil, fmt.Errorf("there is no receiver %q, nor any other; name some in the master's configuration, under notify", receiver)
		}
		return nil, fmt.Errorf("there is no receiver %q; there are %s%s", receiver, strings.Join(names, ", "), nearest.Ask(receiver, names))
	}
	now := time.Now()
	labels := model.LabelSet{model.AlertNameLabel: "test", "severity": "warning"}
	one := &alert.Alert{Alert: model.Alert{
		Labels: labels, Annotations: model.LabelSet{"summary": "This is a test: nothing is wrong."}, StartsAt: now, EndsAt: now.Add(time.Hour),
	}, UpdatedAt: now}
	ctx, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	ctx = notify.WithNow(notify.WithGroupKey(ctx, "test"), now)
	ctx = notify.WithReceiverName(notify.WithGroupLabels(ctx, labels), receiver)
	ctx = notify.WithRepeatInterval(notify.WithFiringAlerts(ctx, []uint64{1}), time.Hour)
	results := make(map[string]error)
	for i := range ways {
		_, results[ways[i].String()] = ways[i].Notify(context.WithValue(ctx, testKey{}, true), one)
	}
	return results, nil
}

// testKey marks the context of a test message.
type testKey struct{}

// Receivers lists all receivers, in the order of the configuration.
func (r *Router) Receivers() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := []string{}
	for _, receiver := range r.config.alertmanager.Receivers {
		if receiver.Name != nobody || !r.config.simple {
			names = append(names, receiver.Name)
		}
	}
	return names
}
