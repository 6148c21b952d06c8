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

// Sandbox says how script hosts are isolated. Every layer that the system has
// is set in any case; see Isolation.
type Sandbox struct {
	// User is the number of the user and the group that script hosts become
	// where the agent runs as root. Default DefaultScriptUser.
	User int
	// Private are files and folders that no script may read: the agent's data,
	// its configuration, its token.
	Private []string
	// Bare gives scripts nothing of what they say they need, and asks no policy:
	// for those that are only built.
	Bare bool
}

// DefaultScriptUser is the user that script hosts become: a number that no
// system hands out.
const DefaultScriptUser = sandbox.DefaultUser

// HideMemory keeps other processes of the same user, as its own plugins, from
// looking into this one: its memory and its environment, where secrets are. It
// leaves no core file from then on.
func HideMemory() error {
	if err := sandbox.HideMemory(); err != nil {
		return fmt.Errorf("cannot hide the memory of this process: %w", err)
	}
	return nil
}

// Isolation tells how script hosts are isolated: by an own user, by an own view
// of the file system, by Landlock, by a filter of system calls, and whether the
// agent helps them with what they may not look up themselves ("broker").
type Isolation struct {
	// Layers are those that are in force in every script host so far.
	Layers []string
	// Missing are the others, with the reason.
	Missing []MissingLayer
}

// MissingLayer is a layer that is not in force, or not wholly.
type MissingLayer struct {
	Layer, Reason string
}

// isolation collects what the script hosts of a pool say.
type isolation struct {
	mu      sync.Mutex
	layers  []string          // guarded by mu, as all below
	missing map[string]string // the reason, by layer
}

// needs returns what the script of a definition needs, with the real paths of
// the files. It refuses what a pushed one may not need, and programs that no script
// may.
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

// realPaths resolves the links in paths, so that what is allowed is what is
// there and not what somebody makes of it later. One that is not there yet is
// resolved as far as it is.
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

// add takes what one script host says. It returns what is missing and was not
// before.
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

// Isolation tells how the script hosts are isolated. Before the first one has
// started it tells nothing.
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

// isolated notes what a script host says of its isolation, and logs what is
// missing.
func (p *Pool) isolated(layers []*pb.Layer) {
	for _, m := range p.isolation.add(layers) {
		p.log.Warn("script hosts lack a layer of isolation", "layer", m.Layer, "reason", m.Reason)
	}
}

// socketsFD is the descriptor of the folder of sockets in a script host; those
// before it are the lifeline and the recorder.
const (
	socketsFD = 5
	// insideSockets is that folder as the script host knows it: it may not walk
	// there along the path, where the folders are the agent's own.
	insideSockets = "/proc/self/fd/5"
)

// isolate readies the command of a script host for its sandbox. dir is the
// folder in which it shall make its socket.
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

// brokerFD is the descriptor over which a script host hands the agent the calls
// that it has the agent answer; after that of the sockets.
const brokerFD = 6

// help has the agent answer what a script host cannot look up as a user without
// rights, and make its connections. Where that is not possible the host does
// without.
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

// processFolders are where gopsutil is told to find the processes, besides /proc.
func processFolders(env []string) []string {
	for _, pair := range env {
		if path, found := strings.CutPrefix(pair, "HOST_PROC="); found && filepath.IsAbs(path) {
			return []string{filepath.Clean(path)}
		}
	}
	return nil
}

// hostFolders are the folders in which gopsutil is told to find /proc and the
// like, by the variables HOST_*: a script host must read there what it reads in
// /proc elsewhere.
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

// outsidePath translates the address of a socket that a script host made into
// one that the agent can reach.
func (c *child) outsidePath(address string) string {
	if c.inside == "" || !strings.HasPrefix(address, c.inside+"/") {
		return address
	}
	return filepath.Join(c.outside, filepath.Base(address))
}
