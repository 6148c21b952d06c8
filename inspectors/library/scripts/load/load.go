// Package load reports the load averages of five and fifteen minutes. The average
// of one minute has a separate inspector, load/average-1.
//
//vedette:name load
//vedette:interval 1s
package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	text, err := os.ReadFile(proc("loadavg"))
	if err != nil {
		return err
	}
	var one, five, fifteen float64
	if _, err := fmt.Sscanf(string(text), "%g %g %g", &one, &five, &fifteen); err != nil {
		return fmt.Errorf("cannot read %q: %w", text, err)
	}
	r.Gauge("average-5", five)
	r.Gauge("average-15", fifteen)
	return nil
}

func proc(name string) string {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(root, name)
}
