package agentcmd

import (
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/plugins"
)

// isolate makes the pool run scripts as the configuration says: under its user, without
// access to the agent's own files, and within the host's policy.
func isolate(c *config.Config) func(*plugins.PoolOptions) {
	return func(o *plugins.PoolOptions) {
		o.Policy = c.Agent.Policy.Needs()
		o.Policy.Secrets, o.Secret = c.Agent.SecretRules(), c.Agent.ReadSecret
		o.Sandbox = plugins.Sandbox{User: c.Agent.ScriptUser, Private: c.Private()}
	}
}
