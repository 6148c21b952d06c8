package receive

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"google.golang.org/protobuf/encoding/protowire"
)

// A request of remote write that would take far more memory than it has bytes is refused
// before it does.
func TestPartsOfRemoteWrite(t *testing.T) {
	field := func(number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
	}
	empty := func(number protowire.Number) []byte { return bytes.Repeat(field(number, nil), MaxParts+1) }
	for name, raw := range map[string][]byte{
		"series":    empty(1),
		"metadata":  empty(3),
		"unknown":   empty(77),
		"labels":    field(1, empty(1)),
		"samples":   field(1, empty(2)),
		"exemplars": field(1, empty(3)),
		"theirs":    field(1, field(3, empty(1))),
		"spans":     field(1, field(4, empty(8))),
		"buckets":   field(1, field(4, field(13, make([]byte, 9*MaxParts)))),
		"deltas":    field(1, field(4, field(9, make([]byte, 9*MaxParts)))),
		"one by one": field(1, field(4, bytes.Repeat(protowire.AppendVarint(protowire.AppendTag(nil, 12, protowire.VarintType), 1),
			8*MaxParts+8))),
	} {
		h := Handler{Memory: NewMemory(), Take: func([]Series) (Result, error) {
			t.Errorf("%s: it was taken", name)
			return Result{}, nil
		}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(snappy.Encode(nil, raw))))
		if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "send smaller batches") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
}

// The parts that are counted on the wire are those that there are.
func TestPartsAreCounted(t *testing.T) {
	for range 200 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		parts := 0
		some := func(most int, add func()) {
			for range r.IntN(most + 1) {
				parts++
				add()
			}
		}
		labels := func(to *[]prompb.Label) {
			some(4, func() {
				parts += 2 // the name and the value
				*to = append(*to, prompb.Label{Name: "n" + strings.Repeat("x", r.IntN(200)), Value: "v"})
			})
		}
		var request prompb.WriteRequest
		some(5, func() {
			var s prompb.TimeSeries
			labels(&s.Labels)
			some(4, func() { s.Samples = append(s.Samples, prompb.Sample{Value: r.Float64(), Timestamp: r.Int64()}) })
			some(2, func() {
				e := prompb.Exemplar{Value: 1}
				labels(&e.Labels)
				s.Exemplars = append(s.Exemplars, e)
			})
			some(2, func() {
				h := prompb.Histogram{Sum: 1}
				some(3, func() { h.PositiveSpans = append(h.PositiveSpans, prompb.BucketSpan{Length: 3}) })
				if n := r.IntN(40); n > 0 {
					parts += 1 + n
					h.PositiveCounts = make([]float64, n)
				}
				s.Histograms = append(s.Histograms, h)
			})
			request.Timeseries = append(request.Timeseries, s)
		})
		raw, err := request.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		counted := 0
		if err := countParts(raw, remoteRequest, remoteField, &counted, protowire.DefaultRecursionLimit); err != nil || counted != parts {
			t.Fatalf("seed %d: %d parts were counted (%v), of %d in %v", seed, counted, err, parts, request)
		}
	}
}
