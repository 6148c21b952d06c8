package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/collect"
	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/sdnotify"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// defaultBufferReports is how many reports are kept if the configuration sets no
// number.
const defaultBufferReports = 10_000

// A stopping agent keeps sending what it has while the master takes reports. It
// gives up when the master has taken none for drainIdle, and after drainMost in
// any case. That is well below the 90 s after which service managers kill a
// process that does not stop.
const (
	drainIdle = 5 * time.Second
	drainMost = 45 * time.Second
)

// ErrNotRunning is wrapped by the error of every call that needs a running agent.
var ErrNotRunning = assignment.ErrNotRunning

// Deps is everything that an agent is built from, apart from its configuration.
type Deps struct {
	// Log receives the agent's log; nil discards it.
	Log *slog.Logger
	// Version is the agent's version, which the master shows.
	Version string
	// Runner runs the inspectors. It is used while the agent runs. It belongs to
	// its maker, who closes it afterwards.
	Runner schedule.Runner
	// Definitions are the inspectors to start with; their file paths are resolved.
	// See Apply.
	Definitions []inspectors.Definition
	// BuiltIn names those definitions that pushed code may replace. Code that is
	// pushed under the name of any other definition is refused.
	BuiltIn []string
	// HostBy says who gave the host its name: "machine", or the path of the file
	// that sets it. It is "" if the name may be for this start alone, such as one
	// from the environment or a flag. See delivery.Spooler.Inherit.
	HostBy string
	// Programs fetches the programs of pushed plugins. If it is nil, an agent that
	// has a data folder to store them in fetches them from the master.
	Programs programs.Source

	// Upgrades decides on programs for the agent itself; nil refuses them all.
	Upgrades assignment.Upgrader
	// Well is called once, when the master has a report of this run. It may be
	// nil.
	Well func()

	// Notify is told that the agent is up, and that its scheduler makes progress.
	// It may be nil.
	Notify *sdnotify.Notifier

	// Codec is the subprotocol to ask the master for; "" asks for CBOR, then JSON.
	Codec string
	// Backoff says how long to wait between attempts to connect.
	Backoff rpc.Backoff
}

// Agent runs the inspectors of one host and reports to one master.
type Agent struct {
	log    *slog.Logger
	cfg    config.Agent
	deps   Deps
	host   string
	bootID string
	member *member.Member // nil if the host has not joined
	// started is when the agent was made, for its metrics.
	started time.Time

	track  *tracker
	owners *owners
	sched  *schedule.Scheduler
	// collectors run the agent's own collectors, ahead of deps.Runner.
	collectors *collect.Runner
	outbox     *delivery.Outbox
	spooler    *delivery.Spooler
	session    *session
	metrics    *metricsServer
	signers    *assignment.Signers
	trials     *trials
	prints     *prints
	live       *liveFeed
	starved    *starvation

	receipts *assignment.Receipts
	assigner *assignment.Assigner

	drainIdle time.Duration // see the constant

	mu   sync.Mutex
	life context.Context // of the current run, or nil
	used bool            // Run was called
}

// New makes an agent from a configuration that has been validated. It starts
// nothing and writes nothing.
func New(cfg config.Agent, deps Deps) (*Agent, error) {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.BufferReports == 0 {
		cfg.BufferReports = defaultBufferReports
	}
	cfg.Spool = cfg.Spool.OrDefault()
	known, tlsConfig, tlsErr := joined(deps.Log, &cfg)
	host, hostErr := hostName(deps.Log, cfg.Host)
	keys, keysErr := assignment.ParseSigners(cfg.Policy.Signers)
	if keysErr == nil {
		keys.Host(deps.Log, cfg.Policy.SignersNeeded, cfg.Labels, cfg.Data)
	}
	for name, secret := range cfg.Secrets {
		keysErr = errors.Join(keysErr, keys.Know(name, secret.Signers))
	}
	if err := errors.Join(hostErr, tlsErr, keysErr, deps.check()); err != nil {
		return nil, fmt.Errorf("cannot make the agent: %w", err)
	}
	a := &Agent{log: deps.Log, cfg: cfg, deps: deps, host: host, member: known, bootID: newID(), started: time.Now(), drainIdle: drainIdle}
	a.deps.Definitions = slices.Clone(deps.Definitions)
	a.receipts = assignment.NewReceipts()
	a.track = newTracker(a.log, a.receipts)
	a.collectors = collect.New(a.log, deps.Runner)
	a.owners = newOwners(a.track.names)
	a.starved = newStarvation(a.log, deps.Runner)
	a.sched = schedule.New(a.log, host, a.collectors, watcher{a}, a.starved.gauge)
	if every := deps.Notify.Every(); every > 0 {
		a.sched.Beat(every, deps.Notify.Alive)
	}
	a.outbox = delivery.New(a.log, a.bootID, cfg.BufferReports, a.track.nudge)
	a.spooler = delivery.NewSpooler(a.log, &a.cfg, a.outbox)
	a.signers = keys
	a.assigner = assignment.New(assignment.Options{
		Log: a.log, Runner: a.collectors, Schedule: a.sched, Track: a.track, Receipts: a.receipts,
		Own: a.deps.Definitions, BuiltIn: deps.BuiltIn,
		Accepts: cfg.AcceptPushedInspectors, Signers: keys, Plugins: cfg.Policy.Needs().CheckPlugin(),
		Programs: a.programs(tlsConfig), Data: cfg.Data, Upgrades: deps.Upgrades,
	})
	a.trials = newTrials(a.log, deps.Runner, cfg.AcceptPushedInspectors, keys)
	a.prints = newPrints(a.bootID)
	a.live = newLiveFeed()
	hello := sync.OnceValue(a.hello)
	a.session = newSession(sessionOptions{
		Log: a.log, Client: a.client(tlsConfig), Assigned: a.assigner.Hash,
		Outbox: a.outbox, Track: a.track, Receipts: a.receipts, Live: a.live, Runner: deps.Runner, Starved: a.starved.gauge,
		Hello: func() wire.HelloParams {
			p := hello()
			p.Signers = a.signers.IDs() // a key may have followed another since
			return p
		},
	})
	a.metrics = &metricsServer{log: a.log, listen: cfg.MetricsListen, write: a.writeMetrics}
	a.assigner.Expect()
	return a, nil
}

// programs returns the source of plugin programs, or nil.
func (a *Agent) programs(tlsConfig *tls.Config) programs.Source {
	if a.deps.Programs == nil && a.cfg.Data != "" {
		return programs.NewStore(a.log, &a.cfg, tlsConfig)
	}
	return a.deps.Programs
}

// client returns a client for the master.
func (a *Agent) client(tlsConfig *tls.Config) rpc.Client {
	dial := dialOptions(a.log, &a.cfg, tlsConfig)
	dial.Codec, dial.Handler = a.deps.Codec, a.methods()
	return rpc.Client{URL: a.cfg.Master, Backoff: a.deps.Backoff, Dial: dial}
}

// check finds faults in the dependencies. The configuration has been checked
// already.
func (d *Deps) check() error {
	if d.Runner == nil {
		return errors.New("no runner is given")
	}
	return assignment.Check(d.Definitions)
}

// Run runs the inspectors and keeps reporting until ctx ends. It needs no master
// to start or to continue: reports that cannot be sent are kept, within the bounds
// of the spool. It returns nil when every run has ended, every goroutine is gone,
// and the remaining reports have been sent or, without a master to take them, are
// on the disk. It fails at once when another agent uses its data folder, or when
// the address for its metrics is taken. It can be called once.
func (a *Agent) Run(ctx context.Context) error {
	life, end := context.WithCancel(ctx)
	defer end()
	if err := a.begin(life); err != nil {
		return err
	}
	if err := a.spooler.Open(ctx); err != nil {
		return fmt.Errorf("cannot run the agent: %w", err)
	}
	a.spooler.Inherit(a.host, a.deps.HostBy)
	if err := a.metrics.open(); err != nil {
		a.spooler.Close()
		return fmt.Errorf("cannot run the agent: %w", err)
	}
	// Delivery outlives the inspectors, so that their last samples are sent.
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	a.session.Hello() // while this agent still holds its folder
	a.assigner.Start()
	var parts, deliverers sync.WaitGroup
	deliverers.Go(func() { a.outbox.Run(delivering) })
	deliverers.Go(func() { a.spooler.Run(delivering) })
	deliverers.Go(func() { a.runSession(delivering) })
	if a.member != nil {
		deliverers.Go(func() { a.member.Run(delivering, a.log, a.cfg.Master) })
	}
	deliverers.Go(func() { a.metrics.run(delivering) })
	parts.Go(func() { a.sched.Run(life) })
	a.log.Info("agent starts", "host", a.host, "inspectors", len(a.deps.Definitions), "version", a.deps.Version)
	parts.Go(func() { a.assigner.Run(life) })
	if a.deps.Well != nil {
		parts.Go(func() { a.tellWell(life) })
	}
	a.deps.Notify.Ready()

	<-ctx.Done()
	a.log.Info("agent is stopping")
	if !errors.Is(context.Cause(ctx), ErrReplaced) { // a replaced process continues
		a.deps.Notify.Stopping()
	}
	a.trials.close()
	parts.Wait()
	a.collectors.Close()
	drain, cancel := context.WithTimeout(delivering, drainMost)
	a.outbox.Drain(drain, a.drainIdle)
	cancel()
	stopDelivering()
	deliverers.Wait()
	a.spooler.Close()
	a.tellLeft()
	return nil
}

// ErrReplaced is the cause with which Run's context ends when the process
// continues with another program.
var ErrReplaced = errors.New("the agent's program is replaced")

// lookAtDeliveryEvery is how often an agent on probation checks whether the master
// has a report of it.
const lookAtDeliveryEvery = 100 * time.Millisecond

// tellWell waits until the master has a report of this run, then calls deps.Well.
func (a *Agent) tellWell(life context.Context) {
	ticker := time.NewTicker(lookAtDeliveryEvery)
	defer ticker.Stop()
	for !a.outbox.Delivered() {
		select {
		case <-ticker.C:
		case <-life.Done():
			return
		}
	}
	a.deps.Well()
}

// tellLeft logs what became of the reports that the master does not have.
func (a *Agent) tellLeft() {
	left := a.outbox.Measures()
	if left.OnDisk > 0 {
		a.log.Info("agent has stopped; the next start sends the reports that the master does not have",
			"reports", left.OnDisk, "samples", left.SamplesOnDisk)
	}
	if left.InMemory > 0 {
		a.log.Warn("agent has stopped with reports that the master does not have; they are lost",
			"reports", left.InMemory, "samples", left.SamplesInMemory)
	}
}

func (a *Agent) begin(life context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used {
		return errors.New("cannot run the agent: it was run before")
	}
	a.used, a.life = true, life
	return nil
}

func (a *Agent) hello() wire.HelloParams {
	return wire.HelloParams{
		Protocol:  wire.Version,
		Host:      a.host,
		AgentID:   loadAgentID(a.log, a.cfg.Data),
		BootID:    a.bootID,
		Version:   a.deps.Version,
		OS:        runtime.GOOS,
		Arch:      runtime.GOARCH,
		Labels:    a.cfg.Labels,
		StartedMS: time.Now().UnixMilli(),

		AcceptsPushed: a.cfg.AcceptPushedInspectors,
		SignersNeeded: a.signers.Needed(),
		Policy:        policyOf(a.cfg.Policy, a.cfg.SecretRules()),
	}
}

// Host returns the name under which the agent reports.
func (a *Agent) Host() string { return a.host }

// Status returns the state of each inspector, by name.
func (a *Agent) Status() []wire.InspectorStatus { return a.track.statuses() }

// Apply replaces the inspectors of a running agent with defs and the inspectors
// that its master has assigned. See Assigner.Change.
func (a *Agent) Apply(ctx context.Context, defs []inspectors.Definition) error {
	a.mu.Lock()
	life := a.life
	a.mu.Unlock()
	if life == nil {
		return fmt.Errorf("cannot apply the inspectors: %w", ErrNotRunning)
	}
	return a.assigner.Change(ctx, life, slices.Clone(defs))
}

func (a *Agent) stopping() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.life != nil && a.life.Err() != nil
}
