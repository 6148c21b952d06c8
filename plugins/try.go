package plugins

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Try runs an inspector once, for at most a minute, and prints its samples and its errors,
// so that a plugin can show what its configuration yields. It returns the status to exit
// with.
func Try(name string, inspect func(context.Context, *inspectors.Report) error, out, faults io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := inspectors.NewReport(name, time.Now())
	err := inspect(ctx, r)
	for _, sample := range r.Samples() {
		fmt.Fprintf(out, "%s%s %v\n", sample.Key, sample.Labels, sample.Value)
	}
	status := 0
	for _, err := range []error{err, r.Err()} {
		if err != nil {
			fmt.Fprintln(faults, err)
			status = 1
		}
	}
	return status
}
