package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Maintain asks the master to tell nobody of the alerts of this host for a time, or ends
// that. It shows what the host's agent shows, so it is for this host only, and the agent
// need not run. The host of params is filled in.
func Maintain(ctx context.Context, log *slog.Logger, cfg config.Agent, params wire.SelfMaintenanceParams) (wire.SelfMaintenanceResult, error) {
	var none wire.SelfMaintenanceResult
	_, tlsConfig, err := joined(log, &cfg)
	if errors.Is(err, fs.ErrPermission) {
		return none, fmt.Errorf("cannot read how this host has joined; run this as the user that runs the agent: %w", err)
	}
	if err != nil {
		return none, err
	}
	if params.Hostname, err = hostName(log, cfg.Host); err != nil {
		return none, err
	}
	peer, err := rpc.Dial(ctx, cfg.Master, dialOptions(log, &cfg, tlsConfig))
	if err != nil {
		return none, fmt.Errorf("cannot connect to the master %q: %w", cfg.Master, err)
	}
	defer func() { _ = peer.Close(rpc.CloseNormal, "") }()
	result, err := wire.MasterMaintenance.Call(ctx, peer, params)
	if answer, ok := errors.AsType[*rpc.Error](err); ok {
		return none, fmt.Errorf("the master %q does not accept maintenance of the host %q: %s", cfg.Master, params.Hostname, answer.Message)
	}
	if err != nil {
		return none, fmt.Errorf("cannot ask the master %q for maintenance of the host %q: %w", cfg.Master, params.Hostname, err)
	}
	return result, nil
}

// dialOptions are how a host connects to its master.
func dialOptions(log *slog.Logger, cfg *config.Agent, tlsConfig *tls.Config) rpc.DialOptions {
	header := http.Header{}
	if cfg.Token != "" {
		header.Set("Authorization", "Bearer "+cfg.Token)
	}
	dial := rpc.DialOptions{Header: header, TLS: tlsConfig}
	dial.Log = log
	return dial
}
