package promote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/tempdir"
)

// ErrNoGo is wrapped by the error of a build on a machine without a Go
// toolchain, or with one that is too old.
var ErrNoGo = errors.New("no Go toolchain that can compile it")

// Options say what to build.
type Options struct {
	// Definitions are the scripts, each of which is a whole Go file. Their names
	// are the names of the plugin's inspectors.
	Definitions []inspectors.Definition
	// Output is the file to write. An existing one is replaced, even while it
	// runs.
	Output string
	// Module is where the packages of Vedette come from; see FindModule.
	Module Module
	// Native builds for this machine and ignores GOOS and GOARCH.
	Native bool
}

// Binary is a plugin that was built.
type Binary struct {
	// Path is the file, absolute.
	Path string
	// Size is its length in bytes.
	Size int64
	// SHA256 is its checksum in hex, in the form that a configuration has.
	SHA256 string
	// Platform is the platform that it runs on, such as linux/amd64.
	Platform string
}

// Build compiles the scripts into a plugin. The faults of the scripts, including
// those that the compiler finds, are inspectors.Diagnostics in the authors' own
// files.
//
// The result is not linked to C. Build leaves nothing behind but Output, and that
// only if it succeeds.
func Build(ctx context.Context, o Options) (*Binary, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	p, err := newProject(o.Definitions)
	if err != nil {
		return nil, err
	}
	output, err := filepath.Abs(o.Output)
	if err != nil {
		return nil, fmt.Errorf("cannot find the folder of %q: %w", o.Output, err)
	}
	work, remove, err := tempdir.Make("vedette-promote-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = remove() }() // the next build removes what remains
	t, err := newToolchain(ctx, o.Native)
	if err != nil {
		return nil, err
	}
	built := besides(output)
	defer os.Remove(built)
	if err := t.build(ctx, p, o.Module, work, built); err != nil {
		return nil, err
	}
	return place(built, output, t.platform)
}

// validate finds faults before anything is compiled.
func (o *Options) validate() error {
	if len(o.Definitions) == 0 {
		return errors.New("there is no script to promote")
	}
	if o.Output == "" {
		return errors.New("the output has no name")
	}
	if info, err := os.Stat(o.Output); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("cannot write %q: it is not a file; name the program to make", o.Output)
	}
	if strings.HasSuffix(o.Output, ".go") {
		return fmt.Errorf("cannot write %q: that is the name of a Go file, not of a program", o.Output)
	}
	if dir := filepath.Dir(o.Output); !isFolder(dir) {
		return fmt.Errorf("cannot write %q: there is no folder %q", o.Output, dir)
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// besides names the file that is renamed to output once it is complete: a running
// program cannot be written to, but can be replaced.
func besides(output string) string {
	return filepath.Join(filepath.Dir(output), fmt.Sprintf(".%s.%d", filepath.Base(output), os.Getpid()))
}

// place moves the built program to its final path.
func place(built, output, platform string) (*Binary, error) {
	sum, size, err := checksum(built)
	if err != nil {
		return nil, fmt.Errorf("cannot read the program that was built: %w", err)
	}
	if err := os.Rename(built, output); err != nil {
		return nil, fmt.Errorf("cannot write %q: %w", output, unwrapPath(err))
	}
	return &Binary{Path: output, Size: size, SHA256: sum, Platform: platform}, nil
}

func checksum(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// unwrapPath removes the path from an error whose message already has it.
func unwrapPath(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// Config returns the lines of an agent's configuration that run the plugin, with
// the schedules of the scripts.
func (b *Binary) Config(definitions []inspectors.Definition) string {
	var s strings.Builder
	s.WriteString("inspectors:\n")
	sorted := slices.Clone(definitions)
	slices.SortFunc(sorted, func(x, y inspectors.Definition) int { return strings.Compare(x.Name, y.Name) })
	for _, d := range sorted {
		fmt.Fprintf(&s, "  %s:\n    plugin: %s\n    sha256: %q\n    interval: %v\n", yamlWord(d.Name), yamlWord(b.Path), b.SHA256, d.Interval)
		if d.Timeout != inspectors.DefaultTimeout(d.Interval) {
			fmt.Fprintf(&s, "    timeout: %v\n", d.Timeout)
		}
	}
	return s.String()
}

// yamlWord writes a string for YAML: unquoted if it starts with a letter or a
// slash and has no special characters.
func yamlWord(s string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/"
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
	default:
		if strings.Contains(letters, s[:1]) && strings.Trim(s, letters+"0123456789_.-") == "" {
			return s
		}
	}
	return fmt.Sprintf("%q", s)
}

// hostPlatform is the platform of this program.
func hostPlatform() string { return runtime.GOOS + "/" + runtime.GOARCH }
