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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/plugins/internal/executor"
	"github.com/vedettehq/vedette/plugins/internal/link"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// maxReplyBytes is the longest message that is accepted from a child.
	maxReplyBytes = 16 << 20
	// longestStart is how long a process may take to start on a machine that is
	// too busy to let it.
	longestStart = 10 * time.Minute
	// connBufferBytes is the size of the buffers of a connection.
	connBufferBytes = 8 << 10
)

// spec says how to start a process.
type spec struct {
	kind    hostKind
	name    string // of the inspector of a separate host, or of the program, or empty
	what    string // for people: `script host` or `plugin "gpu"`
	path    string
	args    []string // with the name of the program first
	sha256  string   // expected checksum in hex, or empty
	env     []string
	dir     string // working folder, or empty for the agent's
	foreign bool   // it is an external plugin
	spawner *spawner
	sockets string // the folder of sockets
	// For a script host: the needs of its scripts, its isolation, and how much
	// sooner than other processes the system kills it when memory runs out.
	needs       inspectors.Needs
	mask        *mask.Mask // of the secrets that it was given, or nil
	sandbox     Sandbox
	programs    executor.Slots
	limits      Limits
	oomScoreAdj int
	wait        time.Duration
	log         *slog.Logger
}

// startProcess starts a process, and waits until it speaks. The error wraps
// ErrUnavailable if another try may succeed.
func startProcess(ctx context.Context, pool *Pool, s *spec, h hooks) (_ *process, err error) {
	if err := s.verify(); err != nil {
		return nil, err
	}
	p := &process{
		pool:    pool,
		spec:    s,
		started: time.Now(),
		disks:   disksOf("self"),
		hooks:   h,
		dead:    make(chan struct{}),
		slots:   make(map[uint32]suspect),
		flying:  make(map[*task]struct{}),
		idle:    make(chan struct{}),
	}
	p.stderr = &stderrTail{forward: p.logLine, mask: s.mask}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	ctx, cancel := pool.within(ctx, p.pid, s.wait)
	defer cancel()
	if err := p.open(ctx); err != nil {
		return nil, p.startFault(ctx, err)
	}
	go p.watch()
	return p, nil
}

// verify checks the program before it is run, for clear errors and for the
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
	c := newChild(cmd, p.spec.spawner)
	p.mu.Lock()
	p.child = c
	p.mu.Unlock()
	config := p.clientConfig(cmd)
	p.client = plugin.NewClient(config)
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
	// A plugin in another language may not speak TLS. The connection is private in
	// any case: the socket is in a folder of this user alone.
	if config.TLSConfig != nil && config.TLSConfig.RootCAs == nil {
		config.TLSConfig = nil
		p.spec.log.Debug("the connection is not encrypted, because the plugin has no certificate", "process", p.spec.what)
	}
	return p.connect(ctx)
}

// clientConfig says how to speak to the child. Start fills in its TLSConfig.
func (p *process) clientConfig(cmd *exec.Cmd) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  link.Handshake(),
		VersionedPlugins: link.Plugins(nil),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, env *exec.Cmd, sockets string) (runner.Runner, error) {
			cmd.Env = append(cmd.Env, env.Env...)
			if p.spec.foreign {
				return p.child, nil
			}
			return p.child, p.isolate(cmd, sockets)
		},
		AutoMTLS:            p.spec.foreign,
		SkipHostEnv:         true,
		StartTimeout:        longestStart,
		Stderr:              p.stderr,
		SyncStdout:          &stderrTail{forward: p.logLine, mask: p.spec.mask},
		SyncStderr:          &stderrTail{forward: p.logLine, mask: p.spec.mask},
		PluginLogBufferSize: maxStderrLine,
		Logger:              hclog.NewNullLogger(),
		UnixSocketConfig:    &plugin.UnixSocketConfig{TempDir: p.spec.sockets},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithReadBufferSize(connBufferBytes),
			grpc.WithWriteBufferSize(connBufferBytes),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReplyBytes)),
		},
	}
}

// connect connects to the child and asks what it offers.
func (p *process) connect(ctx context.Context) error {
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
		return errors.New("it takes no scripts; is its program that of the agent?")
	}
	p.offered = about.GetInspectors()
	for _, warning := range about.GetWarnings() {
		p.hooks.warn(printable(warning))
	}
	if !p.spec.foreign {
		p.hooks.isolated(about.GetLayers())
	}
	if len(p.spec.needs.Programs)+len(p.spec.needs.Secrets) > 0 {
		return p.execute()
	}
	return nil
}

// command makes the command and everything that the child inherits.
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
		Env:         slices.Concat([]string{link.EnvLifeline + "=3", link.EnvRecorder + "=4"}, p.spec.env, p.mountTable()),
		ExtraFiles:  []*os.File{read, recorder.File()},
		SysProcAttr: childAttributes(),
	}, nil
}

// startFault says why a start failed, in terms that help to repair it.
func (p *process) startFault(ctx context.Context, err error) error {
	if p.child == nil || p.child.cmd.Process == nil {
		err = fmt.Errorf("cannot start %s: %w", p.spec.what, err)
		if p.spec.foreign && (errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
			return err // about the file, which does not change by itself
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
	ask := "; is it a Vedette plugin, such as a program that calls plugins.Serve?"
	if !p.spec.foreign {
		ask = ""
	}
	switch text := err.Error(); {
	case errors.Is(context.Cause(ctx), errHadItsTime):
		return fmt.Errorf("%w: cannot start %s: no handshake within %v%s%s", ErrUnavailable, p.spec.what, p.spec.wait, told, ask)
	case errors.Is(context.Cause(ctx), errStoodStill), strings.Contains(text, "timeout while waiting"):
		return fmt.Errorf("%w: cannot start %s: it got no processor for its handshake%s", ErrStarved, p.spec.what, told)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: cannot start %s: %w", ErrUnavailable, p.spec.what, context.Cause(ctx))
	case strings.Contains(text, "Failed to read any lines"), strings.Contains(text, "exited before"):
		err := fmt.Errorf("cannot start %s: it ended (%s)%s before the handshake%s", p.spec.what, p.child.end(), told, ask)
		if !p.spec.foreign {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	case strings.Contains(text, "Unrecognized remote plugin message: "):
		_, said, _ := strings.Cut(text, "Unrecognized remote plugin message: ")
		said, _, _ = strings.Cut(said, "\n")
		return fmt.Errorf("cannot start %s: it printed %q instead of a handshake%s", p.spec.what, printable(said), ask)
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
