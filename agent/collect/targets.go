package collect

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
)

// targetFiles are files that list targets. They are read again when they change.
type targetFiles struct {
	patterns []string
	known    map[string]*targetFile // by path
}

// targetFile is one of them, as it was when it could last be read.
type targetFile struct {
	changed time.Time
	size    int64
	found   []foundTarget
}

// foundTarget is a target in a file.
type foundTarget struct {
	file    string
	target  string // as the file has it
	address string
	labels  map[string]string
}

func newTargetFiles(patterns []string) *targetFiles {
	return &targetFiles{patterns: patterns, known: make(map[string]*targetFile)}
}

// read returns the targets of all files. If a file cannot be read now, its earlier content
// still holds, and there is an error; a file that is gone has no targets.
func (t *targetFiles) read() (found []foundTarget, err error) {
	var faults []error
	seen := make(map[string]bool)
	for _, pattern := range t.patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			faults = append(faults, fmt.Errorf("file_sd %q: %w", pattern, err))
		}
		if len(paths) == 0 && !strings.ContainsAny(pattern, "*?[") {
			faults = append(faults, fmt.Errorf("file_sd: there is no file %q", pattern))
		}
		for _, path := range paths {
			if seen[path] {
				continue
			}
			seen[path] = true
			if err := t.readFile(path); err != nil {
				faults = append(faults, err)
			}
			if known := t.known[path]; known != nil {
				found = append(found, known.found...)
			}
		}
	}
	for path := range t.known {
		if !seen[path] {
			delete(t.known, path)
		}
	}
	if len(found) > inspectors.MaxTargets {
		faults = append(faults, fmt.Errorf("file_sd lists %d targets; only the first %d are scraped", len(found), inspectors.MaxTargets))
		found = found[:inspectors.MaxTargets]
	}
	return found, errors.Join(faults...)
}

// readFile reads a file that has changed.
func (t *targetFiles) readFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		delete(t.known, path) // between the listing and this
		return nil
	}
	if err != nil {
		return fmt.Errorf("file_sd: cannot read %q: %w", path, err)
	}
	if known := t.known[path]; known != nil && known.changed.Equal(info.ModTime()) && known.size == info.Size() {
		return nil
	}
	groups, err := config.ReadTargets(path)
	if err != nil {
		return fmt.Errorf("file_sd: %w", err)
	}
	file := &targetFile{changed: info.ModTime(), size: info.Size()}
	for _, group := range groups {
		for _, target := range group.Targets {
			file.found = append(file.found, foundTarget{path, target, addressOf(target, group.Labels), group.Labels})
		}
	}
	t.known[path] = file
	return nil
}

// addressOf makes the address of a target such as web-1:9100. The labels __scheme__,
// __metrics_path__ and __param_NAME change its parts, as in Prometheus. A target that is a
// full address stays as it is.
func addressOf(target string, labels map[string]string) string {
	if strings.Contains(target, "://") {
		return target
	}
	u := url.URL{Scheme: "http", Host: target, Path: "/metrics"}
	if scheme := labels["__scheme__"]; scheme != "" {
		u.Scheme = scheme
	}
	if path := labels["__metrics_path__"]; path != "" {
		u.Path = "/" + strings.TrimPrefix(path, "/")
	}
	query := url.Values{}
	for name, value := range labels {
		if param, ok := strings.CutPrefix(name, "__param_"); ok {
			query[param] = slices.Concat(query[param], []string{value})
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
