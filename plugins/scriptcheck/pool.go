package scriptcheck

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Pool is a pool of plugins that loads only scripts which the checker accepts. The
// checker is a child process, which ends soon after the last check.
type Pool struct {
	*plugins.Pool
	checker *Checker

	mu     sync.Mutex
	passed map[string]passed // accepted scripts, by name
}

// passed is a script that the checker has accepted.
type passed struct{ revision, core string }

// NewPool puts a checker in front of a pool; command starts the checker.
func NewPool(pool *plugins.Pool, command []string) *Pool {
	return &Pool{
		Pool:    pool,
		checker: New(command),
		passed:  make(map[string]passed),
	}
}

// Load checks the script of a definition and loads it. If it cannot be checked,
// the error wraps plugins.ErrUnavailable, and it is not loaded.
func (p *Pool) Load(ctx context.Context, d inspectors.Definition) error {
	core, err := p.check(ctx, d)
	if err != nil {
		return err
	}
	if d.Script != nil {
		script := *d.Script
		script.Core = core
		d.Script = &script
	}
	return p.Pool.Load(ctx, d)
}

// check returns the translation of a script that the checker accepts.
func (p *Pool) check(ctx context.Context, d inspectors.Definition) (core string, err error) {
	if d.Script == nil {
		return "", nil
	}
	revision := d.Revision()
	p.mu.Lock()
	known := p.passed[d.Name]
	p.mu.Unlock()
	if known.revision == revision {
		return known.core, nil
	}
	core, err = p.checker.Check(ctx, *d.Script)
	var faults inspectors.Diagnostics
	switch {
	case errors.As(err, &faults):
		return "", faults
	case err != nil:
		return "", fmt.Errorf("cannot load inspector %q: %w: %w", d.Name, plugins.ErrUnavailable, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed[d.Name] = passed{revision, core}
	return core, nil
}

// Close ends the checker, and then the pool.
func (p *Pool) Close() error {
	p.checker.Close()
	return p.Pool.Close()
}

// Unload forgets the name.
func (p *Pool) Unload(name string) {
	p.mu.Lock()
	delete(p.passed, name)
	p.mu.Unlock()
	p.Pool.Unload(name)
}
