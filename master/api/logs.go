package api

import (
	"context"
	"errors"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// logs asks the agent of a host for the lines that an inspector prints there.
func (a *API) logs(ctx context.Context, p wire.LogsParams) (wire.LogsResult, error) {
	if err := inspectors.ValidateKey(p.Inspector); err != nil {
		return wire.LogsResult{}, rpc.Errorf(rpc.CodeInvalidParams, "inspector: %v", err)
	}
	peer, err := a.agentOf(ctx, p.Host)
	if err != nil {
		return wire.LogsResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, controlTime)
	defer cancel()
	var answer *rpc.Error
	result, err := wire.AgentLogs.Call(ctx, peer, p.AgentLogsParams)
	switch {
	case err == nil:
		return result, nil
	case errors.As(err, &answer) && answer.Code == rpc.CodeMethodNotFound:
		return result, rpc.Errorf(wire.CodeConflict, "the agent of host %q is too old for this; install this version there", p.Host)
	case errors.As(err, &answer):
		return result, a.answered(p.Host, p.Inspector, answer)
	}
	return result, rpc.Errorf(wire.CodeConflict, "host %q did not answer: %v", p.Host, err)
}
