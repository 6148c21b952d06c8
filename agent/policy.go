package agent

import (
	"path/filepath"
	"slices"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// policyOf is what the master is told of the host's policy, so that it can say
// before a push who will refuse it. It is told only; the agent decides. A policy that
// is too long is not told.
func policyOf(p config.Policy, secrets map[string]inspectors.SecretRule) *wire.Policy {
	told := &wire.Policy{
		Net: p.Net, Connect: p.Connect, Unix: withLinks(p.Unix), Processes: p.Processes, FS: withLinks(p.FS), Exec: p.Exec, Plugins: p.Plugins,
	}
	for name, rule := range secrets {
		if told.Secrets == nil {
			told.Secrets = make(map[string]wire.SecretRule)
		}
		told.Secrets[name] = wire.SecretRule{For: rule.For, Signers: rule.Signers}
	}
	if told.Size() > wire.MaxPolicy {
		return nil
	}
	return told
}

// withLinks adds to paths what their links lead to: a script may name either.
func withLinks(paths []string) []string {
	all := slices.Clone(paths)
	for _, path := range paths {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			all = append(all, real)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
