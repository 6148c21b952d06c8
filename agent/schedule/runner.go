package schedule

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Runner runs inspectors for the agent: a plugins.Pool, or in tests and
// simulations a runner in the agent's own process. All of its methods may be
// called at the same time, except for these: calls of Load and Unload for one name
// do not overlap, and neither do runs of one name.
type Runner interface {
	// Load makes the definition's code the one that Run runs under its name. The
	// new code is ready before the old code of that name stops; after an error the
	// old code stays. An error that wraps plugins.ErrUnavailable is not the fault
	// of the code: the agent tries again. It also tries again, less often, after
	// one that wraps plugins.ErrTimeout. Any other error stands until the
	// definition changes. Load returns soon after ctx ends.
	Load(ctx context.Context, d inspectors.Definition) error
	// Unload forgets the name. The outcome of a current run does not matter.
	Unload(name string)
	// Run runs each job once, all at the same time as far as the runner can. It
	// calls done once for each job as soon as that has ended, one call at a time.
	// It returns when it has called done for all of them, which is soon after ctx
	// has ended. Agents call it while earlier calls are still running.
	Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome))
}
