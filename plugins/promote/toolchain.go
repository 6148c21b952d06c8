package promote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// howToInstall says what is missing on a machine without a compiler.
const howToInstall = "install Go 1.26 or newer from https://go.dev/dl/ and put its bin folder into PATH"

// Available reports whether there is a Go toolchain. If not, the error wraps
// ErrNoGo and says why.
func Available() error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("%w: there is no program \"go\" in PATH; %s", ErrNoGo, howToInstall)
	}
	return nil
}

// toolchain is the Go of the machine.
type toolchain struct {
	path     string
	env      []string
	platform string // the platform that it compiles for, such as linux/amd64
}

func newToolchain(ctx context.Context, native bool) (*toolchain, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, err
	}
	t := &toolchain{path: path, env: append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GO111MODULE=on")}
	if native {
		goos, goarch, _ := strings.Cut(hostPlatform(), "/")
		t.env = append(t.env, "GOOS="+goos, "GOARCH="+goarch)
	}
	var out bytes.Buffer
	cmd := t.command(ctx, "/", "env", "GOOS", "GOARCH")
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", path, err)
	}
	t.platform = strings.Join(strings.Fields(out.String()), "/")
	return t, nil
}

// interruptTime is how long the compiler may clean up after it is told to stop.
const interruptTime = 5 * time.Second

func (t *toolchain) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, cmd.Env = dir, append(t.env, "PWD="+dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptTime
	return cmd
}

// run runs go and returns its messages if it failed.
func (t *toolchain) run(ctx context.Context, dir string, args ...string) (said string, err error) {
	var out bytes.Buffer
	cmd := t.command(ctx, dir, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return strings.TrimSpace(out.String()), err
	}
	return "", nil
}

// build compiles a project to a file, in the folder work.
func (t *toolchain) build(ctx context.Context, p *project, m Module, work, output string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w", "-o", output}
	var dir, base string
	if m.Dir != "" {
		overlay, err := p.overlay(m.Dir, work)
		if err != nil {
			return err
		}
		dir, base = m.Dir, modulePath+"/"+virtual
		args = append(args, "-overlay="+overlay)
	} else {
		if err := t.module(ctx, p, m.Version, work); err != nil {
			return err
		}
		dir, base = work, ownModule
	}
	// All the errors of a script, not the first ten.
	args = append(args, "-gcflags="+base+"/...=-e", base)
	said, err := t.run(ctx, dir, args...)
	if err != nil {
		return p.explain(said, err)
	}
	return nil
}

// virtual is the folder of a checkout in which the project appears to be.
const virtual = "promoted"

// overlay writes the project into work, and the file that makes the compiler see
// it inside a checkout, so that it is compiled with exactly the modules of the
// checkout.
func (p *project) overlay(checkout, work string) (string, error) {
	files := p.files(modulePath + "/" + virtual)
	replace := make(map[string]string, len(files))
	for name := range files {
		replace[filepath.Join(checkout, virtual, name)] = filepath.Join(work, name)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	files["overlay.json"] = string(text)
	return filepath.Join(work, "overlay.json"), write(work, files)
}

// ownModule is the module of a project that stands alone.
const ownModule = "vedette.local/promoted"

// module writes the project into work as a separate module that needs a version of
// Vedette, and lets the go tool fetch that.
func (t *toolchain) module(ctx context.Context, p *project, version, work string) error {
	files := p.files(ownModule)
	files["go.mod"] = "module " + ownModule + "\n"
	if err := write(work, files); err != nil {
		return err
	}
	// The package with the symbol tables needs every package that a script may
	// import, so that all their checksums are there.
	said, err := t.run(ctx, work, "get", modulePath+"/plugins@"+version, modulePath+"/inspectors/script/symbols@"+version)
	if err != nil {
		return fmt.Errorf("cannot get %s %s: %w", modulePath, version, toolError(said, err))
	}
	return nil
}

// files are the files of the project by their path, under an import path.
func (p *project) files(base string) map[string]string {
	files := map[string]string{"main.go": p.main(base)}
	for i, u := range p.units {
		files[folder(i)+"/inspector.go"] = u.text
	}
	return files
}

func write(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("cannot write the project: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("cannot write the project: %w", err)
		}
	}
	return nil
}

// explain turns the messages of the go tool into diagnostics. The compiler names
// the package first and then places in the author's file; a failure before the
// compiler is called has its place in the copy.
func (p *project) explain(said string, err error) error {
	header := regexp.MustCompile(`^# .*/p(\d+)$`)
	compiler := regexp.MustCompile(`^(.*?):(\d+):(?:(\d+):)? (.*)$`)
	copied := regexp.MustCompile(`(?:^|/)p(\d+)/[^/]*$`)
	var faults inspectors.Diagnostics
	current := -1
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if m := header.FindStringSubmatch(line); m != nil {
			current = p.unit(m[1])
			continue
		}
		if more, ok := strings.CutPrefix(line, "\t"); ok && len(faults) > 0 {
			faults[len(faults)-1].Message += " " + strings.TrimSpace(more)
			continue
		}
		m := compiler.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		at := current
		if inCopy := copied.FindStringSubmatch(m[1]); inCopy != nil {
			at = p.unit(inCopy[1])
		}
		if at < 0 {
			continue
		}
		d := inspectors.Diagnostic{File: p.units[at].file, Message: plain(m[4])}
		d.Line, _ = strconv.Atoi(m[2])
		d.Col, _ = strconv.Atoi(m[3])
		faults = append(faults, d)
	}
	if len(faults) > 0 {
		return faults.Err()
	}
	return fmt.Errorf("cannot compile the plugin: %w", toolError(said, err))
}

// unit returns the number of a folder from its text, or -1 if there is no such
// unit.
func (p *project) unit(number string) int {
	i, err := strconv.Atoi(number)
	if err != nil || i >= len(p.units) {
		return -1
	}
	return i
}

// plain removes the path of the Go installation from a message.
func plain(message string) string {
	before, _, cut := strings.Cut(message, " is not in std (")
	if cut {
		return before + " is not in the standard library"
	}
	return message
}

// toolError is a failure of the go tool that is not the fault of a script.
func toolError(said string, err error) error {
	if said == "" {
		return fmt.Errorf("%s failed: %w", "go", err)
	}
	if strings.Contains(said, "requires go >=") {
		return fmt.Errorf("%w: %s; %s", ErrNoGo, said, howToInstall)
	}
	return fmt.Errorf("the go tool says:\n%s", said)
}
