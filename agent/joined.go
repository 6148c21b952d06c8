package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"

	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
)

// joined reads how the host has joined its master, and returns how to connect to
// that master. It returns nil if the host has a token instead, or needs neither.
func joined(log *slog.Logger, cfg *config.Agent) (*member.Member, *tls.Config, error) {
	known, err := member.Load(cfg.Data, cfg.CA)
	if err != nil {
		return nil, nil, err
	}
	if known == nil || cfg.Token != "" {
		if known != nil {
			log.Warn("this host has joined, and has a token too; it shows the token", "joined_as", known.Host())
		}
		secure, err := rpc.TrustFile(cfg.CA)
		return nil, secure, err
	}
	if cfg.Host == "" {
		cfg.Host = known.Host()
	}
	if cfg.Host != known.Host() {
		return nil, nil, fmt.Errorf("this host has joined as %q, and agent.host is %q; set it to the former, or join again under the new name", known.Host(), cfg.Host)
	}
	if err := known.CheckURL(cfg.Master); err != nil {
		return nil, nil, err
	}
	return known, known.TLS(cfg.Master), nil
}

// runSession keeps connected to the master until ctx ends. An expired certificate
// is renewed first: the master accepts it for nothing else.
func (a *Agent) runSession(ctx context.Context) {
	if a.member != nil {
		a.member.Await(ctx, a.log)
	}
	a.session.run(ctx)
}
