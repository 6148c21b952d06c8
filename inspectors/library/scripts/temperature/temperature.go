// Package temperature reports the temperatures that the host's sensors
// measure. A host without sensors reports nothing.
//
//vedette:name temperature
//vedette:interval 10s
package temperature

import (
	"context"
	"strconv"

	"github.com/shirou/gopsutil/v3/host"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	// The error is about sensors that cannot be read; the others are valid.
	sensors, _ := host.SensorsTemperaturesWithContext(ctx)
	seen := map[string]int{}
	for _, s := range sensors {
		if s.Temperature < -100 || s.Temperature > 250 {
			continue // a sensor that is not connected
		}
		name := s.SensorKey
		seen[name]++
		if n := seen[name]; n > 1 {
			name += "_" + strconv.Itoa(n)
		}
		r.Gauge("celsius", s.Temperature, "sensor", name)
	}
	return nil
}
