// Package valuecontext yields one number and takes the context: 1 where the
// context has a deadline.
package valuecontext

import "context"

func Inspect(ctx context.Context) (float64, error) {
	if _, ok := ctx.Deadline(); ok {
		return 1, nil
	}
	return 0, nil
}
