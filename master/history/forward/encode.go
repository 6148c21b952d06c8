package forward

import (
	"encoding/binary"
	"math"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
)

// maxEncodedSeries bounds the series whose labels are kept in encoded form.
// Beyond it they are all encoded again.
const maxEncodedSeries = 500_000

// Tags of the fields of a WriteRequest of remote write 1.0, each a number and a
// wire type of Protocol Buffers.
const (
	tagTimeSeries = 1<<3 | 2 // WriteRequest.timeseries
	tagLabel      = 1<<3 | 2 // TimeSeries.labels
	tagSample     = 2<<3 | 2 // TimeSeries.samples
	tagName       = 1<<3 | 2 // Label.name
	tagText       = 2<<3 | 2 // Label.value
	tagValue      = 1<<3 | 1 // Sample.value
	tagTimestamp  = 2 << 3   // Sample.timestamp, of wire type 0
)

// encoder makes the bodies of requests. It writes them by hand and encodes the labels of a
// series once, because every sample is encoded before it is acknowledged. One goroutine
// uses it at a time.
type encoder struct {
	extra  map[string]string // labels for every series
	series map[labels.Labels]*encodedSeries
	round  uint64
	order  []*encodedSeries // of the request being made
	raw    []byte
}

type encodedSeries struct {
	labels  []byte
	round   uint64 // of samples
	samples []byte
}

// encode returns the body of a request, which is the caller's.
func (e *encoder) encode(samples []Sample) []byte {
	e.round++
	e.order = e.order[:0]
	for i := range samples {
		s := &samples[i]
		series := e.series[s.Labels]
		if series == nil {
			series = e.add(s.Labels)
		}
		if series.round != e.round {
			series.round, series.samples = e.round, series.samples[:0]
			e.order = append(e.order, series)
		}
		series.samples = appendSample(series.samples, s.T, s.V)
	}
	e.raw = e.raw[:0]
	for _, series := range e.order {
		e.raw = append(e.raw, tagTimeSeries)
		e.raw = binary.AppendUvarint(e.raw, uint64(len(series.labels)+len(series.samples)))
		e.raw = append(append(e.raw, series.labels...), series.samples...)
	}
	return snappy.Encode(nil, e.raw)
}

func (e *encoder) add(own labels.Labels) *encodedSeries {
	if e.series == nil || len(e.series) >= maxEncodedSeries {
		e.series = make(map[labels.Labels]*encodedSeries)
	}
	all := own
	if len(e.extra) > 0 {
		b := labels.NewBuilder(own)
		for name, value := range e.extra {
			if !own.Has(name) {
				b.Set(name, value)
			}
		}
		all = b.Labels()
	}
	series := &encodedSeries{}
	all.Range(func(l labels.Label) { series.labels = appendLabel(series.labels, l) })
	e.series[own] = series
	return series
}

func appendLabel(b []byte, l labels.Label) []byte {
	size := 1 + uvarintBytes(uint64(len(l.Name))) + len(l.Name) + 1 + uvarintBytes(uint64(len(l.Value))) + len(l.Value)
	b = append(b, tagLabel)
	b = binary.AppendUvarint(b, uint64(size))
	b = append(b, tagName)
	b = binary.AppendUvarint(b, uint64(len(l.Name)))
	b = append(b, l.Name...)
	b = append(b, tagText)
	b = binary.AppendUvarint(b, uint64(len(l.Value)))
	return append(b, l.Value...)
}

func appendSample(b []byte, t int64, v float64) []byte {
	b = append(b, tagSample, byte(1+8+1+uvarintBytes(uint64(t))), tagValue)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	b = append(b, tagTimestamp)
	return binary.AppendUvarint(b, uint64(t)) // a negative one is ten bytes, as int64 is written
}

func uvarintBytes(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
