package schedule

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Runner is what runs inspectors for the agent: a plugins.Pool, or one in the
// agent's own process in tests and simulations. All of its methods may be
// called at the same time, but never two of Load and Unload for one name, and
// never two runs of one name.
type Runner interface {
	// Load makes the definition's code the one that Run runs under its name. The new
	// code is ready before what had that name stops; on an error that stays as it was.
	// An error that wraps plugins.ErrUnavailable is not the fault of the code: the
	// agent tries again. It also tries again, more slowly, after one that wraps
	// plugins.ErrTimeout. Any other error stands until the definition changes. Load
	// returns soon after ctx ends.
	Load(ctx context.Context, d inspectors.Definition) error
	// Unload forgets the name. A run that is going on ends in any outcome.
	Unload(name string)
	// Run runs each job once, all of them beside each other as far as the
	// runner can, and calls done once for each, one call at a time, as soon as
	// it has ended. It returns when it has called done for all of them, soon
	// after ctx has ended. Agents call it while earlier calls are going on.
	Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome))
}
