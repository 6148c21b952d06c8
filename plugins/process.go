package plugins

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/link"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// maxReplyBytes is the longest message that is taken from a child.
	maxReplyBytes = 16 << 20
	// connBufferBytes is the size of the buffers of a connection.
	connBufferBytes = 8 << 10
	// stopTime is how long a plugin may take to end when asked to.
	stopTime = 2 * time.Second
)

// spec is how a process is started.
type spec struct {
	kind    hostKind
	name    string // of the inspector of an own host, or of the program, or empty
	what    string // for people: `script host` or `plugin "gpu"`
	path    string
	args    []string // with the name of the program first
	sha256  string   // expected checksum in hex, or empty
	env     []string
	dir     string // working folder, or empty for the agent's
	foreign bool   // whether it is an external plugin
	spawner *spawner
	sockets string // the folder of sockets
	wait    time.Duration
	log     *slog.Logger
}

// process is one running child that speaks the contract. When it ends, for
// whatever reason, it builds its death, tells ended, and closes dead.
type process struct {
	spec     *spec
	client   *plugin.Client
	child    *child
	rpc      pb.InspectorServiceClient
	offered  []string // the inspectors of a plugin
	recorder *link.Recorder
	lifeline *os.File // the agent's end
	stderr   *stderrTail
	started  time.Time
	hooks    hooks
	dead     chan struct{} // closed when death is set and hooks.ended has returned
	death    *death        // valid once dead is closed, and while hooks.ended runs

	gone      bool // guarded by Pool.mu: whether nothing is left of it
	published bool // guarded by host.mu: whether anybody but the one who started it saw it

	mu       sync.Mutex
	slots    map[uint32]suspect // guarded by mu, as all below: whose slot is whose
	flying   map[*task]struct{} // runs that are not answered
	calls    int                // calls of Run under way
	retired  bool               // no new calls are let in
	expected bool               // the agent ends it
	verdict  string             // why the agent killed it, or empty
	idle     chan struct{}      // closed when retired and without calls
}

// hooks are told what happens to a process.
type hooks struct {
	ended    func(*process)                // it died; see process.death
	released func(*process)                // nothing of it is left
	output   func(inspector, line string)  // an inspector printed a line
	leaked   func(p *process, runs uint32) // so many runs that were given up hold something
}

// suspect is who may have caused a death: an inspector that was running, or one
// that was being loaded.
type suspect struct {
	name    string
	loading bool
}

// death is how a process ended.
type death struct {
	expected bool
	reason   string
	crash    bool // whether the runtime of the process wrote that it crashed
	suspects map[suspect]bool
}

// startProcess starts a process, and waits until it speaks. The error wraps
// ErrUnavailable where another try may go better.
func startProcess(ctx context.Context, s *spec, h hooks) (_ *process, err error) {
	if err := s.verify(); err != nil {
		return nil, err
	}
	p := &process{
		spec:    s,
		started: time.Now(),
		hooks:   h,
		dead:    make(chan struct{}),
		slots:   make(map[uint32]suspect),
		flying:  make(map[*task]struct{}),
		idle:    make(chan struct{}),
	}
	p.stderr = &stderrTail{forward: p.logLine}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	if err := p.open(ctx); err != nil {
		return nil, p.startFault(ctx, err)
	}
	go p.watch()
	return p, nil
}

// verify looks at the program before it is run, for clear errors and for the
// checksum.
func (s *spec) verify() error {
	if !s.foreign {
		return nil
	}
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot start %s: there is no such file", s.what)
	case err != nil:
		return fmt.Errorf("cannot start %s: %w", s.what, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("cannot start %s: it is not a file but a %v", s.what, info.Mode().Type())
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("cannot start %s: the file is not executable; run chmod +x on it", s.what)
	case s.sha256 == "":
		return nil
	}
	want, err := hex.DecodeString(s.sha256)
	if err != nil || len(want) != sha256.Size {
		return fmt.Errorf("cannot start %s: sha256 %q is not a checksum; write 64 hex digits, as sha256sum prints them", s.what, s.sha256)
	}
	hash := sha256.New()
	secure := plugin.SecureConfig{Checksum: want, Hash: hash}
	ok, err := secure.Check(s.path)
	if err != nil {
		return fmt.Errorf("cannot verify %s: %w", s.what, err)
	}
	if !ok {
		return fmt.Errorf("cannot start %s: the file has the checksum %x, but %s is expected; if the change was wanted, update sha256",
			s.what, hash.Sum(nil), strings.ToLower(s.sha256))
	}
	return nil
}

// open starts the child and connects to it.
func (p *process) open(ctx context.Context) error {
	cmd, err := p.command()
	if err != nil {
		return err
	}
	p.child = newChild(cmd, p.spec.spawner)
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  link.Handshake(),
		VersionedPlugins: link.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, env *exec.Cmd, _ string) (runner.Runner, error) {
			cmd.Env = append(cmd.Env, env.Env...)
			return p.child, nil
		},
		AutoMTLS:            p.spec.foreign,
		SkipHostEnv:         true,
		StartTimeout:        p.spec.wait,
		Stderr:              p.stderr,
		SyncStdout:          &stderrTail{forward: p.logLine},
		SyncStderr:          &stderrTail{forward: p.logLine},
		PluginLogBufferSize: maxStderrLine,
		Logger:              hclog.NewNullLogger(),
		UnixSocketConfig:    &plugin.UnixSocketConfig{TempDir: p.spec.sockets},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithReadBufferSize(connBufferBytes),
			grpc.WithWriteBufferSize(connBufferBytes),
			grpc.WithSharedWriteBuffer(true),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReplyBytes)),
		},
	})
	defer context.AfterFunc(ctx, func() { _ = p.child.Kill(ctx) })()
	_, err = p.client.Start()
	// The child has its own copies of what it inherited.
	for _, f := range cmd.ExtraFiles {
		if f != p.recorder.File() {
			_ = f.Close()
		}
	}
	if err != nil {
		return err
	}
	conn, err := p.client.Client()
	if err != nil {
		return err
	}
	if p.rpc, err = link.Client(conn); err != nil {
		return err
	}
	about, err := p.rpc.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("it does not describe itself: %w", err)
	}
	if !p.spec.foreign && !about.GetLoadsScripts() {
		return errors.New("it takes no scripts; is the program that it runs the agent's own?")
	}
	p.offered = about.GetInspectors()
	for _, warning := range about.GetWarnings() {
		p.spec.log.Warn("a limit is not in force", "process", p.spec.what, "reason", printable(warning))
	}
	return nil
}

// command makes the command and what the child inherits.
func (p *process) command() (*exec.Cmd, error) {
	recorder, err := link.NewRecorder()
	if err != nil {
		return nil, err
	}
	p.recorder = recorder
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a lifeline: %w", err)
	}
	p.lifeline = write
	return &exec.Cmd{
		Path:        p.spec.path,
		Args:        p.spec.args,
		Dir:         p.spec.dir,
		Env:         append([]string{link.EnvLifeline + "=3", link.EnvRecorder + "=4"}, p.spec.env...),
		ExtraFiles:  []*os.File{read, recorder.File()},
		SysProcAttr: childAttributes(),
	}, nil
}

// startFault says why a start failed, in the words of somebody who has to
// repair it.
func (p *process) startFault(ctx context.Context, err error) error {
	if p.child == nil || p.child.cmd.Process == nil {
		err = fmt.Errorf("cannot start %s: %w", p.spec.what, err)
		if p.spec.foreign && (errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
			return err // of the file, which does not change by itself
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	_ = p.child.Kill(ctx)
	<-p.child.exited
	cause, last, _ := p.stderr.crash()
	var told string
	if said := firstOf(cause, last); said != "" {
		told = fmt.Sprintf(" and wrote %q", said)
	}
	timedOut := errors.Is(ctx.Err(), context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout while waiting")
	switch text := err.Error(); {
	case timedOut:
		return fmt.Errorf("%w: cannot start %s: no handshake within %v%s; is it a Vedette plugin?", ErrUnavailable, p.spec.what, p.spec.wait, told)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: cannot start %s: %w", ErrUnavailable, p.spec.what, context.Cause(ctx))
	case strings.Contains(text, "Failed to read any lines"), strings.Contains(text, "exited before"):
		err := fmt.Errorf("cannot start %s: it ended (%s)%s before the handshake; is it a Vedette plugin, as one that calls plugins.Serve?",
			p.spec.what, p.child.end(), told)
		if !p.spec.foreign {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	case strings.Contains(text, "Unrecognized remote plugin message: "):
		_, said, _ := strings.Cut(text, "Unrecognized remote plugin message: ")
		said, _, _ = strings.Cut(said, "\n")
		return fmt.Errorf("cannot start %s: it printed %q instead of a handshake; is it a Vedette plugin, as one that calls plugins.Serve?",
			p.spec.what, printable(said))
	default:
		return fmt.Errorf("cannot start %s: %s%s", p.spec.what, printable(text), told)
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// release frees everything of a process that is dead or never came to life.
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

// stop ends the process, a plugin by asking first, and returns when it is gone.
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

// kill ends the process at once for a reason that it has to answer for.
func (p *process) kill(verdict string) {
	p.mu.Lock()
	if p.verdict == "" {
		p.verdict = verdict
	}
	p.mu.Unlock()
	_ = p.child.Kill(context.Background())
}

// retire lets the calls that are under way end, for at most a while, and stops
// the process. New calls are refused at once.
func (p *process) retire(while time.Duration) {
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
	p.stop()
}

// enter begins a call. It returns false where the process takes no more.
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
		return name // it is not offered any more, and the process says so
	}
	return offered
}

// landed says that a run was answered.
func (p *process) landed(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.flying, t)
}

// assign says whose slot a slot is.
func (p *process) assign(slot uint32, s suspect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots[slot] = s
}

// autopsy finds out why the process died and who may have done it.
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
	case last != "" && p.spec.foreign:
		d.reason = fmt.Sprintf("%s after %q", p.child.end(), last)
	default:
		d.reason = p.child.end()
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
	for slot := range busy { // what goes on after a timeout is blamed last
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

// load builds one script in the process. m is a member that is not yet there
// for others to see.
func (p *process) load(ctx context.Context, m *member) error {
	d := &m.def
	p.assign(m.slot, suspect{d.Name, true})
	reply, err := p.rpc.Load(ctx, &pb.LoadRequest{
		Name:       d.Name,
		File:       d.Script.File,
		Line:       int32(d.Script.Line),
		Source:     d.Script.Source,
		Slot:       m.slot,
		IntervalMs: d.Interval.Milliseconds(),
		TimeoutMs:  d.Timeout.Milliseconds(),
	})
	if err == nil {
		return loadError(reply)
	}
	return p.loadFault(ctx, d.Name, err)
}

// loadError is what the process said against a script.
func loadError(reply *pb.LoadReply) error {
	if reply.GetError() == "" {
		return nil
	}
	var all inspectors.Diagnostics
	for _, d := range reply.GetDiagnostics() {
		all = append(all, inspectors.Diagnostic{
			File: d.GetFile(), Line: int(d.GetLine()), Col: int(d.GetColumn()), Message: printable(d.GetMessage()), Fix: printable(d.GetFix()),
		})
	}
	if len(all) > 0 {
		return all
	}
	return errors.New(printable(reply.GetError()))
}

// loadFault says why a call of Load was not answered. The wait for an answer
// ends with ctx; a process that is still building then is of no more use.
func (p *process) loadFault(ctx context.Context, name string, err error) error {
	expired := status.Code(err) == codes.DeadlineExceeded // the child may notice it first
	if ctx.Err() != nil || expired {
		if expired || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("%w: the script was not built in time; does a package variable's value or an init function never end?", ErrTimeout)
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	d := p.awaitDeath(err)
	if d.suspects[suspect{name, true}] {
		return fmt.Errorf("%w while it was loaded: %s", ErrCrashed, d.reason)
	}
	return fmt.Errorf("%w: the process died: %s", ErrUnavailable, d.reason)
}

// awaitDeath waits for the end of a process whose connection broke. One that
// does not die of it is killed.
func (p *process) awaitDeath(err error) *death {
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-p.dead:
		return p.death
	case <-timer.C:
		p.kill("its connection broke: " + printable(err.Error()))
	}
	<-p.dead
	return p.death
}
