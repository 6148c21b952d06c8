package agent

import (
	"path/filepath"
	"slices"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// policyOf returns the part of the host's policy that the master is told, so that
// it can say before a push which hosts will refuse it. The agent alone decides. A
// policy that is too long is left out.
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

// withLinks adds the targets of links to paths, because a script may use either.
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
