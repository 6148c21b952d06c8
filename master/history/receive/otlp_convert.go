package receive

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/value"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// Words for points of OTLP that are not stored, and the remedy for each.
const (
	refusedDelta     = "delta"
	refusedHistogram = "histogram"
	refusedPoint     = "point"
)

var (
	errDelta = errors.New("delta temporality is not kept; have it sent as cumulative: set " +
		"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative, or use the processor deltatocumulative of the collector")
	errExponential = errors.New("exponential histograms are not kept; send explicit buckets: set " +
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram")
	errBuckets = errors.New("a histogram needs one more count than it has bounds, and its bounds in order")
)

const (
	// maxAttributeDepth is how deep lists in the value of an attribute may be.
	maxAttributeDepth = 8
	// maxAttributes is how many attributes a point may have.
	maxAttributes = 128
	// maxOTLPLabels bounds the labels of all series of a request. Each bucket of a
	// histogram has the labels of its point, so a small request could take much memory.
	maxOTLPLabels = 4 << 20
)

var (
	errAttributes = fmt.Errorf("it has more than %d attributes", maxAttributes)
	errLabels     = errors.New("the request has too many labels in all; send smaller batches")
)

// convertOTLP makes series from metrics, with names and labels as Prometheus makes them:
// service.namespace/service.name is the label job, service.instance.id is instance, and
// the other attributes of a resource are labels of the series target_info. host.name names
// the host. Points that cannot be stored are counted in bad.
func convertOTLP(metrics *metricspb.MetricsData, now time.Time, bad *Result) []Series {
	c := otlpConverter{
		names: otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes),
		//lint:ignore SA1019 Prometheus still does so unless it is told otherwise
		labels: otlptranslator.LabelNamer{UnderscoreLabelSanitization: true},
		now:    now.UnixMilli(), bad: bad,
	}
	for _, of := range metrics.GetResourceMetrics() {
		begin := len(c.series)
		c.resource(of.GetResource().GetAttributes())
		for _, scope := range of.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				c.metric(metric)
			}
		}
		if len(c.series) > begin {
			c.info(c.series[begin:])
		}
	}
	return c.series
}

type otlpConverter struct {
	names  otlptranslator.MetricNamer
	labels otlptranslator.LabelNamer
	now    int64
	bad    *Result
	series []Series
	count  int // labels of all series

	// Of the resource:
	identity []Label // host, job and instance
	about    []Label // its other attributes
}

// resource sets the resource whose metrics follow.
func (c *otlpConverter) resource(attributes []*commonpb.KeyValue) {
	given := make(map[string]string, len(attributes))
	var others []*commonpb.KeyValue
	for _, a := range attributes {
		switch a.GetKey() {
		case "host.name", "service.name", "service.namespace", "service.instance.id":
			given[a.GetKey()] = attributeText(a.GetValue(), 0)
		default:
			others = append(others, a)
		}
	}
	job := given["service.name"]
	if space := given["service.namespace"]; space != "" && job != "" {
		job = space + "/" + job
	}
	c.identity = nil
	for _, l := range []Label{{"host", given["host.name"]}, {"instance", given["service.instance.id"]}, {"job", job}} {
		if l.Value != "" {
			c.identity = append(c.identity, l)
		}
	}
	if c.about = nil; len(others) <= maxAttributes {
		c.about = c.attributes(others)
	}
}

// info adds target_info, at the latest time of the resource.
func (c *otlpConverter) info(of []Series) {
	if len(c.about) == 0 || len(c.identity) == 0 {
		return
	}
	latest := int64(math.MinInt64)
	for i := range of {
		for _, p := range of[i].Points {
			latest = max(latest, p.T)
		}
	}
	c.series = append(c.series, Series{Name: "target_info", Labels: joinLabels(c.about, c.identity...), Points: []Point{{T: latest, V: 1}}})
}

// metric adds the series of one metric.
func (c *otlpConverter) metric(m *metricspb.Metric) {
	refuse := func(points int, reason string, err error) {
		c.bad.Refuse(points, reason, fmt.Errorf("metric %.200q: %w", m.GetName(), err))
	}
	name := func(kind otlptranslator.MetricType) (string, error) {
		return c.names.Build(otlptranslator.Metric{Name: m.GetName(), Unit: m.GetUnit(), Type: kind})
	}
	switch {
	case m.GetGauge() != nil:
		points := m.GetGauge().GetDataPoints()
		built, err := name(otlptranslator.MetricTypeGauge)
		c.numbers(built, err, points, refuse)
	case m.GetSum() != nil:
		points, kind := m.GetSum().GetDataPoints(), otlptranslator.MetricType(otlptranslator.MetricTypeNonMonotonicCounter)
		if m.GetSum().GetIsMonotonic() {
			kind = otlptranslator.MetricTypeMonotonicCounter
		}
		built, err := name(kind)
		if m.GetSum().GetAggregationTemporality() != cumulative {
			refuse(len(points), refusedDelta, errDelta)
			return
		}
		c.numbers(built, err, points, refuse)
	case m.GetHistogram() != nil:
		points := m.GetHistogram().GetDataPoints()
		built, err := name(otlptranslator.MetricTypeHistogram)
		switch {
		case err != nil:
			refuse(len(points), refusedPoint, err)
		case m.GetHistogram().GetAggregationTemporality() != cumulative:
			refuse(len(points), refusedDelta, errDelta)
		default:
			c.histograms(built, points, refuse)
		}
	case m.GetSummary() != nil:
		points := m.GetSummary().GetDataPoints()
		built, err := name(otlptranslator.MetricTypeSummary)
		if err != nil {
			refuse(len(points), refusedPoint, err)
			return
		}
		c.summaries(built, points, refuse)
	case m.GetExponentialHistogram() != nil:
		refuse(len(m.GetExponentialHistogram().GetDataPoints()), refusedHistogram, errExponential)
	}
}

const cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE

// numbers adds the points of a gauge or a sum.
func (c *otlpConverter) numbers(name string, err error, points []*metricspb.NumberDataPoint, refuse func(int, string, error)) {
	if err != nil {
		refuse(len(points), refusedPoint, err)
		return
	}
	for _, p := range points {
		v := p.GetAsDouble()
		switch p.GetValue().(type) {
		case *metricspb.NumberDataPoint_AsInt:
			v = float64(p.GetAsInt())
		case nil:
			if !ended(p.GetFlags()) {
				refuse(1, refusedPoint, errors.New("a point has no value"))
				continue
			}
		}
		own, err := c.own(p.GetAttributes())
		if err != nil {
			refuse(1, refusedPoint, err)
			continue
		}
		c.add(name, own, p.GetTimeUnixNano(), p.GetFlags(), v)
	}
}

// histograms adds the points of a histogram: its buckets, its count and its sum.
func (c *otlpConverter) histograms(name string, points []*metricspb.HistogramDataPoint, refuse func(int, string, error)) {
	for _, p := range points {
		bounds, counts := p.GetExplicitBounds(), p.GetBucketCounts()
		if len(counts) > 0 && len(counts) != len(bounds)+1 || len(counts) == 0 && len(bounds) > 0 || !slices.IsSorted(bounds) {
			refuse(1, refusedHistogram, errBuckets)
			continue
		}
		own, err := c.own(p.GetAttributes())
		if err != nil {
			refuse(1, refusedPoint, err)
			continue
		}
		at, flags := p.GetTimeUnixNano(), p.GetFlags()
		c.add(name+"_count", own, at, flags, float64(p.GetCount()))
		if p.Sum != nil {
			c.add(name+"_sum", own, at, flags, p.GetSum())
		}
		sum := uint64(0)
		for i, bound := range bounds {
			sum += counts[i]
			if math.IsInf(bound, 1) {
				break
			}
			c.add(name+"_bucket", joinLabels(own, Label{"le", strconv.FormatFloat(bound, 'g', -1, 64)}), at, flags, float64(sum))
		}
		c.add(name+"_bucket", joinLabels(own, Label{"le", "+Inf"}), at, flags, float64(p.GetCount()))
	}
}

// summaries adds the points of a summary.
func (c *otlpConverter) summaries(name string, points []*metricspb.SummaryDataPoint, refuse func(int, string, error)) {
	for _, p := range points {
		own, err := c.own(p.GetAttributes())
		if err != nil {
			refuse(1, refusedPoint, err)
			continue
		}
		at, flags := p.GetTimeUnixNano(), p.GetFlags()
		c.add(name+"_count", own, at, flags, float64(p.GetCount()))
		c.add(name+"_sum", own, at, flags, p.GetSum())
		for _, q := range p.GetQuantileValues() {
			c.add(name, joinLabels(own, Label{"quantile", strconv.FormatFloat(q.GetQuantile(), 'g', -1, 64)}), at, flags, q.GetValue())
		}
	}
}

// add adds one sample. A sample that says that there is no value any more ends its series.
func (c *otlpConverter) add(name string, labels []Label, nanos uint64, flags uint32, v float64) {
	t := int64(nanos / uint64(time.Millisecond)) // which fits, for any number of nanoseconds
	if nanos == 0 {
		t = c.now
	}
	if ended(flags) {
		v = math.Float64frombits(value.StaleNaN)
	}
	if c.count += len(labels) + 1; c.count > maxOTLPLabels {
		c.bad.Refuse(1, refusedPoint, errLabels)
		return
	}
	c.series = append(c.series, Series{Name: name, Labels: labels, Points: []Point{{T: t, V: v}}})
}

// ended reports whether the flags of a point say that it has no value.
func ended(flags uint32) bool {
	return flags&uint32(metricspb.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
}

// own are the labels of a point: its attributes, and those of its resource.
func (c *otlpConverter) own(attributes []*commonpb.KeyValue) ([]Label, error) {
	if len(attributes) > maxAttributes {
		return nil, errAttributes
	}
	return joinLabels(c.attributes(attributes), c.identity...), nil
}

// joinLabels adds labels to others, and replaces those of the same names.
func joinLabels(some []Label, further ...Label) []Label {
	joined := make([]Label, 0, len(some)+len(further))
	for _, l := range some {
		if !slices.ContainsFunc(further, func(f Label) bool { return f.Name == l.Name }) {
			joined = append(joined, l)
		}
	}
	return append(joined, further...)
}

// attributes makes labels from attributes. Values whose keys become the same name are
// joined with ";", in the order of their keys.
func (c *otlpConverter) attributes(list []*commonpb.KeyValue) []Label {
	sorted := slices.SortedStableFunc(slices.Values(list), func(a, b *commonpb.KeyValue) int { return cmp.Compare(a.GetKey(), b.GetKey()) })
	labels := make([]Label, 0, len(sorted))
	index := make(map[string]int, len(sorted))
	for _, a := range sorted {
		name, err := c.labels.Build(a.GetKey())
		if err != nil || name == "" || strings.HasPrefix(name, "__") {
			continue // the key has no letter
		}
		text := strings.ToValidUTF8(attributeText(a.GetValue(), 0), "\uFFFD")
		if at, twice := index[name]; twice {
			labels[at].Value += ";" + text
			continue
		}
		index[name] = len(labels)
		labels = append(labels, Label{name, text})
	}
	return labels
}

// attributeText is the value of an attribute: a single value as it is, several values in
// JSON.
func attributeText(v *commonpb.AnyValue, depth int) string {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case *commonpb.AnyValue_BytesValue:
		return base64.StdEncoding.EncodeToString(v.BytesValue)
	case *commonpb.AnyValue_ArrayValue:
		list := make([]any, 0, len(v.ArrayValue.GetValues()))
		for _, e := range v.ArrayValue.GetValues() {
			if depth < maxAttributeDepth {
				list = append(list, nestedValue(e, depth+1))
			}
		}
		text, _ := json.Marshal(list)
		return string(text)
	case *commonpb.AnyValue_KvlistValue:
		of := make(map[string]any, len(v.KvlistValue.GetValues()))
		for _, e := range v.KvlistValue.GetValues() {
			if depth < maxAttributeDepth {
				of[e.GetKey()] = nestedValue(e.GetValue(), depth+1)
			}
		}
		text, _ := json.Marshal(of)
		return string(text)
	}
	return ""
}

// nestedValue is a value in a list or a map. JSON stays JSON there: as a text it would
// double its quotes at each depth.
func nestedValue(v *commonpb.AnyValue, depth int) any {
	text := attributeText(v, depth)
	switch v.GetValue().(type) {
	case *commonpb.AnyValue_ArrayValue, *commonpb.AnyValue_KvlistValue:
		return json.RawMessage(text)
	}
	return text
}
