package inspectors

import "context"

// Inspector measures one thing each time it is called.
//
// Inspect is called once an interval, from one goroutine at a time: if a run has
// not ended when the next is due, the next one counts as a missed tick; there is
// never a second run beside the first. It adds samples to r, which is valid until
// Inspect returns. It returns nil, or an error if the measurement could not be
// made. Samples that were added before an error are kept: a run can be partly
// good.
//
// ctx ends at the inspector's timeout. An Inspect that ignores ctx is cut off if
// the runtime can do so, and is reported as timed out in any case.
//
// State between runs may be kept in package variables of the inspector. It lasts
// until the inspector is replaced, times out, or its process is restarted.
type Inspector interface {
	Inspect(ctx context.Context, r *Report) error
}

// Func is an Inspector made of one function, the third of the shapes that an
// author may write.
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
