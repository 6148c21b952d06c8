package plugins

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/broker"
	"github.com/vedettehq/vedette/plugins/internal/sandbox"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// Sandbox says how script hosts are isolated. Every layer that the system supports
// is used in any case; see Isolation.
type Sandbox struct {
	// User is the number of the user and the group that script hosts become if the
	// agent runs as root. Default DefaultScriptUser.
	User int
	// Private are files and folders that no script may read: the agent's data,
	// its configuration, its token.
	Private []string
	// Bare gives scripts nothing of what they say they need, and asks no policy:
	// for scripts that are built but not run.
	Bare bool
}

// DefaultScriptUser is the user that script hosts become: a number that no
// system hands out.
const DefaultScriptUser = sandbox.DefaultUser

// HideMemory keeps other processes of the same user, such as the agent's own
// plugins, from reading this process's memory and environment, which hold secrets.
// From then on the process leaves no core file.
func HideMemory() error {
	if err := sandbox.HideMemory(); err != nil {
		return fmt.Errorf("cannot hide the memory of this process: %w", err)
	}
	return nil
}

// Isolation says how script hosts are isolated: by a separate user, by a separate
// view of the file system, by Landlock, by a filter of system calls, and whether
// the agent answers what they may not look up themselves ("broker").
type Isolation struct {
	// Layers are those that have been in force in every script host so far.
	Layers []string
	// Missing are the others, with the reason.
	Missing []MissingLayer
}

// MissingLayer is a layer that is not in force, or only in part.
type MissingLayer struct {
	Layer, Reason string
}

// isolation collects the reports of the script hosts of a pool.
type isolation struct {
	mu      sync.Mutex
	layers  []string          // guarded by mu, like all below
	missing map[string]string // the reason, by layer
}

// needs returns what the script of a definition needs, with the real paths of the
// files. It refuses needs that the policy does not allow to a pushed script, and
// programs that no script may run.
func (p *Pool) needs(d inspectors.Definition) (inspectors.Needs, error) {
	if d.Script == nil {
		if d.Pushed {
			if err := p.options.Policy.CheckPlugin(); err != nil {
				return inspectors.Needs{}, fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
			}
		}
		return inspectors.Needs{}, nil
	}
	said, err := d.Script.Directives()
	if err != nil {
		return inspectors.Needs{}, err
	}
	for _, passedOver := range said.PassedOver {
		p.log.Warn(passedOver.Error(), "inspector", d.Name)
	}
	if p.options.Sandbox.Bare {
		return inspectors.Needs{}, nil
	}
	needs := said.Needs
	needs.Files, needs.Sockets = realPaths(needs.Files), realPaths(needs.Sockets)
	policy := p.options.Policy
	check := policy.CheckPrograms
	if d.Pushed {
		policy.Files, policy.Sockets = realPaths(policy.Files), realPaths(policy.Sockets)
		check = policy.Check
	}
	if err := errors.Join(check(needs), policy.CheckSecrets(needs, &d)); err != nil {
		return inspectors.Needs{}, fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
	}
	for _, path := range slices.Concat(needs.Files, needs.Sockets) {
		for _, private := range realPaths(p.options.Sandbox.Private) {
			if rest, err := filepath.Rel(private, path); err == nil && filepath.IsLocal(rest) {
				return inspectors.Needs{}, fmt.Errorf("cannot load inspector %q: it needs %s, but what is in %s is the agent's own", d.Name, path, private)
			}
		}
	}
	return needs, nil
}

// realPaths resolves the links in paths, so that the policy allows the present
// files and not what somebody makes of the links later. A path that does not exist
// yet is resolved as far as it does.
func realPaths(paths []string) []string {
	var list []string
	for _, path := range paths {
		list = append(list, realPath(path))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(realPath(parent), filepath.Base(path))
	}
	return path
}

// add takes the report of one script host. It returns the layers that are missing
// and were not before.
func (i *isolation) add(layers []*pb.Layer) []MissingLayer {
	i.mu.Lock()
	defer i.mu.Unlock()
	var fresh []MissingLayer
	for _, l := range layers {
		name, reason := printable(l.GetName()), printable(l.GetMissing())
		if !slices.Contains(i.layers, name) {
			i.layers = append(i.layers, name)
		}
		if _, known := i.missing[name]; reason == "" || known {
			continue
		}
		if i.missing == nil {
			i.missing = make(map[string]string)
		}
		i.missing[name] = reason
		fresh = append(fresh, MissingLayer{name, reason})
	}
	return fresh
}

// Isolation says how the script hosts are isolated. It is empty until the first
// one has started.
func (p *Pool) Isolation() Isolation {
	i := &p.isolation
	i.mu.Lock()
	defer i.mu.Unlock()
	var result Isolation
	for _, name := range i.layers {
		if reason, missing := i.missing[name]; missing {
			result.Missing = append(result.Missing, MissingLayer{name, reason})
		} else {
			result.Layers = append(result.Layers, name)
		}
	}
	return result
}

// isolated notes a script host's report about its isolation, and logs missing
// layers.
func (p *Pool) isolated(layers []*pb.Layer) {
	for _, m := range p.isolation.add(layers) {
		p.log.Warn("script hosts lack a layer of isolation", "layer", m.Layer, "reason", m.Reason)
	}
}

// socketsFD is the descriptor of the folder of sockets in a script host; the
// descriptors before it are the lifeline and the recorder.
const (
	socketsFD = 5
	// insideSockets is that folder as the script host sees it. The script host
	// cannot use the real path, because its folders are the agent's alone.
	insideSockets = "/proc/self/fd/5"
)

// isolate prepares the command of a script host for its sandbox. dir is the folder
// in which it must make its socket.
func (p *process) isolate(cmd *exec.Cmd, dir string) error {
	s := &p.spec.sandbox
	settings := sandbox.Settings{
		Private:     s.Private,
		Folders:     hostFolders(p.spec.env),
		Read:        p.spec.needs.Files,
		Net:         p.spec.needs.Net || len(p.spec.needs.Endpoints) > 0,
		Unix:        len(p.spec.needs.Sockets) > 0,
		Sockets:     socketsFD,
		OOMScoreAdj: max(p.spec.oomScoreAdj, 0),
		Name:        "vedette-scripts",
	}
	settings.User, settings.NoUser = sandbox.UserFor(s.User)
	if settings.User > 0 {
		if err := os.Chown(dir, settings.User, settings.User); err != nil {
			settings.User, settings.NoUser = 0, fmt.Sprintf("cannot give user %d a folder: %v", s.User, err)
		}
	}
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cannot open the folder of sockets: %w", err)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, folder)
	if settings.User > 0 || p.spec.needs.Connects() {
		p.help(cmd, &settings)
	}
	p.child.inside, p.child.outside = insideSockets, dir
	cmd.Env = append(cmd.Env, sandbox.EnvSettings+"="+settings.Encode(), "PLUGIN_UNIX_SOCKET_DIR="+insideSockets)
	return nil
}

// brokerFD is the descriptor over which a script host hands calls to the agent; it
// follows that of the sockets.
const brokerFD = 6

// help lets the agent answer the questions that a script host cannot answer as a
// user without rights, and make its connections. If that is not possible the
// script host does without.
func (p *process) help(cmd *exec.Cmd, s *sandbox.Settings) {
	if s.NoBroker = sandbox.CannotHelp(s.User > 0); s.NoBroker != "" {
		return
	}
	reach, err := broker.ReachOf(p.spec.needs)
	if err != nil {
		s.NoBroker = err.Error()
		return
	}
	reach.User, reach.Private = s.User, realPaths(s.Private)
	b, forHost, err := broker.New(p.spec.log, append(processFolders(p.spec.env), "/proc"), reach)
	if err != nil {
		s.NoBroker = err.Error()
		return
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, forHost)
	s.Broker, s.Watched = brokerFD, s.User == 0
	s.Processes = p.spec.needs.Processes && !s.Watched
	p.broker, p.brokerDone = b, make(chan struct{})
	go func() {
		defer close(p.brokerDone)
		b.Run()
	}()
}

// processFolders are the folders in which gopsutil is told to look for processes,
// in addition to /proc.
func processFolders(env []string) []string {
	for _, pair := range env {
		if path, found := strings.CutPrefix(pair, "HOST_PROC="); found && filepath.IsAbs(path) {
			return []string{filepath.Clean(path)}
		}
	}
	return nil
}

// hostFolders are the folders that the variables HOST_* give gopsutil for /proc
// and the like. A script host must be able to read in them what it otherwise reads
// in /proc.
func hostFolders(env []string) []string {
	var list []string
	for _, pair := range env {
		name, path, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "HOST_") && filepath.IsAbs(path) && filepath.Clean(path) != "/" {
			list = append(list, realPath(filepath.Clean(path)))
		}
	}
	return list
}

// outsidePath translates the address of a socket that a script host made into one
// that the agent can reach.
func (c *child) outsidePath(address string) string {
	if c.inside == "" || !strings.HasPrefix(address, c.inside+"/") {
		return address
	}
	return filepath.Join(c.outside, filepath.Base(address))
}
