package agent

import (
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// isolator is a Runner that knows how it isolates scripts from their host.
type isolator interface {
	Isolation() plugins.Isolation
}

// isolationOf returns how a runner isolates scripts, or nil if it does not know or
// has not run one yet.
func isolationOf(r schedule.Runner) *wire.Isolation {
	i, ok := r.(isolator)
	if !ok {
		return nil
	}
	told := i.Isolation()
	if len(told.Layers)+len(told.Missing) == 0 {
		return nil
	}
	result := &wire.Isolation{Layers: told.Layers}
	for _, m := range told.Missing {
		result.Missing = append(result.Missing, wire.MissingLayer{Layer: m.Layer, Reason: m.Reason})
	}
	return result
}
