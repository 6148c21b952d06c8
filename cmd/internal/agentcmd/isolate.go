package agentcmd

import (
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/plugins"
)

// isolate has the pool run scripts as the configuration says: under which user,
// without sight of what is the agent's own, and within the host's policy.
func isolate(c *config.Config) func(*plugins.PoolOptions) {
	return func(o *plugins.PoolOptions) {
		o.Policy = c.Agent.Policy.Needs()
		o.Policy.Secrets, o.Secret = c.Agent.SecretRules(), c.Agent.ReadSecret
		o.Sandbox = plugins.Sandbox{User: c.Agent.ScriptUser, Private: c.Private()}
	}
}
