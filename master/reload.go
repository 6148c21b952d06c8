package master

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/master/twopersons"
)

// certificate is the one that the master shows, or nil without TLS. It may change
// while the master runs.
type certificate struct {
	now atomic.Pointer[tls.Certificate]
}

func (c *certificate) load(files config.TLS) error {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return fmt.Errorf("cannot use the certificate %q with the key %q: %w", files.Cert, files.Key, err)
	}
	c.now.Store(&pair)
	return nil
}

// Reload takes over the tokens of a configuration, its alerts, which changes need a
// second person, which roles people of the provider have, and the certificate
// with the present content of its files. Connections with a credential that is no
// longer valid are closed. After an error nothing has changed.
func (m *Master) Reload(cfg config.Master) error {
	if (cfg.TLS.Cert == "") != (m.cfg.TLS.Cert == "") || cfg.TLS.Own != m.cfg.TLS.Own {
		return errors.New("cannot go from TLS to none, or from none to TLS, or to another kind of certificate, while the master runs; start it again")
	}
	var fresh certificate
	if cfg.TLS.Cert != "" {
		if err := fresh.load(cfg.TLS); err != nil {
			return err
		}
	}
	rule, err := twopersons.New(cfg.TwoPersons)
	if err != nil {
		return err
	}
	if err := oidc.CheckRoles(cfg.OIDC.Roles); err != nil {
		return err
	}
	keep := m.auth.Open() && len(cfg.Tokens) == 0 // its key stays
	if !keep {
		if err := m.auth.CheckTokens(cfg.Tokens); err != nil {
			return err
		}
	}
	if err := m.alerts.Reload(cfg.Alerts); err != nil {
		return err
	}
	if !keep {
		if err := m.auth.SetTokens(cfg.Tokens); err != nil {
			return err
		}
	}
	if cfg.TLS.Cert != "" {
		m.certificate.now.Store(fresh.now.Load())
	}
	if m.oidc != nil && cfg.OIDC.On() {
		m.oidc.SetRoles(cfg.OIDC.Roles)
		if err := m.regrant(context.Background()); err != nil {
			return err
		}
	}
	m.cutRevoked("of credentials that are not good any more")
	return m.catalog.SetTwoPersons(context.Background(), rule)
}

// regrant gives people of the provider the roles that are for their groups now.
func (m *Master) regrant(ctx context.Context) error {
	return m.users.Regrant(ctx, m.oidc.Grant, m.oidc.Gives)
}
