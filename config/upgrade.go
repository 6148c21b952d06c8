package config

import (
	"time"

	"github.com/vedettehq/vedette/internal/signing"
)

// Upgrade says whether the master may make this host replace the agent's own
// program. It needs Agent.AcceptPushedInspectors too.
type Upgrade struct {
	// Allow allows a new program that is signed by one of Upgrade.Keys.
	Allow bool `yaml:"allow" default:"false"`
	// Keys are the public keys of releases, in the form that `vedette key` prints.
	Keys []string `yaml:"keys"`
	// Packaged allows it even if the program belongs to a package of the system,
	// whose records then no longer match.
	Packaged bool `yaml:"packaged" default:"false"`
	// Within is how long a new program may take until the master has a report from
	// it. Otherwise the host goes back to the previous program.
	Within time.Duration `yaml:"within" default:"1m" min:"1s" max:"10m"`
}

// upgrade checks the keys of releases.
func (l *loader) upgrade() {
	u := l.c.Agent.Upgrade
	for i, text := range u.Keys {
		_, err := signing.ParsePublic(text)
		l.check(err != nil, l.entry("agent.upgrade.keys", i), "%s is not a public key: %v; write it as `vedette key` prints it, %sBASE64", quote(text), err,
			signing.Prefix)
	}
	l.check(u.Allow && len(u.Keys) == 0, "agent.upgrade.allow", "there are no keys; name those of the releases that may run here in agent.upgrade.keys")
}
