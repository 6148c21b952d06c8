package exposition

import (
	"bytes"
	"math"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parse reads a text as Prometheus does.
func parse(t *testing.T, text *Text) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text.Bytes()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.Bytes())
	}
	return families
}

func TestPrometheusReadsWhatIsWritten(t *testing.T) {
	var text Text
	nasty := "a\\b \"c\"\nd é {}"
	text.Family("odd", Gauge, nasty)
	for _, v := range []float64{0, -1.5, 1e300, math.Inf(1), math.Inf(-1), math.NaN()} {
		text.Sample("odd", v, "label", nasty, "other", "")
	}
	text.Single("seen_total", Counter, "", 3)
	text.Family("took_seconds", Summary, "")
	text.Sample("took_seconds_sum", 1.5, "what", "x")
	text.Sample("took_seconds_count", 2, "what", "x")
	families := parse(t, &text)
	odd := families["odd"]
	if odd.GetHelp() != nasty || odd.GetType() != dto.MetricType_GAUGE || len(odd.GetMetric()) != 6 {
		t.Fatalf("got %v", odd)
	}
	for i, want := range []float64{0, -1.5, 1e300, math.Inf(1), math.Inf(-1), math.NaN()} {
		m := odd.GetMetric()[i]
		if got := m.GetGauge().GetValue(); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%v is read as %v", want, got)
		}
		if m.GetLabel()[0].GetValue() != nasty {
			t.Errorf("the label is %q", m.GetLabel()[0].GetValue())
		}
	}
	if seen := families["seen_total"]; seen.GetType() != dto.MetricType_COUNTER || seen.GetMetric()[0].GetCounter().GetValue() != 3 {
		t.Errorf("got %v", seen)
	}
	if took := families["took_seconds"].GetMetric()[0].GetSummary(); took.GetSampleSum() != 1.5 || took.GetSampleCount() != 2 {
		t.Errorf("got %v", took)
	}
}

func TestProcess(t *testing.T) {
	var text Text
	text.Process(time.UnixMilli(1_700_000_000_500))
	families := parse(t, &text)
	value := func(name string) float64 {
		if families[name] == nil {
			t.Errorf("there is no %s", name)
			return 0
		}
		m := families[name].GetMetric()[0]
		return m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	for _, name := range []string{
		"go_info", "go_goroutines", "go_threads", "go_memstats_heap_alloc_bytes", "go_memstats_alloc_bytes_total",
		"go_memstats_sys_bytes",
	} {
		if value(name) <= 0 {
			t.Errorf("%s is %v", name, value(name))
		}
	}
	if value("process_start_time_seconds") != 1_700_000_000.5 {
		t.Errorf("the start is %v", value("process_start_time_seconds"))
	}
}
