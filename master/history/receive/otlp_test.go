package receive

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

// otlpExample has one metric of each kind. It is what a service of the SDK sends.
func otlpExample() *metricspb.MetricsData {
	const at = 1_700_000_000_000_000_000
	point := func(v float64, attributes ...*commonpb.KeyValue) []*metricspb.NumberDataPoint {
		return []*metricspb.NumberDataPoint{{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: v}, Attributes: attributes}}
	}
	sum := 1.5
	return &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{
			text("service.name", "shop"), text("service.namespace", "web"), text("service.instance.id", "one"), text("host.name", "web-1"),
			text("os.type", "linux"),
		}},
		ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: []*metricspb.Metric{
			{Name: "memory.used", Unit: "By", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: point(7, text("a.b", "x"), text("a_b", "y"))}}},
			{Name: "requests", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{
				DataPoints:  []*metricspb.NumberDataPoint{{TimeUnixNano: at, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 3}}},
				IsMonotonic: true, AggregationTemporality: cumulative,
			}}},
			{Name: "queue", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{DataPoints: point(2), AggregationTemporality: cumulative}}},
			{Name: "late", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{
				DataPoints: point(2), AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA,
			}}},
			{Name: "latency", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
				AggregationTemporality: cumulative, DataPoints: []*metricspb.HistogramDataPoint{{
					TimeUnixNano: at, Count: 6, Sum: &sum, ExplicitBounds: []float64{0.1, 1}, BucketCounts: []uint64{1, 2, 3},
				}},
			}}},
			{Name: "new", Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{
				DataPoints: []*metricspb.ExponentialHistogramDataPoint{{}, {}},
			}}},
			{Name: "old", Data: &metricspb.Metric_Summary{Summary: &metricspb.Summary{DataPoints: []*metricspb.SummaryDataPoint{{
				TimeUnixNano: at, Count: 2, Sum: 3, QuantileValues: []*metricspb.SummaryDataPoint_ValueAtQuantile{{Quantile: 0.5, Value: 1}},
			}}}}},
			{Name: "gone", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{{TimeUnixNano: at, Flags: 1}}}}},
		}}},
	}}}
}

// flat writes series as name{label="value"} value.
func flat(series []Series) (lines []string) {
	for _, s := range series {
		labels := slices.SortedFunc(slices.Values(s.Labels), func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
		text := ""
		for _, l := range labels {
			text += fmt.Sprintf(",%s=%q", l.Name, l.Value)
		}
		lines = append(lines, fmt.Sprintf("%s{%s} %v", s.Name, strings.TrimPrefix(text, ","), s.Points[0].V))
	}
	slices.Sort(lines)
	return lines
}

func TestConvertOTLP(t *testing.T) {
	var bad Result
	series := convertOTLP(otlpExample(), time.UnixMilli(5), &bad)
	const of = `host="web-1",instance="one",job="web/shop"`
	want := []string{
		`latency_seconds_bucket{` + of + `,le="+Inf"} 6`, `latency_seconds_bucket{` + of + `,le="0.1"} 1`, `latency_seconds_bucket{` + of + `,le="1"} 3`,
		`latency_seconds_count{` + of + `} 6`, `latency_seconds_sum{` + of + `} 1.5`,
		`memory_used_bytes{a_b="x;y",` + of + `} 7`, `requests_total{` + of + `} 3`, `queue{` + of + `} 2`,
		`old_count{` + of + `} 2`, `old_sum{` + of + `} 3`, `old{` + of + `,quantile="0.5"} 1`, `gone{` + of + `} NaN`,
		`target_info{` + of + `,os_type="linux"} 1`,
	}
	slices.Sort(want)
	if got := flat(series); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, s := range series {
		if s.Points[0].T != 1_700_000_000_000 {
			t.Errorf("%s is of %d", s.Name, s.Points[0].T)
		}
		if s.Name == "gone" && !value.IsStaleNaN(s.Points[0].V) {
			t.Error("a point without a value does not end its series")
		}
	}
	if !maps.Equal(bad.By, map[string]int{refusedDelta: 1, refusedHistogram: 2}) ||
		!strings.Contains(bad.Reason.Error(), `metric "late": delta temporality is not kept`) {
		t.Errorf("refused %v: %v", bad.By, bad.Reason)
	}
}

// otlpServer takes OTLP, and what it took.
func otlpServer(t *testing.T) (post func(contentType, coding string, body []byte) (int, []byte), took func() []string) {
	t.Helper()
	var last []Series
	h := &Handler{Log: slog.New(slog.DiscardHandler), Memory: NewMemory(), Take: func(series []Series) (Result, error) {
		last = series
		return Result{}, nil
	}}
	server := httptest.NewServer(http.HandlerFunc(h.ServeOTLP))
	t.Cleanup(server.Close)
	post = func(contentType, coding string, body []byte) (int, []byte) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Content-Encoding", coding)
		answer, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == http.StatusOK && answer.Header.Get("Content-Type") != contentType {
			t.Errorf("%s is answered by %s", contentType, answer.Header.Get("Content-Type"))
		}
		return answer.StatusCode, text
	}
	return post, func() []string { return flat(last) }
}

func zipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Both forms say the same, and what is refused is told in the form of the request.
func TestServeOTLP(t *testing.T) {
	post, took := otlpServer(t)
	binary, err := proto.Marshal(otlpExample())
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := protojson.Marshal(otlpExample())
	if err != nil {
		t.Fatal(err)
	}
	status, answer := post(otlpProto, "gzip", zipped(t, binary))
	first := took()
	if status != http.StatusOK || !bytes.Contains(answer, []byte("refused points: 3 (histogram 2, delta 1)")) || len(first) != 13 {
		t.Errorf("%d %q, %d series", status, answer, len(first))
	}
	status, answer = post(otlpJSON, "", asJSON)
	var told struct {
		PartialSuccess struct{ RejectedDataPoints, ErrorMessage string }
	}
	err = json.Unmarshal(answer, &told)
	if err != nil || status != http.StatusOK || told.PartialSuccess.RejectedDataPoints != "3" || !slices.Equal(took(), first) {
		t.Errorf("%d %q %v", status, answer, err)
	}
	if status, answer := post(otlpProto, "", nil); status != http.StatusOK || len(answer) > 0 {
		t.Errorf("an empty request: %d %q", status, answer)
	}
	// As the collector writes it: numbers as text, kinds as numbers, ids in hex.
	const collector = `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeMetrics":[{"scope":{},
		"metrics":[{"name":"n","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asInt":"5","timeUnixNano":"1700000000000000000",
		"exemplars":[{"asInt":"1","traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}}],"future":1}]}]}`
	if status, answer := post(otlpJSON, "", []byte(collector)); status != http.StatusOK || !slices.Equal(took(), []string{`n_total{job="s"} 5`}) {
		t.Errorf("%d %q, took %q", status, answer, took())
	}
	for _, tt := range []struct {
		contentType, coding string
		body                []byte
		status              int
		says                string
	}{
		{"text/plain", "", nil, http.StatusUnsupportedMediaType, "send application/x-protobuf or application/json"},
		{otlpProto, "br", nil, http.StatusUnsupportedMediaType, `"br" is not taken; send gzip`},
		{otlpProto, "", []byte{0xff, 0xff}, http.StatusBadRequest, "that is no OTLP in protobuf"},
		{otlpJSON, "", []byte("{"), http.StatusBadRequest, "that is no OTLP in JSON"},
		{otlpProto, "gzip", []byte("x"), http.StatusBadRequest, "cannot read the request"},
		{otlpProto, "gzip", zipped(t, make([]byte, MaxUnpackedBytes+1)), http.StatusRequestEntityTooLarge, "it is larger than"},
		{otlpProto, "gzip", zipped(t, bytes.Repeat([]byte{10, 0}, MaxParts+1)), http.StatusRequestEntityTooLarge, "send smaller batches"},
		{otlpJSON, "", []byte(`{"resourceMetrics":[` + strings.Repeat("{},", MaxParts) + `{}]}`), http.StatusRequestEntityTooLarge, "send smaller batches"},
	} {
		if status, answer := post(tt.contentType, tt.coding, tt.body); status != tt.status || !strings.Contains(string(answer), tt.says) {
			t.Errorf("%s, %s: %d %q, want %d %q", tt.contentType, tt.coding, status, answer, tt.status, tt.says)
		}
	}
}

// Random batches are read in both forms alike, and what comes out is bounded.
func TestOTLPRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 3))
	for range 200 {
		batch := randomOTLP(rng)
		binary, err := proto.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := protojson.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		var bads [2]Result
		var got [2][]string
		for i, media := range []string{otlpProto, otlpJSON} {
			read, err := parseOTLP([][]byte{binary, asJSON}[i], media)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, media, err)
			}
			got[i] = flat(convertOTLP(read, time.UnixMilli(1), &bads[i]))
		}
		if !slices.Equal(got[0], got[1]) || !maps.Equal(bads[0].By, bads[1].By) {
			t.Fatalf("seed %d:\n%v\n%v", seed, got[0], got[1])
		}
	}
}

func randomOTLP(rng *rand.Rand) *metricspb.MetricsData {
	attributes := func() (list []*commonpb.KeyValue) {
		for range rng.IntN(4) {
			key := []string{"", "a", "a.b", "_", "1", "host.name", "service.name", "é", "le"}[rng.IntN(9)]
			list = append(list, text(key, []string{"", "x", "<b>", "\n"}[rng.IntN(4)]))
		}
		return list
	}
	numbers := func() (list []*metricspb.NumberDataPoint) {
		for range rng.IntN(4) {
			p := &metricspb.NumberDataPoint{TimeUnixNano: rng.Uint64(), Flags: uint32(rng.IntN(2)), Attributes: attributes()}
			switch rng.IntN(3) {
			case 0:
				p.Value = &metricspb.NumberDataPoint_AsInt{AsInt: rng.Int64()}
			case 1:
				p.Value = &metricspb.NumberDataPoint_AsDouble{AsDouble: []float64{rng.NormFloat64(), math.Inf(1), math.NaN()}[rng.IntN(3)]}
			}
			list = append(list, p)
		}
		return list
	}
	batch := &metricspb.MetricsData{}
	for range rng.IntN(3) {
		scope := &metricspb.ScopeMetrics{}
		for range rng.IntN(5) {
			m := &metricspb.Metric{Name: []string{"", "x.y", "é", "a_total", "9"}[rng.IntN(5)], Unit: []string{"", "s", "By/s", "1", "{x}"}[rng.IntN(5)]}
			switch rng.IntN(4) {
			case 0:
				m.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: numbers()}}
			case 1:
				m.Data = &metricspb.Metric_Sum{Sum: &metricspb.Sum{
					DataPoints: numbers(), IsMonotonic: rng.IntN(2) == 0, AggregationTemporality: metricspb.AggregationTemporality(rng.IntN(3)),
				}}
			case 2:
				point := &metricspb.HistogramDataPoint{
					Count: rng.Uint64(), Attributes: attributes(),
					ExplicitBounds: []float64{1, rng.NormFloat64()}[:rng.IntN(3)], BucketCounts: []uint64{1, 2, 3}[:rng.IntN(4)],
				}
				m.Data = &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
					AggregationTemporality: cumulative, DataPoints: []*metricspb.HistogramDataPoint{point},
				}}
			}
			scope.Metrics = append(scope.Metrics, m)
		}
		batch.ResourceMetrics = append(batch.ResourceMetrics, &metricspb.ResourceMetrics{
			Resource: &resourcepb.Resource{Attributes: attributes()}, ScopeMetrics: []*metricspb.ScopeMetrics{scope},
		})
	}
	return batch
}

// A small request that would become very many labels takes no more memory than the bound
// says.
func TestOTLPAmplification(t *testing.T) {
	var attributes []*commonpb.KeyValue
	for i := range maxAttributes {
		attributes = append(attributes, text(fmt.Sprintf("k%d", i), "v"))
	}
	bounds := make([]float64, 200_000)
	for i := range bounds {
		bounds[i] = float64(i)
	}
	point := &metricspb.HistogramDataPoint{Attributes: attributes, ExplicitBounds: bounds, BucketCounts: make([]uint64, len(bounds)+1)}
	metric := &metricspb.Metric{Name: "x", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
		AggregationTemporality: cumulative, DataPoints: []*metricspb.HistogramDataPoint{point},
	}}}
	scope := &metricspb.ScopeMetrics{Metrics: []*metricspb.Metric{metric}}
	batch := &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{scope}}}}
	var bad Result
	series := convertOTLP(batch, time.UnixMilli(1), &bad)
	labels := 0
	for i := range series {
		labels += len(series[i].Labels)
	}
	if labels > maxOTLPLabels || bad.By[refusedPoint] == 0 || bad.By[refusedPoint]+len(series) != len(bounds)+2 {
		t.Errorf("%d series with %d labels, refused %v", len(series), labels, bad.By)
	}
	runtime.KeepAlive(series)
}

func FuzzOTLP(f *testing.F) {
	binary, err := proto.Marshal(otlpExample())
	if err != nil {
		f.Fatal(err)
	}
	asJSON, err := protojson.Marshal(otlpExample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(binary, false)
	f.Add(asJSON, true)
	f.Add([]byte{10, 0}, false)
	f.Fuzz(func(t *testing.T, text []byte, isJSON bool) {
		media := otlpProto
		if isJSON {
			media = otlpJSON
		}
		read, err := parseOTLP(text, media)
		if err != nil {
			return
		}
		var bad Result
		for _, s := range convertOTLP(read, time.UnixMilli(1), &bad) {
			if s.Name == "" || len(s.Points) != 1 {
				t.Fatalf("%+v", s)
			}
			seen := make(map[string]bool)
			for _, l := range s.Labels {
				if l.Name == "" || seen[l.Name] {
					t.Fatalf("%+v", s)
				}
				seen[l.Name] = true
			}
		}
	})
}

// Attributes that are nested are JSON in JSON, and no longer for their depth.
func TestNestedAttributes(t *testing.T) {
	text := strings.Repeat(`"`, 1000)
	inner := &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: text}}
	for range maxAttributeDepth {
		inner = &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{inner}}}}
	}
	got := attributeText(inner, 0)
	if len(got) > 3000 {
		t.Fatalf("%d bytes are made of %d", len(got), len(text))
	}
	var any any
	if err := json.Unmarshal([]byte(got), &any); err != nil {
		t.Fatal(err)
	}
	for range maxAttributeDepth {
		list, ok := any.([]interface{})
		if !ok || len(list) != 1 {
			t.Fatalf("%.40v is no list of one", any)
		}
		any = list[0]
	}
	if any != text {
		t.Errorf("inmost is %.40q", any)
	}
}

// A message of nothing but depth is refused before it takes a stack.
func TestDepthOfOTLP(t *testing.T) {
	value := []byte{}
	for range 6_000 { // an AnyValue with an ArrayValue with an AnyValue …
		value = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), value)
		value = protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), value)
	}
	parts := 0
	err := countParts(value, (&commonpb.AnyValue{}).ProtoReflect().Descriptor(), describedField, &parts, protowire.DefaultRecursionLimit)
	if err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("it gives %v", err)
	}
}
