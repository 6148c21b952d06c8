package agentcmd

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/scriptcheck"
	"github.com/vedettehq/vedette/plugins/scripthost"
)

// checkArgument makes the script host's command a checker.
const checkArgument = "check"

// checkedPool is a pool that loads only scripts which the checker accepts. The
// checker is a child process, which is gone soon after the last check.
type checkedPool struct {
	*plugins.Pool
	checker *scriptcheck.Checker

	mu     sync.Mutex
	passed map[string]string // the revision that was accepted, by name
}

// newCheckedPool puts a checker before a pool; self is this program's own file.
// Close the checker when the pool is not used any more.
func newCheckedPool(pool *plugins.Pool, self string) *checkedPool {
	return &checkedPool{
		Pool:    pool,
		checker: scriptcheck.New([]string{self, scripthost.Command, checkArgument}),
		passed:  make(map[string]string),
	}
}

// Load checks the script of a definition and loads it. Where it cannot be
// checked, the error wraps plugins.ErrUnavailable, and it is not loaded.
func (p *checkedPool) Load(ctx context.Context, d inspectors.Definition) error {
	if err := p.check(ctx, d); err != nil {
		return err
	}
	return p.Pool.Load(ctx, d)
}

func (p *checkedPool) check(ctx context.Context, d inspectors.Definition) error {
	if d.Script == nil {
		return nil
	}
	revision := d.Revision()
	p.mu.Lock()
	known := p.passed[d.Name] == revision
	p.mu.Unlock()
	if known {
		return nil
	}
	err := p.checker.Check(ctx, *d.Script)
	var faults inspectors.Diagnostics
	switch {
	case errors.As(err, &faults):
		return faults
	case err != nil:
		return fmt.Errorf("cannot load inspector %q: %w: %w", d.Name, plugins.ErrUnavailable, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed[d.Name] = revision
	return nil
}

// Unload forgets the name.
func (p *checkedPool) Unload(name string) {
	p.mu.Lock()
	delete(p.passed, name)
	p.mu.Unlock()
	p.Pool.Unload(name)
}
