package history

import "errors"

// Reasons for refusing a sample, for counting.
const (
	RefusedEarly    = "early"    // it is from the future
	RefusedLate     = "late"     // it is too old
	RefusedConflict = "conflict" // another value is stored for its time
	RefusedLimit    = "limit"    // it is of a series beyond a limit
	RefusedOther    = "other"
)

// refusal says why a sample was refused, in words and for counting.
type refusal struct {
	kind string
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// RefusedFor returns the reason in the error of a Result.
func RefusedFor(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.kind
	}
	return RefusedOther
}
