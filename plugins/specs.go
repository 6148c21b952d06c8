package plugins

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/childenv"
	"github.com/vedettehq/vedette/internal/lean"
	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/plugins/internal/link"
)

// scriptSpec says how to start a script host for inspectors with certain needs. d
// is the inspector of a separate one, and empty for a shared one.
func (p *Pool) scriptSpec(kind hostKind, d inspectors.Definition, needs inspectors.Needs) spec {
	what, name := "script host", d.Name
	if kind == hostOwn {
		what = "script host of " + name
	} else if text := needs.String(); text != "" {
		what = "script host for " + text
	}
	limits := p.options.Limits.forHeap(d.Budget.Heap)
	env := append(childenv.Of(os.Environ()),
		"GOTRACEBACK=single",
		"GODEBUG=tracebacklabels=1,memprofilerate=0", // so that a crash names its inspector; no profile is ever asked for
		fmt.Sprintf("GOGC=%d", lean.Percent),
		link.EnvLimits+"="+limits.encode())
	if limits.HeapBytes > 0 {
		env = append(env, fmt.Sprintf("GOMEMLIMIT=%d", limits.HeapBytes))
	}
	if limits.CPUs > 0 {
		env = append(env, fmt.Sprintf("GOMAXPROCS=%d", limits.CPUs))
	}
	s := spec{
		kind: kind, name: name, what: what, env: env, dir: "/", spawner: p.scripts, wait: p.tuning.start, log: p.log, args: p.options.ScriptHost,
		needs: needs, sandbox: p.options.Sandbox, programs: p.programs, oomScoreAdj: limits.OOMScoreAdj, limits: limits,
	}
	if len(needs.Secrets) > 0 {
		s.mask = &mask.Mask{}
	}
	if len(s.args) > 0 {
		s.path = locate(s.args[0])
		return s
	}
	s.args = []string{os.Args[0], "script-host"}
	s.path = ownProgram()
	return s
}

// locate returns the path of a program, independent of the working folder. If it
// cannot be found the name stays as it is, and the start returns the error.
func locate(program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		return program
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (p *Pool) pluginSpec(d *inspectors.Plugin) spec {
	env := append(childenv.Of(os.Environ()), "GOTRACEBACK=single", "GODEBUG=tracebacklabels=1")
	return spec{
		kind:    hostPlugin,
		name:    d.Path,
		what:    fmt.Sprintf("plugin %q", d.Path),
		path:    d.Path,
		args:    append([]string{d.Path}, d.Args...),
		sha256:  d.SHA256,
		env:     append(env, p.options.Env...),
		foreign: true,
		spawner: p.foreign,
		wait:    p.tuning.start,
		log:     p.log,
	}
}

// programKey identifies the process of a plugin.
func programKey(d *inspectors.Plugin) string {
	return strings.Join(append([]string{d.Path, strings.ToLower(d.SHA256)}, d.Args...), "\x00")
}
