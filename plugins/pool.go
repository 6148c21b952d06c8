package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/starve"
	"github.com/vedettehq/vedette/plugins/internal/executor"
)

// PoolOptions configure a Pool. The zero value is useful.
type PoolOptions struct {
	// Dir is a private folder for the sockets of the children. It is made if
	// necessary, and anything that a killed agent left there is removed. Several
	// pools may share one. Default: a temporary folder, which is also used if the
	// path is too long for a socket.
	Dir string
	// State is a folder in which the pool remembers, across restarts, which
	// inspectors are quarantined and which were running when the agent died. It is
	// made if necessary. Default: nothing is remembered.
	State string
	// Log receives what happens to the children. Default slog.Default().
	Log *slog.Logger
	// ScriptHost is the command line of the script host. Default: the running
	// program with the argument script-host.
	ScriptHost []string
	// Output receives each line that a script prints. It is called from any
	// goroutine, and must not block. Default: the log, at level debug.
	Output func(inspector, line string)
	// Env are additional variables, as NAME=value, for external plugins. Of the
	// agent's own environment a child sees only PATH, HOME, USER, LANG, LC_*, TZ,
	// TMPDIR and HOST_* (where gopsutil finds /proc and the like).
	Env []string
	// Limits bound the script host.
	Limits Limits
	// Policy bounds the needs of inspectors that a master sent, and the programs
	// that any script may run.
	Policy inspectors.Policy
	// Secret returns the current value of a secret of the host. Policy says which
	// inspectors may have it. Nil means that the host has no secrets.
	Secret func(name string) (string, error)
	// Sandbox says how script hosts are isolated.
	Sandbox Sandbox
}

// Pool runs inspectors in child processes: scripts in the script host, and
// external plugins in one process for each combination of program, checksum and
// arguments, which its inspectors share.
//
// A child that dies is started again. An inspector that was running when the
// script host died runs in a separate script host from then on, until it has
// proved itself. If it kills that one too, it is quarantined for a while, and for
// twice as long each time that its probation fails. Other inspectors do not
// notice: their runs are repeated in the new process if their timeout allows it.
//
// A child that does not answer because it gets no processor time is waited for,
// and nobody is blamed; see Starvation.
//
// All methods may be called from any goroutine.
type Pool struct {
	options PoolOptions
	log     *slog.Logger
	tuning  tuning
	scripts *spawner // starts script hosts
	foreign *spawner // starts external plugins

	isolation isolation
	programs  executor.Slots // for the programs that run for scripts
	memory    *memory        // the state that outlives the agent
	kept      *kept          // what runs of inspectors keep for each other
	// starvation counts how long the processes had to wait for a processor.
	starvation *starve.Gauge
	suspects   chan struct{} // held by the one current run of the inspectors that may have killed the agent

	ctx    context.Context // ends with Close; for background work
	cancel context.CancelFunc
	work   sync.WaitGroup // background work, and the processes

	names nameLocks // one Load or Unload at a time for each name

	mu        sync.Mutex
	closed    bool                  // guarded by mu, like all below
	entries   map[string]*entry     // by name
	shared    map[string]*host      // for scripts, by their needs
	plugins   map[string]*host      // for external plugins, by programKey
	processes map[*process]struct{} // everything that lives
	warned    map[string]bool       // what warnOnce told
	watching  bool                  // whether watchMemory runs

	dirMu sync.Mutex
	dir   *runDir // guarded by dirMu; nil until the first start
}

// entry is one loaded inspector. Its fields are guarded by Pool.mu.
type entry struct {
	def         inspectors.Definition
	revision    string
	needs       inspectors.Needs
	home        *host // nil when quarantined
	crashes     uint64
	strikes     int // crashes of this revision
	probation   int // good runs before it may return from its separate script host
	returning   bool
	quarantined bool
	until       time.Time // when that ends
	quarantines int       // in a row
	reason      string    // of the last crash, or what it held, or empty
	verdict     string    // why it is quarantined, or empty
	leaks       bool      // it holds much, and stays in its separate script host
	debt        error     // the error for its next outcome, or nil
	series      SeriesSet // the series that it yielded recently
}

// State is the state of one inspector.
type State struct {
	// Host says where it runs: "shared" (the script host of all inspectors with
	// the same needs), "own" (a separate script host, as requested or after a
	// crash), "plugin", or empty if it is not loaded.
	Host string
	// Crashes counts the processes that died while it was running.
	Crashes uint64
	// Quarantined says that it is not run at present.
	Quarantined bool
	// Reason says why the last process died, or why the inspector was moved to a
	// separate process, or is empty.
	Reason string
}

// Process is one child of a pool.
type Process struct {
	// Host is "shared", "own" or "plugin", as in State.
	Host string
	// Name is the inspector of a separate script host, the program of a plugin, or
	// empty.
	Name string
	// PID is the process id.
	PID int
}

// tuning holds the times and counts of supervision.
type tuning struct {
	start     time.Duration // the longest that a start may take
	load      time.Duration // the longest that the load of one script may take
	healthy   time.Duration // a process that lived this long starts with a clean record
	leaks     uint32        // abandoned runs that may still hold goroutines
	stuck     int           // consecutive runs that may find an earlier one unfinished
	respite   time.Duration // the least lifetime of a process before it is replaced
	probation int           // good runs before an inspector may return from its separate script host
	pause     time.Duration // length of the first quarantine; see quarantinePause
	// standstill is how long somebody else may keep a process stopped.
	standstill time.Duration
	delay      func(failures int) time.Duration // before the start after this many consecutive failures
}

func defaultTuning() tuning {
	return tuning{
		start: 10 * time.Second, load: 15 * time.Second, healthy: 10 * time.Second,
		leaks: 50, stuck: 3, respite: 10 * time.Second, probation: 10, delay: backoff,
		pause: 10 * time.Second, standstill: 30 * time.Second,
	}
}

// backoff is 0 after the first failure, then 100 ms, and doubles with each further
// failure, up to half a minute.
func backoff(failures int) time.Duration {
	if failures <= 1 {
		return 0
	}
	return min(100*time.Millisecond<<min(failures-2, 20), 30*time.Second)
}

// NewPool makes a pool. It starts nothing: processes are started by Load.
func NewPool(o PoolOptions) *Pool {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Limits = o.Limits.withDefaults()
	if o.Sandbox.User == 0 {
		o.Sandbox.User = DefaultScriptUser
	}
	p := &Pool{
		options:   o,
		log:       o.Log,
		tuning:    defaultTuning(),
		foreign:   &spawner{},
		entries:   make(map[string]*entry),
		shared:    make(map[string]*host),
		plugins:   make(map[string]*host),
		programs:  executor.NewSlots(),
		processes: make(map[*process]struct{}),
		warned:    make(map[string]bool),
		memory:    newMemory(o.State, o.Log),
		kept:      newKept(o.State, o.Log),

		starvation: &starve.Gauge{},
		suspects:   make(chan struct{}, 1),
	}
	p.scripts = &spawner{
		confine: func() []error { return confineThread(o.Limits) },
		refused: func(err error) { p.warnOnce(string(hostShared), err.Error()) },
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Load makes an inspector ready to run, and starts the process that it needs. It
// replaces an inspector of the same name once it is ready; if it cannot be loaded,
// that one stays. If the revision is loaded already, only the schedule changes.
//
// The faults of a script are inspectors.Diagnostics. An error that wraps
// ErrUnavailable is not the fault of the definition; Load may be tried again.
// Paths of plugins are relative to the agent's working folder.
func (p *Pool) Load(ctx context.Context, d inspectors.Definition) error {
	if err := d.Validate(); err != nil {
		return fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)() // Close does not wait for the load
	unlock, err := p.names.lock(ctx, d.Name)
	if err != nil {
		return err
	}
	defer unlock()
	revision := d.Revision()
	needs, err := p.needs(d)
	if err != nil {
		return err
	}
	if r, bad := p.memory.quarantined(d.Name, revision); bad && p.keepOut(d, revision, needs, r) {
		return nil
	}
	h, err := p.home(d, revision, needs)
	if h == nil || err != nil {
		return err
	}
	defer p.letGo(h)
	err = h.load(ctx, d, revision)
	if errors.Is(err, errDied) || errors.Is(err, errDiedEarly) { // of another inspector
		err = h.load(ctx, d, revision)
	}
	var faults inspectors.Diagnostics
	switch {
	case errors.As(err, &faults):
		return faults
	case err != nil && p.isClosed():
		return ErrClosed
	case err != nil:
		return fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
	}
	return p.enlist(d, revision, h, needs)
}

// home returns the host for a definition, and keeps it from being given up until
// letGo. It returns nil if the revision is loaded already.
func (p *Pool) home(d inspectors.Definition, revision string, needs inspectors.Needs) (*host, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if e := p.entries[d.Name]; e != nil && e.revision == revision {
		e.def = d
		if e.home != nil {
			e.home.reschedule(d)
		}
		return nil, nil
	}
	h := p.hostLocked(d, needs)
	h.loads++
	return h, nil
}

// letGo ends the protection that home began.
func (p *Pool) letGo(h *host) {
	p.mu.Lock()
	h.loads--
	p.mu.Unlock()
	p.tidy(h)
}

// hostLocked returns the host for a definition, and makes it if there is none.
func (p *Pool) hostLocked(d inspectors.Definition, needs inspectors.Needs) *host {
	switch {
	case d.Script != nil && d.Isolation == inspectors.IsolationOwn:
		return newHost(p, p.scriptSpec(hostOwn, d, needs))
	case d.Script != nil:
		return p.sharedLocked(needs)
	}
	key := programKey(d.Plugin)
	if p.plugins[key] == nil {
		p.plugins[key] = newHost(p, p.pluginSpec(d.Plugin))
	}
	return p.plugins[key]
}

// sharedLocked returns the host of the scripts with exactly these needs: a host
// that offers more would give it to all of them.
func (p *Pool) sharedLocked(needs inspectors.Needs) *host {
	key := needs.String()
	if p.shared[key] == nil {
		p.shared[key] = newHost(p, p.scriptSpec(hostShared, inspectors.Definition{}, needs))
	}
	return p.shared[key]
}

// enlist replaces the previous inspector by a loaded one.
func (p *Pool) enlist(d inspectors.Definition, revision string, h *host, needs inspectors.Needs) error {
	p.mu.Lock()
	if !h.holds(d.Name, revision) {
		p.mu.Unlock()
		return fmt.Errorf("cannot load inspector %q: %w", d.Name, ErrCrashed)
	}
	p.memory.loaded(d.Name, revision)
	old := p.entries[d.Name]
	e := &entry{def: d, revision: revision, needs: needs, home: h}
	if old != nil {
		e.crashes = old.crashes
	}
	p.entries[d.Name] = e
	p.mu.Unlock()
	if old != nil && old.home != nil && old.home != h {
		p.leave(old.home, d.Name)
	}
	return nil
}

// Unload drops an inspector. A current run ends first. An unknown name is not an
// error.
func (p *Pool) Unload(name string) {
	unlock, err := p.names.lock(p.ctx, name)
	if err != nil {
		return // closed
	}
	defer unlock()
	p.mu.Lock()
	e := p.entries[name]
	delete(p.entries, name)
	p.mu.Unlock()
	if e != nil && e.home != nil {
		p.leave(e.home, name)
	}
	if e != nil {
		p.kept.remove(name)
	}
}

// leave removes an inspector from a host, and gives up the host when it was the
// last one.
func (p *Pool) leave(h *host, name string) {
	if h.kind != hostOwn { // a separate host goes with its inspector
		h.unload(name)
	}
	p.tidy(h)
}

// tidy stops a host that nothing needs.
func (p *Pool) tidy(h *host) {
	p.mu.Lock()
	needed := h.loads > 0 || h.kind != hostOwn && !h.empty()
	if e := p.entries[h.spec.name]; h.kind == hostOwn && e != nil && e.home == h {
		needed = true
	}
	if needed {
		p.mu.Unlock()
		return
	}
	maps.DeleteFunc(p.shared, func(_ string, other *host) bool { return other == h })
	for key, other := range p.plugins {
		if other == h {
			delete(p.plugins, key)
		}
	}
	p.mu.Unlock()
	h.stop()
}

// State returns the state of an inspector.
func (p *Pool) State(name string) State {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[name]
	if e == nil {
		return State{}
	}
	s := State{Host: string(hostOwn), Crashes: e.crashes, Quarantined: e.quarantined, Reason: e.reason}
	if e.home != nil {
		s.Host = string(e.home.kind)
	}
	return s
}

// Processes lists the children that are alive.
func (p *Pool) Processes() []Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Process
	for c := range p.processes {
		all = append(all, Process{Host: string(c.spec.kind), Name: c.spec.name, PID: c.child.id()})
	}
	slices.SortFunc(all, func(a, b Process) int { return a.PID - b.PID })
	return all
}

// Close kills every child, and returns when all are gone. Current runs end with
// ErrClosed.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	live := make([]*process, 0, len(p.processes))
	for c := range p.processes {
		live = append(live, c)
	}
	p.mu.Unlock()
	p.cancel()
	var stops sync.WaitGroup
	for _, c := range live {
		stops.Go(c.stop)
	}
	stops.Wait()
	p.work.Wait()
	p.scripts.stop()
	p.foreign.stop()
	p.memory.close()
	p.dirMu.Lock()
	defer p.dirMu.Unlock()
	if p.dir == nil {
		return nil
	}
	return p.dir.remove()
}

// reserve makes Close wait for a process that is about to be started, until
// disown. It returns false if the pool is closed.
func (p *Pool) reserve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.work.Add(1)
	return true
}

// adopt puts a process under the supervision of the pool. It returns false if the
// pool has been closed meanwhile.
func (p *Pool) adopt(c *process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && !c.gone {
		p.processes[c] = struct{}{}
		if !p.watching && !c.spec.foreign {
			p.watching = true
			p.backgroundLocked(p.watchMemory)
		}
	}
	return !p.closed
}

// disown forgets a process that is gone completely.
func (p *Pool) disown(c *process) {
	p.mu.Lock()
	c.gone = true
	delete(p.processes, c)
	p.mu.Unlock()
	p.work.Done()
}

// background runs f on a goroutine; its context ends with the pool. On a closed
// pool it does nothing.
func (p *Pool) background(f func(ctx context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backgroundLocked(f)
}

func (p *Pool) backgroundLocked(f func(ctx context.Context)) {
	if !p.closed {
		p.work.Go(func() { f(p.ctx) })
	}
}

func (p *Pool) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// sockets returns the private folder of the pool.
func (p *Pool) sockets() (string, error) {
	p.dirMu.Lock()
	defer p.dirMu.Unlock()
	if p.dir == nil {
		dir, instead, err := newRunDir(p.options.Dir)
		if err != nil {
			return "", err
		}
		if instead != nil {
			p.log.Warn("the data folder cannot be used for sockets; they are elsewhere", "folder", dir.path, "reason", instead)
		}
		p.dir = dir
	}
	return p.dir.path, nil
}

// warnOnce logs that a limit is not in force, the first time that a process of its
// kind reports it.
func (p *Pool) warnOnce(kind, limit string) {
	p.mu.Lock()
	known := p.warned[kind+limit]
	p.warned[kind+limit] = true
	p.mu.Unlock()
	if !known {
		p.log.Warn("a limit is not in force", "process", kind, "reason", limit)
	}
}

// output passes on a line that an inspector printed.
func (p *Pool) output(inspector, line string) {
	if p.options.Output != nil {
		p.options.Output(inspector, line)
		return
	}
	p.log.Debug("output", "inspector", inspector, "line", line)
}
