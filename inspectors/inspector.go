package inspectors

import "context"

// Inspector measures one thing each time it is called.
//
// Inspect is called once an interval, from one goroutine at a time: a run that
// is still going when the next is due makes the next one a missed tick, never
// a second run beside the first. It adds samples to r, which is valid until it
// returns, and returns nil, or an error when the measurement could not be made.
// What was added before an error is kept: a run can be partly good.
//
// ctx ends at the inspector's timeout. An Inspect that ignores ctx is cut off
// where the runtime can do it, and is reported as timed out in any case.
//
// State between runs may live in package variables of the inspector. It lasts
// until the inspector is replaced, times out, or its process is restarted.
type Inspector interface {
	Inspect(ctx context.Context, r *Report) error
}

// Func is an Inspector made of one function, the third of the shapes an author
// may write.
type Func func(ctx context.Context, r *Report) error

// Inspect calls f.
func (f Func) Inspect(ctx context.Context, r *Report) error { return f(ctx, r) }

// Value makes an Inspector of a function that yields one number, the second of
// the shapes an author may write. The number is a gauge under the inspector's
// own name.
func Value(f func(ctx context.Context) (float64, error)) Inspector {
	return Func(func(ctx context.Context, r *Report) error {
		v, err := f(ctx)
		if err != nil {
			return err
		}
		r.Gauge("", v)
		return nil
	})
}
