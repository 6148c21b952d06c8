// Package load reports the load averages of five and fifteen minutes, and the
// tasks (threads) of this moment. That of one minute is an inspector of its
// own, load/average-1.
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
	var one, five, fifteen, running, tasks float64
	if _, err := fmt.Sscanf(string(text), "%g %g %g %g/%g", &one, &five, &fifteen, &running, &tasks); err != nil {
		return fmt.Errorf("cannot read %q: %w", text, err)
	}
	r.Gauge("average-5", five)
	r.Gauge("average-15", fifteen)
	r.Gauge("running_tasks", running)
	r.Gauge("tasks", tasks)
	return nil
}

func proc(name string) string {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(root, name)
}
