package delivery

import (
	"math"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// PackLive makes a message from as many samples as would fit into a report, with
// the declarations of their series, and returns the rest.
func PackLive(samples []inspectors.Sample) (*wire.LiveParams, []inspectors.Sample) {
	var table seriesTable
	p, bytes := &wire.LiveParams{}, int64(0)
	for len(samples) > 0 && bytes < maxReportBytes {
		sample := &samples[0]
		samples = samples[1:]
		if math.IsNaN(sample.Value) || math.IsInf(sample.Value, 0) {
			continue // a runner should not let one through, and no codec could carry it
		}
		s, isNew := table.get(sample)
		if isNew {
			s.id = uint32(len(p.Series) + 1)
			p.Series = append(p.Series, s.declaration())
			bytes += s.bytes
		}
		p.T, p.S, p.V = append(p.T, sample.Time.UnixMilli()), append(p.S, s.id), append(p.V, sample.Value)
		bytes += sampleBytes
	}
	return p, samples
}
