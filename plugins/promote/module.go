package promote

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Module says where the packages of Vedette come from: a checkout, or a version.
// Exactly one of the fields is set.
type Module struct {
	// Dir is the root of a checkout, absolute.
	Dir string
	// Version is one that the module proxy knows, such as v1.2.3.
	Version string
}

// String describes it for people.
func (m Module) String() string {
	if m.Dir != "" {
		return "the checkout " + m.Dir
	}
	return modulePath + " " + m.Version
}

// Search says where FindModule looks.
type Search struct {
	// Given is the checkout that the user named, or empty.
	Given string
	// WorkDir is the folder in which the program was started.
	WorkDir string
	// Version is that of the running program's main module, from its build info.
	// It is of use only if it is a release.
	Version string
	// Executable is the running program's file.
	Executable string
}

// FindModule finds the packages of Vedette: in the named checkout; else in the one
// around the working folder; else those of the running program, by its version if
// that is a release, or in the checkout around its file.
func FindModule(s Search) (Module, error) {
	if s.Given != "" {
		dir, err := filepath.Abs(s.Given)
		if err != nil {
			return Module{}, fmt.Errorf("cannot find the folder %q: %w", s.Given, err)
		}
		if root := checkoutAround(dir); root != "" {
			return Module{Dir: root}, nil
		}
		return Module{}, fmt.Errorf("%q is not a checkout of %s: neither it nor a folder above it has a go.mod of that module", s.Given, modulePath)
	}
	if root := checkoutAround(s.WorkDir); root != "" {
		return Module{Dir: root}, nil
	}
	if isRelease(s.Version) {
		return Module{Version: s.Version}, nil
	}
	if root := checkoutAround(filepath.Dir(s.Executable)); root != "" {
		return Module{Dir: root}, nil
	}
	return Module{}, errors.New("cannot tell which version of " + modulePath + " to compile with: this program is no release, " +
		"and neither it nor the working folder is inside a checkout; name a checkout with --module DIR")
}

// isRelease reports whether the proxy may know a version. It does not if a
// checkout was built, or one with changes.
func isRelease(version string) bool {
	return strings.HasPrefix(version, "v") && !strings.ContainsAny(version, "+ ")
}

// checkoutAround returns the root of the checkout that dir is in, or "".
func checkoutAround(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for filepath.IsAbs(dir) {
		if declaresModule(filepath.Join(dir, "go.mod")) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return ""
}

// declaresModule reports whether a go.mod is that of Vedette.
func declaresModule(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) >= 2 && words[0] == "module" {
			return strings.Trim(words[1], `"`) == modulePath
		}
	}
	return false
}
