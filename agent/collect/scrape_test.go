package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// exporter serves a text that a test may change.
type exporter struct {
	*httptest.Server
	text        string
	contentType string
}

func newExporter(t *testing.T, text string) *exporter {
	t.Helper()
	e := &exporter{text: text, contentType: "text/plain; version=0.0.4"}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", e.contentType)
		io.WriteString(w, e.text)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *exporter) hostPort() string { return strings.TrimPrefix(e.URL, "http://") }

func scraping(urls ...string) inspectors.Collector {
	return inspectors.Collector{Kind: inspectors.CollectScrape, Targets: urls}
}

func TestScrape(t *testing.T) {
	e := newExporter(t, `# HELP http_requests_total How many requests came.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/<x>"} 3 1700000000000
# TYPE temperature_celsius gauge
temperature_celsius NaN
temperature_celsius{room="a",host="other",job="theirs"} -1.5
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 0.7
latency_seconds_count 2
# TYPE rpc summary
rpc{quantile="0.5"} 4
rpc_count 9
untyped_total 5
`)
	f := newFixture(t)
	c := scraping(e.URL)
	c.Labels = map[string]string{"team": "db"}
	f.mustLoad(collecting(t, "web", c))
	o := f.run("web", testTimeout)
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	got := bySeries(o)
	rest := `instance="` + e.hostPort() + `",job="web",`
	type want struct {
		value float64
		kind  inspectors.Kind
	}
	for series, want := range map[string]want{
		`http_requests_total{code="200",` + rest + `path="/\\x3cx\\x3e",team="db"}`:                                                     {3, inspectors.Counter},
		`temperature_celsius{exported_host="other",exported_job="theirs",instance="` + e.hostPort() + `",job="web",room="a",team="db"}`: {-1.5, inspectors.Gauge},
		`latency_seconds_bucket{` + rest + `le="+Inf",team="db"}`:                                                                       {2, inspectors.Counter},
		`latency_seconds_sum{` + rest + `team="db"}`:                                                                                    {0.7, inspectors.Counter},
		`rpc{` + rest + `quantile="0.5",team="db"}`:                                                                                     {4, inspectors.Gauge},
		`rpc_count{` + rest + `team="db"}`:                                                                                              {9, inspectors.Counter},
		`untyped_total{` + rest + `team="db"}`:                                                                                          {5, inspectors.Counter},
		`up{` + rest + `team="db"}`:                                                                                                     {1, inspectors.Gauge},
		`scrape_samples_scraped{` + rest + `team="db"}`:                                                                                 {10, inspectors.Gauge},
	} {
		if s, ok := got[series]; !ok || s.Value != want.value || s.Kind != want.kind {
			t.Errorf("%s is %+v, want %+v", series, s, want)
		}
	}
	if len(got) != 9+3 {
		t.Errorf("%d series: %v", len(got), slices.Sorted(maps.Keys(got)))
	}
	for _, s := range o.Samples {
		switch s.Key {
		case "http_requests_total":
			if s.About == nil || *s.About != (inspectors.About{Family: "http_requests_total", Type: "counter", Help: "How many requests came."}) {
				t.Errorf("%s is described as %+v", s.Key, s.About)
			}
		case "latency_seconds_bucket":
			if s.About == nil || s.About.Family != "latency_seconds" || s.About.Type != "histogram" {
				t.Errorf("%s is described as %+v", s.Key, s.About)
			}
		}
	}

	e.contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	e.text = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\na_seconds_created 5\n# EOF\n"
	o = f.run("web", testTimeout)
	s := bySeries(o)["a_seconds_total{"+rest+`team="db"}`]
	if o.Err != nil || len(o.Samples) != 4 || s.Value != 1 || s.Kind != inspectors.Counter || s.About.Unit != "seconds" {
		t.Errorf("OpenMetrics: %v, %+v", o.Err, o.Samples)
	}
}

func TestHonorLabels(t *testing.T) {
	e := newExporter(t, `x{job="theirs",instance="",exported_job="e"} 1`+"\n")
	c := scraping(e.URL)
	f := newFixture(t)
	f.mustLoad(collecting(t, "moved", c))
	c.HonorLabels = true
	f.mustLoad(collecting(t, "honored", c))
	at := `instance="` + e.hostPort() + `"`
	for name, series := range map[string]string{
		"moved":   `x{exported_exported_job="theirs",exported_job="e",` + at + `,job="moved"}`,
		"honored": `x{exported_job="e",` + at + `,job="theirs"}`,
	} {
		if got := bySeries(f.run(name, testTimeout)); got[series].Value != 1 {
			t.Errorf("%s: no %s among %v", name, series, slices.Sorted(maps.Keys(got)))
		}
	}
}

// What an exporter does wrong is told, and costs no more than is allowed.
func TestScrapeFaults(t *testing.T) {
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, "m{i=\"%d\"} 1\n", i)
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 12 {
		zip.Write(bytes.Repeat([]byte("# comment\n"), 100<<10))
	}
	zip.Close()
	mux := http.NewServeMux()
	text := func(path, contentType, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, body)
		})
	}
	text("/many", "text/plain", many.String())
	text("/page", "text/html; charset=utf-8", "<html>")
	text("/broken", "text/plain", "a 1\nb{ 2\n")
	text("/noise", "text/plain", "a{l=\""+strings.Repeat("\xef\x02", 100)+"\"} 1\n")
	text("/open", "application/openmetrics-text; version=1.0.0", strings.Repeat("\xef\x01", 100)+"\n")
	text("/twice", "text/plain", "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\nb 3\n")
	text("/labels", "text/plain", "b 3\na{"+strings.Join(numbered(17), ",")+"} 1\n")
	text("/half", "application/openmetrics-text", "a 1\n")
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
	})
	for path, encoding := range map[string]string{"/br": "br", "/two": "gzip, gzip"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			io.WriteString(w, "a 1\n")
		})
	}
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, "a 1\n")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f := newFixture(t)
	for path, want := range map[string]struct {
		says  string
		up    float64
		count int
	}{
		"/many":   {"it has more than 5000 series, so none is taken; raise budget.series", 0, 3},
		"/page":   {`it answers "text/html", which is not the text format of Prometheus`, 0, 3},
		"/broken": {"cannot read the answer", 0, 3},
		"/half":   {"cannot read the answer", 0, 3},
		"/none":   {"it answers 404 Not Found", 0, 3},
		"/bomb":   {"the answer is longer than 8MiB (budget.output)", 0, 3},
		"/br":     {`it answers in the encoding "br", which was not asked for`, 0, 3},
		"/two":    {`it answers in the encoding "gzip, gzip"`, 0, 3},
		"/loop":   {"it redirects more than 3 times", 0, 3},
		"/away":   {`it redirects to another host, "169.254.169.254"`, 0, 3},
		"/cut":    {"unexpected EOF", 0, 3},
		"/noise":  {`invalid UTF-8 label value: "\"` + strings.Repeat(`\xef\x02`, 14) + `\xef"…`, 0, 3},
		"/open":   {`got "\xef" ("INVALID") while parsing: "\xef"`, 0, 3},
		"/twice":  {"is given twice", 1, 5},
		"/labels": {"it has 17 labels; at most 16 are taken", 1, 4},
	} {
		f.mustLoad(collecting(t, "x", scraping(server.URL+path)))
		o := f.run("x", testTimeout)
		if o.Err == nil || !strings.Contains(o.Err.Error(), want.says) || !strings.Contains(o.Err.Error(), "cannot scrape "+server.URL+path+": ") {
			t.Errorf("%s: %v, want %q", path, o.Err, want.says)
		}
		if len(o.Samples) != want.count || o.Samples[0].Key != "up" || o.Samples[0].Value != want.up {
			t.Errorf("%s: %v", path, o.Samples)
		}
	}
}

func numbered(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("l%d=\"x\"", i))
	}
	return list
}

// A target that hangs is cut off, and the others are taken.
func TestScrapeHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	good := newExporter(t, "a 1\n")
	f := newFixture(t)
	f.mustLoad(collecting(t, "x", scraping(hanging.URL, good.URL)))
	o := f.run("x", 5*time.Second)
	if !errors.Is(o.Err, plugins.ErrTimeout) || !strings.Contains(o.Err.Error(), hanging.URL) {
		t.Errorf("the error is %v", o.Err)
	}
	up := make(map[string]float64)
	for _, s := range o.Samples {
		if s.Key == "up" {
			up["http://"+s.Labels.Get("instance")] = s.Value
		}
	}
	if up[hanging.URL] != 0 || up[good.URL] != 1 || len(up) != 2 {
		t.Errorf("up is %v", up)
	}
}

// Credentials are read again for each request, and go to nobody else.
func TestScrapeCredentials(t *testing.T) {
	var given string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given = r.Header.Get("Authorization")
		io.WriteString(w, "a 1\n")
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	f := newFixture(t)
	c := scraping(server.URL)
	c.Client = inspectors.Client{CA: ca, TokenFile: file("token", "one\n")}
	f.mustLoad(collecting(t, "x", c))
	for _, token := range []string{"one", "two"} {
		file("token", token+"\n")
		if o := f.run("x", testTimeout); o.Err != nil || given != "Bearer "+token {
			t.Errorf("%v, given %q, want the token %q", o.Err, given, token)
		}
	}
	c.Client = inspectors.Client{CA: ca, User: "me", PasswordFile: file("password", "secret")}
	f.mustLoad(collecting(t, "x", c))
	if o := f.run("x", testTimeout); o.Err != nil || given != "Basic bWU6c2VjcmV0" {
		t.Errorf("%v, given %q", o.Err, given)
	}
	c.Client = inspectors.Client{}
	f.mustLoad(collecting(t, "x", c))
	if o := f.run("x", testTimeout); !errors.As(o.Err, new(x509.UnknownAuthorityError)) {
		t.Errorf("without the authority: %v", o.Err)
	}
	c.Client = inspectors.Client{Insecure: true}
	f.mustLoad(collecting(t, "x", c))
	if o := f.run("x", testTimeout); o.Err != nil {
		t.Errorf("insecure: %v", o.Err)
	}
}

func TestTargetFiles(t *testing.T) {
	one, two := newExporter(t, "a 1\n"), newExporter(t, "a 2\n")
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := newFixture(t)
	c := scraping()
	c.TargetFiles = []string{filepath.Join(dir, "*.yaml"), filepath.Join(dir, "a.json")}
	f.mustLoad(collecting(t, "x", c))
	values := func() (plugins.Outcome, []string) {
		o := f.run("x", testTimeout)
		var got []string
		for _, s := range o.Samples {
			if s.Key == "a" {
				got = append(got, fmt.Sprintf("%v %s %s", s.Value, s.Labels.Get("instance"), s.Labels.Get("env")))
			}
		}
		slices.Sort(got)
		return o, got
	}
	if o, got := values(); len(got) > 0 || o.Err == nil || !strings.Contains(o.Err.Error(), "there is no file") {
		t.Errorf("without a file: %v, %v", got, o.Err)
	}
	write("a.json", fmt.Sprintf(`[{"targets": [%q], "labels": {"env": "prod", "__metrics_path__": "/x"}}]`, one.hostPort()))
	write("b.yaml", "- targets: ['"+two.hostPort()+"']\n")
	want := []string{"1 " + one.hostPort() + " prod", "2 " + two.hostPort() + " "}
	if o, got := values(); o.Err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, o.Err, want)
	}
	write("b.yaml", "- targets: ['"+two.hostPort()+"', 'not a target']\n")
	if o, got := values(); o.Err == nil || !strings.Contains(o.Err.Error(), `b.yaml": target "not a target": `) || !slices.Equal(got, want) {
		t.Errorf("a target that is none: %v, %v, want %v", got, o.Err, want)
	}
	write("b.yaml", "- targets: ['"+two.hostPort()+"']\n  label: {}\n")
	if o, got := values(); o.Err == nil || !strings.Contains(o.Err.Error(), `b.yaml:2:3: unknown field "label"`) || !slices.Equal(got, want) {
		t.Errorf("a file that is broken now: %v, %v, want %v", got, o.Err, want)
	}
	if err := os.Remove(filepath.Join(dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	if o, got := values(); o.Err != nil || !slices.Equal(got, want[:1]) {
		t.Errorf("without b.yaml: %v, %v", got, o.Err)
	}
}

// What Debian's node exporter shows is what is taken: the same metrics, kinds and
// number of series as another parser finds.
func TestScrapeNodeExporter(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("prometheus-node-exporter")
	if err != nil {
		t.Skip("prometheus-node-exporter is not installed")
	}
	address := freeport.Address(t)
	cmd := exec.Command(program, "--web.listen-address="+address, "--web.disable-exporter-metrics", "--log.level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address = "http://" + address + "/metrics"
	var body []byte
	patience.Until(t, "the node exporter answers", func() bool {
		answer, err := http.Get(address)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, err = io.ReadAll(answer.Body)
		return err == nil && answer.StatusCode == http.StatusOK
	})
	defer http.DefaultClient.CloseIdleConnections()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.mustLoad(collecting(t, "node", scraping(address)))
	o := f.run("node", testTimeout)
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	got := make(map[string]inspectors.Kind)
	for _, s := range o.Samples {
		got[inspectors.MetricName(s.Key)] = s.Kind
	}
	missing := 0
	for name, family := range families {
		kind := inspectors.Gauge
		if family.GetType().String() == "COUNTER" {
			kind = inspectors.Counter
		}
		switch family.GetType().String() {
		case "COUNTER", "GAUGE":
			if found, ok := got[name]; !ok {
				missing++ // its values may be no finite numbers
			} else if found != kind {
				t.Errorf("%s is a %v, want %v", name, found, kind)
			}
		}
	}
	if len(families) < 50 || missing > len(families)/10 {
		t.Errorf("%d of %d metrics are missing", missing, len(families))
	}
}

// Random answers are read as they were meant, and end the series that they do not have. So
// does one that cannot be read, and none that is only shown.
func TestScrapeRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 7))
	e := newExporter(t, "")
	f := newFixture(t)
	f.mustLoad(collecting(t, "x", scraping(e.URL)))
	instance, _ := url.Parse(e.URL)
	var before map[string]float64 // that were kept last
	for round := range 60 {
		var text strings.Builder
		want := make(map[string]float64)
		for m := range 1 + rng.IntN(8) {
			name := fmt.Sprintf("metric_%d", rng.IntN(20)+20*m)
			fmt.Fprintf(&text, "# TYPE %s %s\n", name, []string{"gauge", "counter", "untyped"}[rng.IntN(3)])
			for i := range rng.IntN(6) {
				value := []float64{rng.NormFloat64(), float64(rng.IntN(9)), math.Inf(1), math.NaN(), rng.ExpFloat64() * 1e300}[rng.IntN(5)]
				own := map[string]string{"i": strconv.Itoa(i), "v": randomText(rng)}
				fmt.Fprintf(&text, "%s{i=%q,v=\"%s\"} %v\n", name, own["i"], escape(own["v"]), strconv.FormatFloat(value, 'g', -1, 64))
				own["job"], own["instance"] = "x", instance.Host
				labels, _ := inspectors.Bearable(inspectorsLabels(own))
				if !math.IsNaN(value) && !math.IsInf(value, 0) {
					want[name+labels.String()] = value
				}
			}
		}
		e.text = text.String()
		broken, shown := rng.IntN(5) == 0, rng.IntN(5) == 0
		if broken {
			e.text += "{"
			clear(want)
		}
		o := f.runJob(plugins.Job{Name: "x", Timeout: testTimeout, Shown: shown})
		var ended []string
		for series := range before {
			if _, goesOn := want[series]; !goesOn && !shown {
				ended = append(ended, series)
			}
		}
		slices.Sort(ended)
		if !slices.Equal(f.ended, ended) {
			t.Fatalf("seed %d, round %d: ended %q, want %q", seed, round, f.ended, ended)
		}
		if !shown {
			before = want
		}
		got := make(map[string]float64)
		for series, s := range bySeries(o) {
			if strings.HasPrefix(series, "metric_") {
				got[series] = s.Value
			}
		}
		if (o.Err != nil) != broken || !maps.Equal(got, want) {
			t.Fatalf("seed %d, round %d: %v\n%s\ngot  %v\nwant %v", seed, round, o.Err, e.text, got, want)
		}
	}
}

// Targets that are down, removed or renamed end what they had; a run that is cut short ends
// nothing.
func TestScrapeEnds(t *testing.T) {
	one, two := newExporter(t, "a 1\n"), newExporter(t, "b 2\n")
	f := newFixture(t)
	own := func(e *exporter, name, job string) string {
		return name + `{instance="` + e.hostPort() + `",job="` + job + `"}`
	}
	scrapes := func(e *exporter, job string) []string {
		return []string{own(e, "scrape_duration_seconds", job), own(e, "scrape_samples_scraped", job), own(e, "up", job)}
	}
	run := func(why string, want ...string) map[string]inspectors.Sample {
		t.Helper()
		o := f.run("x", testTimeout)
		if !slices.Equal(f.ended, want) {
			t.Errorf("%s: ended %q, want %q (%v)", why, f.ended, want, o.Err)
		}
		return bySeries(o)
	}
	f.mustLoad(collecting(t, "x", scraping(one.URL, two.URL)))
	run("at first")
	f.mustLoad(collecting(t, "x", scraping(one.URL)))
	run("a target that is removed", append([]string{own(two, "b", "x")}, scrapes(two, "x")...)...)
	c := scraping(one.URL)
	c.Labels = map[string]string{"job": "y"}
	f.mustLoad(collecting(t, "x", c))
	run("a label that is changed", append([]string{own(one, "a", "x")}, scrapes(one, "x")...)...)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Run(ctx, []plugins.Job{{Name: "x", Timeout: testTimeout}}, func(o plugins.Outcome) {
		if len(o.Samples) > 0 || o.Err == nil {
			t.Errorf("a run that is cut short yields %v, %v", o.Samples, o.Err)
		}
	})
	one.Close()
	if up := run("a target that is down", own(one, "a", "y"))[own(one, "up", "y")]; up.Value != 0 || up.Time.IsZero() {
		t.Errorf("up is %+v", up)
	}
	run("a target that stays down")
}

func randomText(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteString([]string{"a", " ", "\\", "\"", "\n", "<", ">", "é", "{", "}", "=", ",", "\x01", "\u202e", "#", "x41"}[rng.IntN(16)])
	}
	return b.String()
}

func escape(text string) string {
	return strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\"", "\\\"").Replace(text)
}

// An exporter that is upgraded describes its metrics otherwise, or for the first time: the
// series follow, within two scrapes.
func TestScrapeFollowsDescriptions(t *testing.T) {
	e := newExporter(t, "# HELP a Old.\n# TYPE a gauge\na 1\nb 2\n")
	f := newFixture(t)
	f.mustLoad(collecting(t, "web", scraping(e.URL)))
	about := func(key string) (inspectors.Kind, inspectors.About) {
		t.Helper()
		o := f.run("web", testTimeout)
		for _, s := range o.Samples {
			if s.Key == key && s.About != nil {
				return s.Kind, *s.About
			}
		}
		return inspectors.Gauge, inspectors.About{}
	}
	if _, got := about("a"); got != (inspectors.About{Family: "a", Type: "gauge", Help: "Old."}) {
		t.Errorf("a is first described as %+v", got)
	}
	e.text = "# HELP a New.\n# TYPE a counter\na 1\n# HELP b Now.\nb 2\n"
	about("a")
	if kind, got := about("a"); kind != inspectors.Counter || got != (inspectors.About{Family: "a", Type: "counter", Help: "New."}) {
		t.Errorf("a is then %v, described as %+v", kind, got)
	}
	if _, got := about("b"); got != (inspectors.About{Family: "b", Help: "Now."}) {
		t.Errorf("b is then described as %+v", got)
	}
	e.text = "a 1\nb 2\n"
	about("a")
	if _, got := about("a"); got.Help != "New." {
		t.Errorf("without a description, a is described as %+v", got)
	}
}
