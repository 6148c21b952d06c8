// Package systemd counts the units of systemd that have failed, and names them.
// The host's configuration lists the program under agent.policy.exec.
//
//vedette:name systemd
//vedette:interval 30s
//vedette:timeout 10s
//vedette:needs exec:/usr/bin/systemctl
//vedette:alert failed warning unit_failed > 0 for 5m "{{ $labels.unit }} of {{ $labels.host }} has failed"
package systemd

import (
	"context"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// Inspect reports how many units have failed, and 1 for each of them.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	out, err := inspectors.Exec(ctx, "/usr/bin/systemctl", "list-units", "--state=failed", "--all", "--plain", "--no-legend", "--no-pager")
	if err != nil {
		return err
	}
	failed := 0
	for _, line := range strings.Split(string(out), "\n") {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "●"))
		if len(fields) < 3 || fields[2] != "failed" {
			continue
		}
		failed++
		r.Gauge("unit_failed", 1, "unit", fields[0])
	}
	r.Gauge("failed_units", float64(failed))
	return nil
}
