package inspectors

import "context"

type shownKey struct{}

// WithShown makes the context of a run whose samples are only shown, and not kept:
// one of those between the ticks of an inspector, while somebody watches.
func WithShown(ctx context.Context) context.Context {
	return context.WithValue(ctx, shownKey{}, true)
}

// Shown reports whether the samples of a run are only shown. What an inspector
// remembers from run to run must not change by such a run.
func Shown(ctx context.Context) bool { return ctx.Value(shownKey{}) != nil }
