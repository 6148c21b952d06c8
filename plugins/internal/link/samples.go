package link

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// errColumns says that the samples of a result cannot be read.
var errColumns = errors.New("the columns of the samples do not fit together")

// EncodeSamples writes the samples of one run of the named inspector. It returns
// nil if there are none.
func EncodeSamples(name string, samples []inspectors.Sample) *pb.Samples {
	if len(samples) == 0 {
		return nil
	}
	out := &pb.Samples{
		Names:  make([]string, len(samples)),
		Values: make([]float64, len(samples)),
	}
	for i := range samples {
		s := &samples[i]
		out.Names[i] = strings.TrimPrefix(strings.TrimPrefix(s.Key, name), "/")
		out.Values[i] = s.Value
		if s.Kind == inspectors.Counter {
			if out.Kinds == nil {
				out.Kinds = make([]pb.Kind, len(samples))
			}
			out.Kinds[i] = pb.Kind_KIND_COUNTER
		}
		if len(s.Labels) > 0 {
			if out.LabelCounts == nil {
				out.LabelCounts = make([]uint32, len(samples))
			}
			out.LabelCounts[i] = uint32(len(s.Labels))
			for _, l := range s.Labels {
				out.Labels = append(out.Labels, l.Name, l.Value)
			}
		}
	}
	return out
}

// DecodeSamples reads the samples of one run. It trusts nothing: samples that
// break a rule of package inspectors are refused, as if the author had added them
// here, and so are samples that have a secret; see inspectors.Guard.
func DecodeSamples(name string, start time.Time, in *pb.Samples, secret func(string) string) ([]inspectors.Sample, error) {
	if in == nil {
		return nil, nil
	}
	n := len(in.Names)
	if len(in.Values) != n || in.Kinds != nil && len(in.Kinds) != n || in.LabelCounts != nil && len(in.LabelCounts) != n {
		return nil, fmt.Errorf("%w: %d names, %d values, %d kinds, %d label counts",
			errColumns, n, len(in.Values), len(in.Kinds), len(in.LabelCounts))
	}
	report := inspectors.NewReport(name, start)
	inspectors.Received(report)
	inspectors.Guard(report, secret)
	rest := in.Labels
	for i := range n {
		var labels []string
		if in.LabelCounts != nil {
			count := uint64(in.LabelCounts[i]) * 2
			if count > uint64(len(rest)) {
				return report.Samples(), fmt.Errorf("%w: more labels are counted than given", errColumns)
			}
			labels, rest = rest[:count], rest[count:]
		}
		if in.Kinds != nil && in.Kinds[i] == pb.Kind_KIND_COUNTER {
			report.Counter(in.Names[i], in.Values[i], labels...)
		} else {
			report.Gauge(in.Names[i], in.Values[i], labels...)
		}
	}
	if len(rest) > 0 {
		return report.Samples(), fmt.Errorf("%w: %d labels belong to no sample", errColumns, len(rest)/2)
	}
	return report.Samples(), report.Err()
}
