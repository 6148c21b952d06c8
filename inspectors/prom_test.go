package inspectors

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// promSamples are the samples of a text, each in a line, sorted.
func promSamples(text string, labels ...string) ([]string, error) {
	r := NewReport("x", time.Now())
	err := ParseProm(r, []byte(text), labels...)
	var lines []string
	for _, s := range r.Samples() {
		lines = append(lines, fmt.Sprintf("%s%s %v %v", s.Key, s.Labels, s.Value, s.Kind))
	}
	slices.Sort(lines)
	return lines, errors.Join(err, r.Err())
}

func TestParseProm(t *testing.T) {
	long := strings.Repeat("a_long_name_", 8) + "bytes"
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"\n \t\n# anything\n#\n# HELP\n# TYPE\n", ""},
		{"a 1", "x/a 1 gauge"},
		{" a\t 1.5e3 \r\nb_total 2\n", "x/a 1500 gauge|x/b_total 2 counter"},
		{"a{} 1\nb{l=\"v\",} 2\nc { l = \"v\" , m=\"w\" } 3\n", `x/a 1 gauge|x/b{l="v"} 2 gauge|x/c{l="v",m="w"} 3 gauge`},
		{"# HELP a it counts\n# TYPE a counter\na 1\n#TYPE b gauge\nb_total 2\n", "x/a 1 counter|x/b_total 2 gauge"},
		{"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n", `x/h_bucket{le="+Inf"} 1 counter|x/h_count 1 counter|x/h_sum 2 counter`},
		{"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\n", `x/s_sum 2 counter|x/s{quantile="0.5"} 1 gauge`},
		{"a NaN\nb +Inf\nc -Inf\nd .5\n", "x/d 0.5 gauge"},
		{`a{l="a\\b\"\n<é` + "\xff" + `"} 1`, `x/a{l="a\\b\"\\x0a\\x3cé\\xff"} 1 gauge`},
		{`a{host="h",key="k",exported_host="e",file="f"} 1`, `x/a{exported_exported_host="h",exported_file="f",exported_host="e",exported_key="k",file="given"} 1 gauge`},
		{`{"my.metric",l="v"} 1` + "\n" + `{"b"} 2`, `x/b{file="given"} 2 gauge|x/my_metric-`},
		{long + " 1", "x/" + MetricKey(long) + " 1 gauge"},
		{"a{l=\"\"} 1", "x/a 1 gauge"},
	} {
		var labels []string
		if strings.Contains(c.want, "given") {
			labels = []string{"file", "given"}
		}
		got, err := promSamples(c.text, labels...)
		if text := strings.Join(got, "|"); err != nil || text != c.want && (!strings.HasSuffix(c.want, "-") || !strings.HasPrefix(text, c.want)) {
			t.Errorf("%q yields %s (%v), want %s", c.text, text, err, c.want)
		}
	}
}

// An error names the line, and nothing is added beside it but where single samples are bad.
func TestParsePromRefuses(t *testing.T) {
	many := strings.Repeat("a 1\n", MaxSamples) + "b 1\n"
	for _, c := range []struct{ text, want, kept string }{
		{"ok 1\na", `line 2: "a" has no value`, ""},
		{"a b", `line 1: "b" is not a number`, ""},
		{"a 1_000", `line 1: "1_000" is not a number`, ""},
		{"a 1 2 3", `line 1: "3" follows the timestamp`, ""},
		{"a 1 x", `line 1: "x" is not a timestamp`, ""},
		{"9a 1", `line 1: "9a 1" does not begin with the name of a metric`, ""},
		{"a-b 1", `line 1: "a-b" is not the name of a metric`, ""},
		{"<html>", `line 1: "<html>" does not begin with the name of a metric`, ""},
		{"{} 1", "line 1: there is no name of a metric", ""},
		{`{"a","b"} 1`, `line 1: there is no = after label "b"`, ""},
		{`a{l="v} 1`, `line 1: label "l": there is no " at the end of "\"v} 1"`, ""},
		{`a{l="v\`, `there is no " at the end of`, ""},
		{`a{l=v} 1`, `line 1: label "l": there is no " before "v} 1"`, ""},
		{`a{l="\t"} 1`, `line 1: label "l": \t is written; a backslash goes before n, " and \ alone`, ""},
		{`a{l="v" m="w"} 1`, `line 1: there is no , or } after a label, but "m=\"w\"} 1"`, ""},
		{`a{l} 1`, `line 1: there is no = after label "l"`, ""},
		{`a{,} 1`, `line 1: ",} 1" does not begin with the name of a label`, ""},
		{`a{__name__="b"} 1`, `line 1: "__name__" is not the name of a label`, ""},
		{`a{l="v",l="w"} 1`, `line 1: label "l" is given twice`, ""},
		{"# TYPE a strange\n", `line 1: "strange" is not a type; use counter, gauge, histogram, summary or untyped`, ""},
		{many, "line 10001: there are more than 10000 samples; none is taken", ""},
		{"ok 1\na 1 1600000000000\n", `line 2: "a" has a timestamp, and all samples have the time of the run; leave it out`, "x/ok 1 gauge"},
		{"a 1\na 2\n", "x/a: given twice in one run", "x/a 1 gauge"},
	} {
		got, err := promSamples(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Join(got, "|") != c.kept {
			t.Errorf("%.80q yields %.80v and the error %v, want %s", c.text, got, err, c.want)
		}
	}
	if _, err := promSamples("a 1", "host", "h"); !errors.Is(err, ErrName) {
		t.Errorf("the label host is given, and the error is %v", err)
	}
}

// expfmtSamples are what Prometheus' own reader of the format makes of a text, in the form
// of promSamples. Samples with a timestamp are left out.
func expfmtSamples(text string) ([]string, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	var lines []string
	for name, family := range families {
		for _, m := range family.GetMetric() {
			add := func(suffix string, kind Kind, value float64, extra ...string) {
				if m.TimestampMs != nil || math.IsNaN(value) || math.IsInf(value, 0) {
					return
				}
				own := make(map[string]string)
				for _, l := range m.GetLabel() {
					own[l.GetName()] = l.GetValue()
				}
				for i := 0; i < len(extra); i += 2 {
					own[extra[i]] = extra[i+1]
				}
				labels, err := CombineLabels(own, nil, false)
				if err == nil {
					lines = append(lines, fmt.Sprintf("x/%s%s %v %v", MetricKey(name+suffix), labels, value, kind))
				}
			}
			number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				add("", Counter, m.GetCounter().GetValue())
			case dto.MetricType_GAUGE:
				add("", Gauge, m.GetGauge().GetValue())
			case dto.MetricType_UNTYPED:
				add("", MetricKind(name), m.GetUntyped().GetValue())
			case dto.MetricType_SUMMARY:
				for _, q := range m.GetSummary().GetQuantile() {
					add("", Gauge, q.GetValue(), "quantile", number(q.GetQuantile()))
				}
				add("_sum", Counter, m.GetSummary().GetSampleSum())
				add("_count", Counter, float64(m.GetSummary().GetSampleCount()))
			case dto.MetricType_HISTOGRAM:
				for _, b := range m.GetHistogram().GetBucket() {
					add("_bucket", Counter, float64(b.GetCumulativeCount()), "le", number(b.GetUpperBound()))
				}
				add("_sum", Counter, m.GetHistogram().GetSampleSum())
				add("_count", Counter, float64(m.GetHistogram().GetSampleCount()))
			}
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// promWriter writes a random text in the format.
type promWriter struct {
	*rand.Rand
	bytes.Buffer
}

func (w *promWriter) blanks(least int) {
	for range least + w.IntN(3)*w.IntN(2) {
		w.WriteByte(promBlanks[w.IntN(2)])
	}
}

func (w *promWriter) value() string {
	switch w.IntN(12) {
	case 0:
		return []string{"NaN", "+Inf", "-Inf", "inf", "nan"}[w.IntN(5)]
	case 1:
		return fmt.Sprint(w.IntN(1000))
	case 2:
		return fmt.Sprintf("%e", w.NormFloat64()*1e30)
	}
	return fmt.Sprint(w.NormFloat64() * 1000)
}

func (w *promWriter) text() string {
	letters := []string{"a", "B", "é", "\\n", "\\\\", "\\\"", "<", " ", "}", "=", ",", "#", "☃", "\t", "0"}
	var b strings.Builder
	for range w.IntN(8) {
		b.WriteString(letters[w.IntN(len(letters))])
	}
	return b.String()
}

// series writes a sample with all its labels.
func (w *promWriter) series(name, value string, labels map[string]string) {
	w.blanks(0)
	w.WriteString(name)
	if len(labels) > 0 || w.IntN(4) == 0 {
		w.blanks(0)
		w.WriteByte('{')
		for i, label := range slices.Collect(maps.Keys(labels)) {
			if i > 0 {
				w.WriteByte(',')
			}
			w.blanks(0)
			w.WriteString(label)
			w.blanks(0)
			w.WriteByte('=')
			w.blanks(0)
			w.WriteString(`"` + labels[label] + `"`)
			w.blanks(0)
		}
		if len(labels) > 0 && w.IntN(4) == 0 {
			w.WriteByte(',')
		}
		w.WriteByte('}')
	}
	w.blanks(1)
	w.WriteString(value)
	if w.IntN(20) == 0 {
		w.WriteString(" 1600000000000")
	}
	w.WriteByte('\n')
}

func (w *promWriter) family(name string) {
	kind := []string{"counter", "gauge", "untyped", "histogram", "summary", ""}[w.IntN(6)]
	if w.IntN(2) == 0 {
		fmt.Fprintf(w, "# HELP %s %s\n", name, w.text())
	}
	if kind != "" {
		w.WriteByte('#')
		w.blanks(0)
		fmt.Fprintf(w, "TYPE %s %s\n", name, kind)
	}
	for i := range 1 + w.IntN(4) {
		labels := map[string]string{"n": strconv.Itoa(i)}
		for range w.IntN(4) {
			labels[[]string{"job", "host", "key", "_x", "path", "Zone9"}[w.IntN(6)]] = w.text()
		}
		with := func(name, value string) map[string]string {
			all := maps.Clone(labels)
			all[name] = value
			return all
		}
		count := strconv.Itoa(w.IntN(1000))
		switch kind {
		case "histogram":
			w.series(name+"_bucket", count, with("le", "0.5"))
			w.series(name+"_bucket", count, with("le", "+Inf"))
			w.series(name+"_sum", w.value(), labels)
			w.series(name+"_count", count, labels)
		case "summary":
			w.series(name, w.value(), with("quantile", "0.99"))
			w.series(name+"_sum", w.value(), labels)
			w.series(name+"_count", count, labels)
		default:
			w.series(name, w.value(), labels)
		}
	}
}

// Random texts are read as Prometheus' own reader does.
func TestParsePromAgrees(t *testing.T) {
	for range 300 {
		seed := rand.Uint64()
		w := &promWriter{Rand: rand.New(rand.NewPCG(seed, 0))}
		for i := range 1 + w.IntN(5) {
			w.family([]string{"a:b", "_up", "node_load1_total", "Z"}[w.IntN(4)] + "_" + strconv.Itoa(i) + []string{"", "_count", "_total"}[w.IntN(3)])
		}
		text := w.String()
		want, err := expfmtSamples(text)
		if err != nil {
			t.Fatalf("seed %d: %q is no text in the format: %v", seed, text, err)
		}
		got, err := promSamples(text)
		if err != nil && !errors.Is(err, ErrSamples) {
			t.Fatalf("seed %d: %q: %v", seed, text, err)
		}
		if !slices.Equal(got, want) && !strings.Contains(text, " 1600000000000") {
			t.Fatalf("seed %d: %q yields\n%s\nwant\n%s", seed, text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// FuzzParseProm reads what Prometheus' own reader reads, and never more samples than lines.
func FuzzParseProm(f *testing.F) {
	for _, text := range []string{
		"a 1\n", "# TYPE a counter\na{l=\"v\\n\"} 1 2\n", "{\"x.y\",l=\"v\"} NaN\n", "h_bucket{le=\"1\",} 0x1\n", "a{l=\"\xff\"} 1\n",
		"#TYPE A Counter\n{}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := NewReport("x", time.Now())
		err := ParseProm(r, text)
		if n := len(r.Samples()); n > bytes.Count(text, []byte("\n"))+1 || err != nil && n > 0 {
			t.Errorf("%d samples, %v", n, err)
		}
		if err != nil && !strings.Contains(err.Error(), "more than") && expfmtReads(text) {
			t.Errorf("Prometheus reads %q; here it is %v", text, err)
		}
	})
}

// expfmtReads reports whether Prometheus' own reader takes a text. It panics on some, such
// as "#TYPE A Counter\n{}".
func expfmtReads(text []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	_, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	return err == nil
}
