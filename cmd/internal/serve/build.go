package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/plugins"
)

// maxBuilds bounds the scripts that a master builds at once.
const maxBuilds = 2

// builder builds pushed scripts before they are accepted, each in a script host of
// its own that is thrown away afterwards. It is isolated as an agent's, and gets
// nothing of what the script says it needs: building it runs the initialisers of
// its package variables.
type builder struct {
	log   *slog.Logger
	pool  *plugins.Pool
	slots chan struct{}
	work  sync.WaitGroup // what goes on beside the builds
}

// newBuilder makes a builder. It starts nothing.
func newBuilder(c *config.Config, log *slog.Logger) (*builder, error) {
	quiet := func(string, string) {}
	pool, err := agentcmd.NewPool("", log, quiet, func(o *plugins.PoolOptions) {
		o.Dir = filepath.Join(c.Master.Data, "run")
		o.Sandbox = plugins.Sandbox{Private: c.Private(), Bare: true}
	})
	if err != nil {
		return nil, err
	}
	return &builder{log: log, pool: pool, slots: make(chan struct{}, maxBuilds)}, nil
}

// start builds a first script, so that the log says at the start of the master
// which layers of isolation this system lacks, and the first push need not wait for
// what is loaded once.
func (b *builder) start(ctx context.Context) {
	b.work.Go(func() {
		d := inspectors.Definition{Name: "first", Script: &inspectors.Script{File: "first.go", Line: 1, Source: "return 1, nil"}}
		d.Interval = inspectors.DefaultInterval
		d.Timeout = inspectors.DefaultTimeout(d.Interval)
		if err := b.build(ctx, d); err != nil && ctx.Err() == nil {
			b.log.Warn("the master cannot build scripts for now; while that is so, a push is accepted without being built, and its answer says so", "reason", err)
		}
	})
}

// close returns when every process is gone.
func (b *builder) close() error {
	err := b.pool.Close()
	b.work.Wait()
	return err
}

// build says what is wrong with a script, or nil. The error wraps
// catalog.ErrNotBuilt where it cannot be built for reasons of this machine.
// Nothing is wrong with a script whose initialisers panic, perhaps for want of
// what only hosts have: the hosts will tell.
func (b *builder) build(ctx context.Context, d inspectors.Definition) error {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	d.Isolation = inspectors.IsolationOwn
	err := b.pool.Load(ctx, d)
	b.work.Go(func() { // nobody waits for the end of the process
		defer func() { <-b.slots }()
		b.pool.Unload(d.Name)
	})
	var faults inspectors.Diagnostics
	switch {
	case errors.As(err, &faults):
		faults = slices.DeleteFunc(faults, func(f inspectors.Diagnostic) bool { return strings.HasPrefix(f.Message, "panic") })
		return faults.Err()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, plugins.ErrClosed), errors.Is(err, plugins.ErrUnavailable):
		return fmt.Errorf("%w: %w", catalog.ErrNotBuilt, err)
	}
	return err
}
