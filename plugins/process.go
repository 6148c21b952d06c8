package plugins

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/broker"
	"github.com/vedettehq/vedette/plugins/internal/link"
	"github.com/vedettehq/vedette/plugins/internal/server"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// stopTime is how long a plugin may take to end when asked to.
const stopTime = 2 * time.Second

// deathTime is how long a process whose connection broke may take to end by
// itself: on a busy machine it may still be writing the reason of its death.
const deathTime = 20 * time.Second

// process is one running child that speaks the contract. When it ends, for
// whatever reason, it builds its death, calls hooks.ended, and closes dead.
type process struct {
	pool     *Pool
	spec     *spec
	client   *plugin.Client
	child    *child
	rpc      pb.InspectorServiceClient
	offered  []string // the inspectors of a plugin
	recorder *link.Recorder
	lifeline *os.File // the agent's end
	// broker answers calls of a script host, or is nil; brokerDone is closed when
	// it has ended.
	broker     *broker.Broker
	brokerDone chan struct{}
	// executing ends the programs that run for a script host, or is nil; executed
	// is closed when none is left.
	executing context.CancelFunc
	executed  chan struct{}
	stderr    *stderrTail
	started   time.Time
	disks     string // the disks that the agent saw mounted before the start
	hooks     hooks
	dead      chan struct{} // closed when death is set and hooks.ended has returned
	death     *death        // valid once dead is closed, and while hooks.ended runs

	gone      bool     // guarded by Pool.mu: the process is gone completely
	published bool     // guarded by host.mu: others than its starter have seen it
	unsettled []string // members that could not be loaded; belongs to its starter

	mu       sync.Mutex
	slots    map[uint32]suspect // guarded by mu, like all below: the owner of each slot
	flying   map[*task]struct{} // runs that have no answer
	calls    int                // current calls of Run
	retired  bool               // takes no new calls
	expected bool               // the agent ends it
	verdict  string             // why the agent killed it, or empty
	broke    string             // how its connection broke if that was not the result of its end, or empty
	pardoned bool               // nobody is to blame for its death
	idle     chan struct{}      // closed when retired and without calls
}

// hooks are called when something happens to a process.
type hooks struct {
	ended    func(*process)               // it died; see process.death
	released func(*process)               // it is gone completely
	output   func(inspector, line string) // an inspector printed a line
	warn     func(limit string)           // something could not be set up as asked
	isolated func(layers []*pb.Layer)     // a script host tells how it is isolated
	health   func(*process, *pb.RunReply) // it reports about itself beside results
	swollen  func(*process, leak)         // its memory comes close to its limit
	outdated func(*process)               // it sees other disks than the agent
}

// suspect may have caused a death: an inspector that was running, or one that was
// being loaded.
type suspect struct {
	name    string
	loading bool
}

// death is how a process ended.
type death struct {
	expected bool
	reason   string
	crash    bool // the process's Go runtime wrote that it crashed
	suspects map[suspect]bool
}

// release frees everything of a process that is dead or never started.
func (p *process) release() {
	if p.client != nil {
		_ = p.child.Kill(context.Background())
		p.client.Kill()
	}
	if p.lifeline != nil {
		_ = p.lifeline.Close()
	}
	if p.recorder != nil {
		_ = p.recorder.Close()
	}
	if p.executing != nil {
		p.executing()
		<-p.executed
	}
	if p.broker != nil {
		p.broker.Close()
		<-p.brokerDone
	}
}

// watch waits for the end of the process.
func (p *process) watch() {
	<-p.child.exited
	p.death = p.autopsy()
	p.hooks.ended(p)
	close(p.dead)
	p.release()
	p.hooks.released(p)
}

// stop ends the process and returns when it is gone. A plugin is asked first.
func (p *process) stop() {
	p.mu.Lock()
	p.expected = true
	p.mu.Unlock()
	if p.spec.foreign {
		force := time.AfterFunc(stopTime, func() { _ = p.child.Kill(context.Background()) })
		p.client.Kill()
		force.Stop()
	} else {
		_ = p.child.Kill(context.Background())
	}
	<-p.dead
}

// kill ends the process at once, for a reason that is its own fault.
func (p *process) kill(verdict string) {
	p.mu.Lock()
	if p.verdict == "" {
		p.verdict = verdict
	}
	p.mu.Unlock()
	_ = p.child.Kill(context.Background())
}

// giveUp ends a process that is not worth waiting for any longer. If it was
// stopped from outside, nobody is to blame.
func (p *process) giveUp(why error, verdict string) {
	if errors.Is(why, errStoodStill) {
		p.mu.Lock()
		p.pardoned = true
		p.mu.Unlock()
		verdict += ": " + why.Error()
	}
	p.kill(verdict)
}

// pid returns the process id, or 0 if there is no process.
func (p *process) pid() int {
	p.mu.Lock()
	c := p.child
	p.mu.Unlock()
	if c == nil {
		return 0
	}
	return c.id()
}

// retire lets current calls end, for at most a while, and stops the process. New
// calls are refused at once.
func (p *process) retire(while time.Duration) {
	p.drain(while)
	p.stop()
}

// drain does the same as retire, but does not stop the process.
func (p *process) drain(while time.Duration) {
	p.mu.Lock()
	p.retired = true
	if p.calls == 0 {
		closeOnce(p.idle)
	}
	p.mu.Unlock()
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-p.idle:
	case <-p.dead:
	case <-timer.C:
	}
}

// enter begins a call. It returns false if the process takes no more calls.
func (p *process) enter(tasks []*task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return false
	}
	p.calls++
	for _, t := range tasks {
		p.flying[t] = struct{}{}
	}
	return true
}

// leave ends a call.
func (p *process) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls--
	if p.retired && p.calls == 0 {
		closeOnce(p.idle)
	}
}

// known returns the name under which the process knows an inspector.
func (p *process) known(name string) string {
	if !p.spec.foreign {
		return name
	}
	offered, err := choose(name, p.offered)
	if err != nil {
		return name // it is not offered any more, and the process will say so
	}
	return offered
}

// landed notes that a run was answered.
func (p *process) landed(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.flying, t)
}

// assign sets the owner of a slot.
func (p *process) assign(slot uint32, s suspect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[slot] = s
}

// autopsy finds out why the process died and which inspectors may have caused it.
func (p *process) autopsy() *death {
	cause, last, culprit := p.stderr.crash()
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &death{expected: p.expected, crash: cause != "", suspects: make(map[suspect]bool)}
	switch {
	case p.verdict != "":
		d.reason = p.verdict
	case cause != "":
		d.reason = cause
	case p.broke != "":
		d.reason = p.broke
	case last != "" && p.spec.foreign:
		d.reason = fmt.Sprintf("%s after %q", p.child.end(), last)
	default:
		d.reason = p.child.end()
	}
	if p.verdict == "" && p.broke == "" && cause == "" && !p.expected && p.child.killedFromOutside(p.spec.limits.hogBytes()) {
		p.pardoned = true
		d.reason += "; neither the agent nor an inspector did that: was the machine, or the agent's cgroup, out of memory?"
	}
	if p.pardoned {
		return d
	}
	if culprit.name != "" {
		d.suspects[culprit] = true
		return d
	}
	busy, used, err := p.recorder.Read()
	if err != nil {
		p.spec.log.Error("cannot tell what ran when a process died", "process", p.spec.what, "reason", err)
	}
	if !used { // a plugin that does not know the recorder
		for t := range p.flying {
			d.suspects[suspect{name: t.job.Name}] = true
		}
		return d
	}
	for slot, state := range busy {
		if s, known := p.slots[slot]; known && state != link.Lingering {
			d.suspects[suspect{s.name, state == link.Loading}] = true
		}
	}
	if len(d.suspects) > 0 {
		return d
	}
	for slot := range busy { // runs that go on after their timeout are blamed last
		if s, known := p.slots[slot]; known {
			d.suspects[suspect{name: s.name}] = true
		}
	}
	return d
}

// logLine logs a line of the child's standard error.
func (p *process) logLine(level, line string) {
	l := slog.LevelDebug
	if p.spec.foreign {
		l = slog.LevelInfo
	}
	switch strings.ToLower(level) {
	case "trace", "debug":
		l = slog.LevelDebug
	case "warn":
		l = slog.LevelWarn
	case "error":
		l = slog.LevelError
	}
	p.spec.log.Log(context.Background(), l, "output", "process", p.spec.what, "line", line)
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// load builds one script in the process. m is a member that others cannot see yet.
func (p *process) load(ctx context.Context, m *member) error {
	d := &m.def
	p.assign(m.slot, suspect{d.Name, true})
	reply, err := p.rpc.Load(ctx, &pb.LoadRequest{
		Name:       d.Name,
		File:       d.Script.File,
		Line:       int32(d.Script.Line),
		Source:     d.Script.Source,
		Core:       d.Script.Core,
		Slot:       m.slot,
		IntervalMs: d.Interval.Milliseconds(),
		TimeoutMs:  d.Timeout.Milliseconds(),
	})
	if err == nil {
		return loadError(reply, p.said)
	}
	return p.loadFault(ctx, d.Name, err)
}

// loadError returns the process's objection to a script.
func loadError(reply *pb.LoadReply, said func(string) string) error {
	if reply.GetError() == "" {
		return nil
	}
	if reply.GetTimedOut() {
		if err := starvedError(time.Duration(reply.GetStarvedNs()), server.BuildTime); err != nil {
			return fmt.Errorf("the script was not built in time: %w: %s", err, said(reply.GetError()))
		}
		return fmt.Errorf("%w: %s", errLate, said(reply.GetError()))
	}
	var all inspectors.Diagnostics
	for _, d := range reply.GetDiagnostics() {
		all = append(all, inspectors.Diagnostic{
			File: d.GetFile(), Line: int(d.GetLine()), Col: int(d.GetColumn()), Message: said(d.GetMessage()), Fix: said(d.GetFix()),
		})
	}
	if len(all) > 0 {
		return all
	}
	return errors.New(said(reply.GetError()))
}

// Why a script that took too long is not loaded: its process has given it up, or
// still builds it and is of no more use.
var (
	errLate     = fmt.Errorf("%w: the script was not built in time; does a package variable's value or an init function never end?", ErrTimeout)
	errBuilding = fmt.Errorf("%w", errLate)
)

// loadFault says why a call of Load was not answered. The wait for an answer ends
// with ctx; a process that is still building then is of no more use.
func (p *process) loadFault(ctx context.Context, name string, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStoodStill):
		p.giveUp(cause, "killed by the agent: the load of "+name+" is not answered")
		return fmt.Errorf("%w: its process was stopped while it was loaded", ErrStarved)
	case errors.Is(cause, errHadItsTime), status.Code(err) == codes.DeadlineExceeded:
		return errBuilding
	case cause != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, cause)
	}
	d := p.awaitDeath(err)
	if d.suspects[suspect{name, true}] {
		return fmt.Errorf("%w while it was loaded: %s", ErrCrashed, d.reason)
	}
	return fmt.Errorf("%w: %w: %s", ErrUnavailable, errDied, d.reason)
}

// errDied marks a load that failed because the process died for another reason.
var errDied = errors.New("the process died")

// awaitDeath waits for the end of a process whose connection broke. If it does not
// end by itself, it is killed.
func (p *process) awaitDeath(err error) *death {
	timer := time.NewTimer(deathTime)
	defer timer.Stop()
	select {
	case <-p.dead:
		return p.death
	case <-timer.C:
		p.mu.Lock()
		p.broke = "its connection broke: " + p.said(err.Error())
		p.mu.Unlock()
		_ = p.child.Kill(context.Background())
	}
	<-p.dead
	return p.death
}
