// Package uptime reports how long ago the host was started.
//
//vedette:name uptime
//vedette:interval 10s
package uptime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	text, err := os.ReadFile(filepath.Join(root, "uptime"))
	if err != nil {
		return err
	}
	var seconds float64
	if _, err := fmt.Sscan(string(text), &seconds); err != nil {
		return fmt.Errorf("cannot read %q: %w", text, err)
	}
	r.Gauge("seconds", seconds)
	return nil
}
