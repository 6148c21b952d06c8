package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Releaser is a role that a Runner may have.
type Releaser interface {
	// Release ends the quarantine of an inspector. The error wraps
	// plugins.ErrNotLoaded if there is no such inspector, and
	// plugins.ErrNotQuarantined if it is not in quarantine.
	Release(ctx context.Context, name string) error
}

// Release ends the quarantine of an inspector, which runs again at its next
// tick. See Releaser for errors.
func (a *Agent) Release(ctx context.Context, name string) error {
	r, ok := a.deps.Runner.(Releaser)
	if !ok {
		return fmt.Errorf("cannot release inspector %q: the runner of this agent quarantines nothing", name)
	}
	if err := r.Release(ctx, name); err != nil {
		return err
	}
	a.log.Warn("inspector was released from quarantine by hand", "inspector", name)
	return nil
}

// methods are what the master may call.
func (a *Agent) methods() *rpc.Mux {
	mux := rpc.NewMux()
	rpc.Serve(mux, wire.AgentRelease, a.serveRelease)
	a.assigner.Serve(mux)
	a.trialMethods(mux)
	rpc.Serve(mux, wire.AgentBoost, a.serveBoost)
	rpc.Serve(mux, wire.AgentLogs, a.prints.get)
	return mux
}

func (a *Agent) serveRelease(ctx context.Context, p wire.AgentReleaseParams) (wire.Empty, error) {
	err := a.Release(ctx, p.Inspector)
	switch {
	case err == nil:
		return wire.Empty{}, nil
	case errors.Is(err, plugins.ErrNotLoaded):
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "%v", err)
	case errors.Is(err, plugins.ErrNotQuarantined):
		return wire.Empty{}, rpc.Errorf(wire.CodeConflict, "%v", err)
	}
	return wire.Empty{}, rpc.Errorf(rpc.CodeInternal, "%v", err)
}
