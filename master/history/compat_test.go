package history

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history/forward"
)

// The same samples in our store and in Debian's Prometheus must give the same answers, byte
// for byte after normal has levelled known differences.

// compatTimes is when the samples start and end. Their times, and
// those asked for, are not round: at the boundary of a range Prometheus 2 and 3
// differ by design.
func compatTimes() (start, end time.Time) {
	start = time.Now().Add(-3 * time.Hour).Truncate(time.Hour)
	return start, start.Add(time.Hour)
}

type compatSeries struct {
	host, key string
	own       []string            // labels
	value     func(i int) float64 // NaN is no sample
}

func compatData() []compatSeries {
	data := []compatSeries{
		{"web-1", "up", nil, func(int) float64 { return 1 }},
		{"web-1", "odd/nan", nil, func(i int) float64 { return []float64{1, math.Inf(1), 3, math.Inf(-1)}[i%4] }},
		{"web-1", "tiny/value", nil, func(i int) float64 { return 1e-9 * float64(i+1) }},
		{"web-1", "huge/value", nil, func(i int) float64 { return 1e22 * float64(i+1) }},
		{"web-1", "hole/value", nil, func(i int) float64 { return unless(i > 60 && i < 130, float64(i)) }},
		{"db-1", "hole/value", nil, func(i int) float64 { return unless(i > 100, float64(2*i)) }},
		{"web-2", "hole/value", nil, func(i int) float64 { return unless(i%25 != 0, float64(3*i)) }}, // more seldom than lookback
		{"web-1", "quo/ted", []string{"path", `C:\a "b" é`}, func(i int) float64 { return float64(i) }},
	}
	for h, host := range []string{"web-1", "web-2", "db-1"} {
		data = append(data,
			compatSeries{host, "load/average-1", nil, func(i int) float64 { return math.Round(100*(1+math.Sin(float64(i+h*7)/9))) / 100 }},
			compatSeries{host, "memory/percent-free", nil, func(i int) float64 { return float64((i*37 + h*11) % 100) }})
		for c, cpu := range []string{"0", "1"} {
			for m, mode := range []string{"idle", "user"} {
				// A counter that starts again now and then.
				data = append(data, compatSeries{host, "cpu/seconds_total", []string{"cpu", cpu, "mode", mode}, func(i int) float64 {
					return float64((i % 97) * (1 + h + 2*c + 3*m))
				}})
			}
		}
		for b, le := range []string{"0.1", "0.5", "1", "+Inf"} {
			data = append(data, compatSeries{host, "request/seconds_bucket", []string{"le", le}, func(i int) float64 { return float64(i * (b + 1) * (h + 1)) }})
		}
	}
	return data
}

// unless returns v, or that there is no sample.
func unless(missing bool, v float64) float64 {
	if missing {
		return math.NaN()
	}
	return v
}

const compatEvery = 15 * time.Second

func compatPoint(start time.Time, i int) int64 {
	return start.Add(time.Duration(i)*compatEvery + 137*time.Millisecond).UnixMilli()
}

func compatStore(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(compatHistory(t, func(string) bool { return true }).Handler())
	t.Cleanup(server.Close)
	return server
}

// compatHistory is a store with the data of some hosts.
func compatHistory(t *testing.T, has func(host string) bool) *Store {
	t.Helper()
	start, end := compatTimes()
	s := openStore(t, Options{Dir: t.TempDir(), Version: "test"})
	for _, d := range compatData() {
		if !has(d.host) {
			continue
		}
		series := s.NewSeries(d.host, d.key, labelled(t, d.own...), inspectors.Gauge)
		var batch []Sample
		for i := range int(end.Sub(start) / compatEvery) {
			if v := d.value(i); !math.IsNaN(v) {
				batch = append(batch, Sample{series, compatPoint(start, i), v})
			}
		}
		add(t, s, batch...)
	}
	return s
}

// openMetrics writes the data as text, for promtool.
func openMetrics(t *testing.T) []byte {
	t.Helper()
	start, end := compatTimes()
	data := compatData()
	slices.SortStableFunc(data, func(a, b compatSeries) int {
		return strings.Compare(inspectors.MetricName(a.key), inspectors.MetricName(b.key))
	})
	var text bytes.Buffer
	for _, d := range data {
		lset := seriesLabels(d.host, d.key, labelled(t, d.own...))
		name := inspectors.MetricName(d.key)
		var pairs []string
		lset.Range(func(l labels.Label) {
			if l.Name != "__name__" {
				pairs = append(pairs, l.Name+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(l.Value)+`"`)
			}
		})
		for i := range int(end.Sub(start) / compatEvery) {
			ms := compatPoint(start, i)
			if math.IsNaN(d.value(i)) {
				continue
			}
			fmt.Fprintf(&text, "%s{%s} %s %d.%03d\n", name, strings.Join(pairs, ","), strconv.FormatFloat(d.value(i), 'g', -1, 64), ms/1000, ms%1000)
		}
	}
	text.WriteString("# EOF\n")
	return text.Bytes()
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("SKIPPED: there is no %s here; on Debian: apt-get install prometheus", name)
	}
	return path
}

// startPrometheus runs Debian's Prometheus on the data and returns its URL.
func startPrometheus(t *testing.T, flags ...string) string {
	t.Helper()
	prometheus, promtool := program(t, "prometheus"), program(t, "promtool")
	dir := t.TempDir()
	text, cfg, data := filepath.Join(dir, "data.txt"), filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "data")
	for path, content := range map[string][]byte{text: openMetrics(t), cfg: nil} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	return runPrometheus(t, prometheus, cfg, data, flags...)
}

func runPrometheus(t *testing.T, prometheus, cfg, data string, flags ...string) string {
	t.Helper()
	address := freeport.Address(t)
	var output logged
	cmd := exec.Command(prometheus, append([]string{
		"--config.file=" + cfg, "--storage.tsdb.path=" + data, "--web.listen-address=" + address, "--log.level=warn",
	}, flags...)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // Wait tells
		cmd.Wait()         //nolint:errcheck // killed
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("prometheus says:\n%s", &output)
		}
	})
	patience.Until(t, "prometheus to be ready", func() bool {
		response, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return "http://" + address
}

// ask returns status and body of a GET or, with a body, a POST of a form.
func ask(t *testing.T, base, path string, params url.Values, post bool) (int, []byte) {
	t.Helper()
	var response *http.Response
	var err error
	if post {
		response, err = http.PostForm(base+path, params)
	} else {
		response, err = http.Get(base + path + "?" + params.Encode())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// normal orders what has no order: the series of a result.
func normal(t *testing.T, body []byte) string {
	t.Helper()
	var answer struct {
		Status    string          `json:"status"`
		ErrorType string          `json:"errorType"`
		Error     string          `json:"error"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	text := string(answer.Data)
	var result struct {
		ResultType string            `json:"resultType"`
		Result     []json.RawMessage `json:"result"`
	}
	if json.Unmarshal(answer.Data, &result) == nil && (result.ResultType == "vector" || result.ResultType == "matrix") {
		slices.SortFunc(result.Result, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
		text = result.ResultType
		for _, r := range result.Result {
			text += "\n" + string(r)
		}
	}
	return answer.Status + " " + answer.ErrorType + " " + core(answer.Error) + "\n" + longNumber.ReplaceAllStringFunc(text, rounded)
}

// Prometheus 3 sums with compensation for what is rounded off, 2 not always:
// numbers with many digits may differ in the last ones.
var longNumber = regexp.MustCompile(`"-?\d+\.\d{10,}"`)

func rounded(quoted string) string {
	v, err := strconv.ParseFloat(strings.Trim(quoted, `"`), 64)
	if err != nil {
		return quoted
	}
	v, err = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 11, 64), 64)
	if err != nil {
		return quoted
	}
	return `"` + strconv.FormatFloat(v, 'f', -1, 64) + `"`
}

// core cuts off a message what Prometheus 3 puts before it and 2 does not, and
// which two of the many duplicates it names.
func core(message string) string {
	message = strings.TrimPrefix(message, `invalid parameter "query": `)
	message = strings.TrimPrefix(strings.TrimPrefix(message, "1:1: "), "unknown position: ")
	message, _, _ = strings.Cut(message, ": [{")
	return strings.Replace(message, "Invalid time", "invalid time", 1)
}

var compatExpressions = []string{
	`up`, `1+1`, `"a \"string\""`, `time()`, `-1 ^ 0.5`, `1/0`, `0/0`, `1e-9`, `1e22`, `vector(1.5)`,
	`load_average_1`, `load_average_1{host="web-1"}`, `load_average_1{host=~"web-.*"}`, `load_average_1{host!~"web-.*"}`,
	`{key="load/average-1"}`, `{__name__=~"load.*|memory.*",host="db-1"}`, `load_average_1 offset 10m`, `load_average_1 @ end()`,
	`load_average_1 @ start()`, `no_such_metric`, `absent(no_such_metric{host="x"})`, `absent_over_time(no_such_metric[5m])`,
	`sum(load_average_1)`, `avg by (host) (load_average_1)`, `max without (host, key) (memory_percent_free)`, `min(memory_percent_free)`,
	`count(cpu_seconds_total)`, `count by (mode) (cpu_seconds_total)`, `stddev(load_average_1)`, `stdvar by (host) (cpu_seconds_total)`,
	`topk(2, memory_percent_free)`, `bottomk(1, memory_percent_free)`, `quantile(0.9, memory_percent_free)`, `count_values("v", up)`, `group(up)`,
	`rate(cpu_seconds_total[5m])`, `irate(cpu_seconds_total[5m])`, `increase(cpu_seconds_total[10m])`, `delta(load_average_1[5m])`,
	`idelta(load_average_1[5m])`, `deriv(load_average_1[10m])`, `predict_linear(memory_percent_free[10m], 3600)`,
	`sum by (host) (rate(cpu_seconds_total{mode!="idle"}[5m]))`, `avg_over_time(load_average_1[7m])`, `max_over_time(memory_percent_free[5m])`,
	`min_over_time(memory_percent_free[5m])`, `sum_over_time(up[5m])`, `count_over_time(up[5m])`, `stddev_over_time(load_average_1[5m])`,
	`last_over_time(load_average_1[5m])`, `present_over_time(up[5m])`, `quantile_over_time(0.5, load_average_1[10m])`,
	`changes(memory_percent_free[5m])`, `resets(cpu_seconds_total[30m])`,
	`histogram_quantile(0.9, sum by (le) (rate(request_seconds_bucket[5m])))`, `histogram_quantile(0.5, request_seconds_bucket)`,
	`load_average_1 > 1`, `load_average_1 > bool 1`, `load_average_1 + on (host) memory_percent_free`,
	`cpu_seconds_total / ignoring (cpu, mode, key) group_left load_average_1`,
	`up and load_average_1`, `load_average_1 or memory_percent_free`, `load_average_1 unless on (host) up`,
	`label_replace(load_average_1, "short", "$1", "host", "(.*)-.*")`, `label_join(load_average_1, "both", "/", "host", "key")`,
	`abs(-load_average_1)`, `ceil(load_average_1)`, `floor(load_average_1)`, `round(load_average_1, 0.1)`, `sqrt(load_average_1)`,
	`exp(load_average_1)`, `ln(load_average_1)`, `log2(load_average_1)`, `log10(load_average_1)`, `clamp(load_average_1, 0.5, 1.5)`,
	`clamp_max(load_average_1, 1)`, `sgn(load_average_1 - 1)`, `sort(load_average_1)`, `sort_desc(memory_percent_free)`, `timestamp(load_average_1)`,
	`hour()`, `day_of_week(vector(1700000000))`, `scalar(up)`, `vector(scalar(up))`, `load_average_1 % 0.3`, `load_average_1 ^ 2`,
	`avg_over_time(rate(cpu_seconds_total[5m])[20m:1m])`, `max_over_time((sum(load_average_1))[10m:30s])`, `cpu_seconds_total[1m]`,
	`odd_nan`, `tiny_value`, `huge_value`, `quo_ted`, `sum(odd_nan)`, `sin(load_average_1)`, `pi()`, `deg(load_average_1)`,
	`hole_value`, `sum(hole_value)`, `absent(hole_value{host="db-1"})`, `count_over_time(hole_value[6m])`, `rate(hole_value[7m])`, `hole_value offset 20m`,
	`hole_value offset -5m`, `last_over_time(hole_value[15m])`, `changes(hole_value[10m]) > 0`, `absent_over_time(hole_value{host="db-1"}[10m])`,
	`hole_value - on (host) group_right load_average_1`, `hole_value == bool hole_value offset 15s`, `max_over_time(hole_value[30m:5m] offset 3m)`,
	`rate(cpu_seconds_total[5m] @ end())`, `sum by (mode) (increase(cpu_seconds_total[10m] offset 10m))`, `topk by (host) (1, cpu_seconds_total)`,
	`histogram_quantile(0.99, sum by (le, host) (increase(request_seconds_bucket[10m])))`, `sum without (cpu) (irate(cpu_seconds_total[2m])) > 0.1`,
	`abs(load_average_1 atan2 memory_percent_free)`, `(load_average_1 > 1) or (memory_percent_free < 20)`, `count(load_average_1 > 0.5) / count(load_average_1)`,
	`minute(timestamp(up))`, `sum(rate(cpu_seconds_total[5m])) by (host) / on (host) group_left count(cpu_seconds_total) by (host)`,
}

func TestAnswersAreThoseOfPrometheus(t *testing.T) {
	theirs, ours := startPrometheus(t), compatStore(t).URL
	start, end := compatTimes()
	middle := start.Add(43*time.Minute + 21*time.Second)
	at := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	asked := 0
	for i, expression := range compatExpressions {
		// Prometheus has to be told that operators ignore the key.
		spelled, err := keyless{parser.NewParser(parser.Options{})}.ParseExpr(expression)
		if err != nil {
			t.Fatal(err)
		}
		requests := []struct {
			path   string
			params url.Values
		}{
			{"/api/v1/query", url.Values{"query": {expression}, "time": {at(middle)}}},
			{"/api/v1/query_range", url.Values{"query": {expression}, "start": {at(start.Add(15*time.Minute + 7*time.Second))}, "end": {at(end)}, "step": {"40s"}}},
		}
		for _, r := range requests {
			ourCode, ourBody := ask(t, ours, r.path, r.params, i%2 == 0)
			r.params.Set("query", spelled.String())
			theirCode, theirBody := ask(t, theirs, r.path, r.params, i%2 == 0)
			theirText, ourText := normal(t, theirBody), normal(t, ourBody)
			if ourCode != theirCode || ourText != theirText {
				t.Errorf("%s of %s: HTTP %d\n%.600s\nPrometheus: HTTP %d\n%.600s", r.path, expression, ourCode, ourText, theirCode, theirText)
			}
			asked++
		}
	}
	t.Logf("%d expressions, %d questions", len(compatExpressions), asked)
}

// Answers without values: labels, series, and faults.
func TestOtherAnswersAreThoseOfPrometheus(t *testing.T) {
	theirs, ours := startPrometheus(t), compatStore(t).URL
	start, end := compatTimes()
	at := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	span := func(values url.Values) url.Values {
		values.Set("start", at(start))
		values.Set("end", at(end))
		return values
	}
	for _, c := range []struct {
		path   string
		params url.Values
	}{
		{"/api/v1/labels", nil},
		{"/api/v1/labels", span(url.Values{})},
		{"/api/v1/labels", url.Values{"match[]": {"up", `{host="db-1",mode="idle"}`}}},
		{"/api/v1/labels", url.Values{"match[]": {"no_such"}}},
		{"/api/v1/labels", url.Values{"start": {"1"}, "end": {"2"}}},
		{"/api/v1/label/host/values", nil},
		{"/api/v1/label/__name__/values", span(url.Values{})},
		{"/api/v1/label/host/values", url.Values{"match[]": {"up", "load_average_1"}}},
		{"/api/v1/label/none/values", nil},
		{"/api/v1/series", url.Values{"match[]": {"up"}}},
		{"/api/v1/series", span(url.Values{"match[]": {`{host="web-2"}`, "up", "quo_ted"}})},
		{"/api/v1/series", url.Values{"match[]": {"no_such"}}},
		{"/api/v1/series", nil},
		{"/api/v1/series", url.Values{"match[]": {`{host=~".*"}`}}},
		{"/api/v1/labels", url.Values{"match[]": {`{}`}}},
		{"/api/v1/labels", url.Values{"start": {"yesterday"}}},
		{"/api/v1/query", nil},
		{"/api/v1/query", url.Values{"query": {"up"}, "time": {"now"}}},
		{"/api/v1/query", url.Values{"query": {"up"}, "timeout": {"soon"}}},
		{"/api/v1/query", url.Values{"query": {"up + on() group_left load_average_1"}, "time": {at(end)}}},
		{"/api/v1/query", url.Values{"query": {`label_replace(load_average_1, "host", "x", "", "")`}, "time": {at(end)}}},
		{"/api/v1/query_range", url.Values{"query": {"up"}}},
		{"/api/v1/query_range", url.Values{"query": {"up"}, "start": {at(end)}, "end": {at(start)}, "step": {"1"}}},
		{"/api/v1/query_range", span(url.Values{"query": {"up"}, "step": {"0"}})},
		{"/api/v1/query_range", span(url.Values{"query": {"up"}, "step": {"0.01"}})},
		{"/api/v1/query_range", span(url.Values{"query": {"up"}, "step": {"1e30"}})},
		{"/api/v1/query_range", span(url.Values{"query": {"up[5m]"}, "step": {"60"}})},
		{"/api/v1/query_range", span(url.Values{"query": {"up"}, "step": {"1h"}})},
		{"/api/v1/query_exemplars", span(url.Values{"query": {"up"}})},
		{"/api/v1/format_query", url.Values{"query": {"sum by(host)(rate( up [5m]))"}}},
		{"/api/v1/alertmanagers", nil},
	} {
		theirCode, theirBody := ask(t, theirs, c.path, c.params, false)
		ourCode, ourBody := ask(t, ours, c.path, c.params, false)
		theirText, ourText := normal(t, theirBody), normal(t, ourBody)
		if ourCode != theirCode || ourText != theirText {
			t.Errorf("%s %v: HTTP %d\n%.600s\nPrometheus: HTTP %d\n%.600s", c.path, c.params, ourCode, ourText, theirCode, theirText)
		}
	}
}

func TestPromtool(t *testing.T) {
	promtool := program(t, "promtool")
	ours := compatStore(t).URL
	start, end := compatTimes()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"query", "instant", "--time=" + end.Format(time.RFC3339), ours, "sum(up)"}, "{} => 1 @["},
		{[]string{
			"query", "range", "--start=" + strconv.FormatInt(start.Unix(), 10), "--end=" + strconv.FormatInt(end.Unix(), 10), "--step=10m", ours,
			`up{host="web-1"}`,
		}, `up{host="web-1", key="up"} =>`},
		{[]string{"query", "series", "--match=up", ours}, `{__name__="up", host="web-1", key="up"}`},
		{[]string{"query", "labels", ours, "host"}, "db-1\nweb-1\nweb-2"},
	} {
		out, err := exec.Command(promtool, c.args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("promtool %v: %v\n%s\nwant %s", c.args, err, out, c.want)
		}
	}
}

// What we forward arrives in Debian's Prometheus, late samples and what waited
// across a restart among it, and gives the same answers there.
func TestForwardToPrometheus(t *testing.T) {
	prometheus := program(t, "prometheus")
	dir := t.TempDir()
	cfg := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(cfg, []byte("storage: { tsdb: { out_of_order_time_window: 12h } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := time.Now().Add(-time.Minute).Truncate(time.Second)
	queue := filepath.Join(dir, "queue")
	write := func(url string, minutes ...int) (*forward.Forwarder, func()) {
		forwarder, err := forward.New(forward.Options{URL: url + "/api/v1/write", Dir: queue})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- forwarder.Run(ctx) }()
		<-forwarder.Ready()
		s := openStore(t, Options{Dir: filepath.Join(dir, "ours"), Forward: []Forwarder{forwarder}})
		a, b := s.NewSeries("web-1", "load/average-1", nil, inspectors.Gauge), s.NewSeries("db-1", "load/average-1", nil, inspectors.Gauge)
		for _, m := range minutes {
			at := base.Add(time.Duration(m) * time.Minute).UnixMilli()
			add(t, s, Sample{a, at, float64(m)}, Sample{b, at + 5, -float64(m)})
		}
		return forwarder, func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	// Nobody is there yet; what waits is left to the next run.
	_, stop := write("http://127.0.0.1:1", 0, -1, -2)
	stop()
	theirs := runPrometheus(t, prometheus, cfg, filepath.Join(dir, "theirs"), "--web.enable-remote-write-receiver")
	forwarder, stop := write(theirs, -3, -50, -300)
	defer stop()
	for forwarder.Stats().Sent < 12 {
		runtime.Gosched()
		if t.Context().Err() != nil {
			t.Fatalf("forwarded: %+v", forwarder.Stats())
		}
	}
	params := url.Values{"query": {`load_average_1[6h]`}, "time": {strconv.FormatInt(base.Add(time.Minute).Unix(), 10)}}
	status, body := ask(t, theirs, "/api/v1/query", params, false)
	var want []string
	for _, host := range []string{"web-1", "db-1"} {
		line := fmt.Sprintf(`{"metric":{"__name__":"load_average_1","host":"%s","key":"load/average-1"},"values":[`, host)
		for i, m := range []int{-300, -50, -3, -2, -1, 0} {
			at, v, extra := base.Add(time.Duration(m)*time.Minute), m, 0
			if host == "db-1" {
				v, extra = -m, 5
			}
			seconds := strconv.FormatInt(at.Unix(), 10)
			if extra > 0 {
				seconds += ".005"
			}
			line += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(`[%s,"%d"]`, seconds, v)
		}
		want = append(want, line+"]}")
	}
	slices.Sort(want)
	text := "success  \nmatrix\n" + strings.ReplaceAll(strings.Join(want, "\n"), `"-0"`, `"0"`)
	if got := strings.ReplaceAll(normal(t, body), `"-0"`, `"0"`); status != http.StatusOK || got != text {
		t.Errorf("Prometheus has %s\nwant %s", got, text)
	}
}
