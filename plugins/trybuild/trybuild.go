// Package trybuild builds pushed scripts before they are accepted, to see whether they
// build.
package trybuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// maxBuilds bounds the scripts that a master builds at once.
const maxBuilds = 2

// Builder builds scripts, each in a separate script host that is discarded
// afterwards. It is isolated like an agent's, and gets nothing that the script
// says it needs, because building a script runs the initialisers of its package
// variables.
type Builder struct {
	log   *slog.Logger
	pool  *plugins.Pool
	slots chan struct{}
	work  sync.WaitGroup // work in addition to the builds
}

// New makes a Builder whose processes belong to a pool with these options. It
// starts nothing.
func New(options plugins.PoolOptions) *Builder {
	options.Sandbox.Bare = true
	return &Builder{log: options.Log, pool: plugins.NewPool(options), slots: make(chan struct{}, maxBuilds)}
}

// Start builds a first script, so that the log says at the start of the master
// which layers of isolation this system lacks, and the first push need not wait
// for what is loaded once.
func (b *Builder) Start(ctx context.Context) {
	b.work.Go(func() {
		d := inspectors.Definition{Name: "first", Script: &inspectors.Script{File: "first.go", Line: 1, Source: "return 1, nil"}}
		d.Interval = inspectors.DefaultInterval
		d.Timeout = inspectors.DefaultTimeout(d.Interval)
		if err := b.Build(ctx, d); err != nil && ctx.Err() == nil {
			b.log.Warn("the master cannot build scripts for now; while that is so, a push is accepted without being built, and its answer says so", "reason", err)
		}
	})
}

// Close returns when every process is gone.
func (b *Builder) Close() error {
	err := b.pool.Close()
	b.work.Wait()
	return err
}

// Build returns the faults of a script, or nil. The error wraps
// plugins.ErrUnavailable if it cannot be built for reasons of this machine. A
// script whose initialisers panic is not at fault, because it may lack something
// that only hosts have: the hosts will report it.
func (b *Builder) Build(ctx context.Context, d inspectors.Definition) error {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	d.Isolation = inspectors.IsolationOwn
	err := b.pool.Load(ctx, d)
	b.work.Go(func() { // do not wait for the end of the process
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
	case errors.Is(err, plugins.ErrClosed):
		return fmt.Errorf("%w: %w", plugins.ErrUnavailable, err)
	}
	return err
}
