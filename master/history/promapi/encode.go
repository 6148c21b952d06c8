package promapi

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/stats"
)

// The results of queries are written by hand: encoding/json takes four times as
// long for them, and they are large.

// encodeResult writes {"resultType":…,"result":…,"stats":…}, the last only if there are
// any. It gives up when ctx ends.
func encodeResult(ctx context.Context, value parser.Value, statistics stats.QueryStats) ([]byte, error) {
	b := append([]byte(`{"resultType":"`), value.Type()...)
	b = append(b, `","result":`...)
	switch value := value.(type) {
	case promql.Matrix:
		var err error
		if b, err = appendMatrix(ctx, b, value); err != nil {
			return nil, err
		}
	case promql.Vector:
		b = appendVector(b, value)
	default: // Scalar and String know their form.
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	if statistics != nil {
		text, err := json.Marshal(statistics)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"stats":`...), text...)
	}
	return append(b, '}'), nil
}

func appendVector(b []byte, vector promql.Vector) []byte {
	b = append(b, '[')
	for i, sample := range vector {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"metric":`...)
		b = appendLabels(b, sample.Metric)
		if sample.H == nil {
			b = append(b, `,"value":`...)
			b = appendPoint(b, sample.T, sample.F)
		} else {
			b = append(b, `,"histogram":`...)
			b = appendHistogramPoint(b, sample.T, sample.H)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendMatrix(ctx context.Context, b []byte, matrix promql.Matrix) ([]byte, error) {
	b = append(b, '[')
	for i, series := range matrix {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"metric":`...)
		b = appendLabels(b, series.Metric)
		for i, p := range series.Floats {
			if i == 0 {
				b = append(b, `,"values":[`...)
			} else {
				b = append(b, ',')
			}
			b = appendPoint(b, p.T, p.F)
		}
		if len(series.Floats) > 0 {
			b = append(b, ']')
		}
		for i, p := range series.Histograms {
			if i == 0 {
				b = append(b, `,"histograms":[`...)
			} else {
				b = append(b, ',')
			}
			b = appendHistogramPoint(b, p.T, p.H)
		}
		if len(series.Histograms) > 0 {
			b = append(b, ']')
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendPoint writes [seconds,"value"].
func appendPoint(b []byte, t int64, v float64) []byte {
	b = append(b, '[')
	b = appendTime(b, t)
	b = append(b, ',')
	b = appendValue(b, v)
	return append(b, ']')
}

// appendTime writes milliseconds as seconds.
func appendTime(b []byte, ms int64) []byte {
	if ms < 0 {
		b = append(b, '-')
		ms = -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}

// appendValue writes a number in quotes: JSON has no NaN and no infinity.
func appendValue(b []byte, v float64) []byte {
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = append(b, '"')
	b = strconv.AppendFloat(b, v, format, -1, 64)
	return append(b, '"')
}

func appendLabels(b []byte, lset labels.Labels) []byte {
	b = append(b, '{')
	first := true
	lset.Range(func(l labels.Label) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, l.Name)
		b = append(b, ':')
		b = appendString(b, l.Value)
	})
	return append(b, '}')
}

// appendString writes a JSON string (RFC 8259, section 7). Bytes that are not UTF-8 are
// shown as U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&0xf])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}

// Which ends of a bucket belong to it.
const (
	endsUpper = iota
	endsLower
	endsNeither
	endsBoth
)

// appendHistogramPoint writes [seconds,{"count":…,"sum":…,"buckets":[[ends,
// lower,upper,count]…]}], without the empty buckets.
func appendHistogramPoint(b []byte, t int64, h *histogram.FloatHistogram) []byte {
	b = append(b, '[')
	b = appendTime(b, t)
	b = append(b, `,{"count":`...)
	b = appendValue(b, h.Count)
	b = append(b, `,"sum":`...)
	b = appendValue(b, h.Sum)
	found := false
	for it := h.AllBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count == 0 {
			continue
		}
		if found {
			b = append(b, ',')
		} else {
			b = append(b, `,"buckets":[`...)
			found = true
		}
		ends := endsNeither
		switch {
		case bucket.LowerInclusive && bucket.UpperInclusive:
			ends = endsBoth
		case bucket.LowerInclusive:
			ends = endsLower
		case bucket.UpperInclusive:
			ends = endsUpper
		}
		b = append(b, '[', byte('0'+ends), ',')
		b = appendValue(b, bucket.Lower)
		b = append(b, ',')
		b = appendValue(b, bucket.Upper)
		b = append(b, ',')
		b = appendValue(b, bucket.Count)
		b = append(b, ']')
	}
	if found {
		b = append(b, ']')
	}
	return append(b, "}]"...)
}
