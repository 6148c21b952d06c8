package mesh

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
)

// show writes series as the command does.
func show(t *testing.T, q *query, all []remote.Series) string {
	t.Helper()
	q.learn(all)
	var out bytes.Buffer
	l := cli.List[remote.Series]{Columns: q.columns, Late: true}
	if err := l.Write(&out, all, time.Now()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestQueryTable(t *testing.T) {
	now := time.Now().UnixMilli()
	point := func(v float64) []remote.Point { return []remote.Point{{AtMS: now, Value: v}} }
	got := show(t, &query{}, []remote.Series{
		{Metric: map[string]string{"__name__": "disk_used_bytes", "host": "web-1", "key": "disk/used_bytes", "mount": "/"}, Points: point(2048)},
		{Metric: map[string]string{"__name__": "vedette_host_up", "host": "web-2"}, Points: point(1)},
	})
	want := `HOST   METRIC           KEY              MOUNT     VALUE
web-1  disk_used_bytes  disk/used_bytes  /      2.00 KiB
web-2  vedette_host_up  -                -             1
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	q := &query{length: time.Minute}
	host := map[string]string{"host": "a"}
	got = show(t, q, []remote.Series{{Metric: host, Points: []remote.Point{
		{AtMS: now - 59000, Value: 1}, {AtMS: now - 30000, Value: math.NaN()}, {AtMS: now, Value: 3},
	}}})
	if want := "HOST  COURSE                    LOWEST  MEAN  HIGHEST  LAST\na     ▁                      █       1     2        3     3\n"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	var out bytes.Buffer
	points := []remote.Point{{AtMS: 1500, Value: 1}, {AtMS: 2500, Value: math.Inf(1)}}
	if err := q.writePoints(&out, []remote.Series{{Metric: host, Points: points}}); err != nil {
		t.Fatal(err)
	}
	if want := "time,host,value\n1970-01-01T00:00:01.500Z,a,1\n1970-01-01T00:00:02.500Z,a,+Inf\n"; out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// Series are sorted by their labels, unless the expression asks for another order.
func TestQueryOrder(t *testing.T) {
	var answer string
	master := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	defer master.Close()
	for expression, kept := range map[string]bool{
		"load": false, "sum by (host) (load)": false, `load{a="topk(1"}`: false, "load # sort": false, "my_topk": false, "topk": false,
		"sort(load)": true, "( topk (2, load))": true, "topk by (host) (1, load)": true, "SORT_DESC(load)": true,
		"sort_by_label(load, \"host\")": true, "round(sort_desc(load))": true, "bottomk without(a) (2, load) > 1": true,
	} {
		for _, length := range []time.Duration{0, time.Minute} {
			kind, values := "vector", `"value": [1, "1"]`
			if length > 0 {
				kind, values = "matrix", `"values": [[1, "1"]]`
			}
			answer = fmt.Sprintf(`{"status": "success", "data": {"resultType": %q, "result": [
				{"metric": {"host": "b", "key": "k", "mount": "/"}, %[2]s}, {"metric": {"host": "c"}, %[2]s},
				{"metric": {"host": "b", "key": "k"}, %[2]s}, {"metric": {"host": "a", "mount": "/z"}, %[2]s}]}}`, kind, values)
			q := &query{length: length}
			q.URL, q.Timeout = master.URL, time.Hour
			all, err := q.ask(t.Context(), io.Discard, expression)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range all {
				got = append(got, s.Metric["host"]+s.Metric["mount"])
			}
			want := []string{"a/z", "b", "b/", "c"}
			if kept && length == 0 {
				want = []string{"b/", "c", "b", "a/z"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s over %v: got %q, want %q", expression, length, got, want)
			}
		}
	}
}

// Random series over a range: each is a line, and lowest, mean and highest are in order.
func TestQueryOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		var all []remote.Series
		for range r.IntN(5) {
			s := remote.Series{Metric: map[string]string{}}
			for range r.IntN(3) {
				s.Metric[[]string{"host", "key", "__name__", "a", "b"}[r.IntN(5)]] = "x"
			}
			for range r.IntN(50) {
				s.Points = append(s.Points, remote.Point{AtMS: time.Now().UnixMilli() - r.Int64N(100_000), Value: math.Float64frombits(r.Uint64())})
			}
			all = append(all, s)
		}
		q := &query{length: time.Minute}
		text := show(t, q, all)
		if n := strings.Count(text, "\n"); len(all) > 0 && n != len(all)+1 {
			t.Fatalf("seed %d: %d lines for %d series:\n%s", seed, n, len(all), text)
		}
		for _, s := range all {
			low, mean, high := slices.Min(finite(values(s))), meanOf(values(s)), slices.Max(finite(values(s)))
			if slack := math.Abs(mean) * 1e-9; !math.IsNaN(mean) && (low > mean+slack || high < mean-slack) {
				t.Errorf("seed %d: lowest %v, mean %v, highest %v", seed, low, mean, high)
			}
		}
	}
}

func TestTopSince(t *testing.T) {
	top := &top{}
	at := time.Now()
	first := top.since(statuses(100, 1), at)
	if first[0].RunsPerSecond != 1 || math.Abs(first[0].CPUPercent-1) > 1e-9 {
		t.Errorf("at first sight: %+v", first[0])
	}
	second := top.since(statuses(110, 1.5), at.Add(5*time.Second))
	if second[0].RunsPerSecond != 2 || math.Abs(second[0].CPUPercent-10) > 1e-9 {
		t.Errorf("after 5 s: %+v", second[0])
	}
	if idle := top.since(statuses(110, 1.5), at.Add(7*time.Second)); idle[0].CPUPercent != second[0].CPUPercent {
		t.Errorf("one that has not run since is told as %+v", idle[0])
	}
	// An agent that was restarted counts from 0.
	if again := top.since(statuses(1, 0.01), at.Add(9*time.Second)); again[0].RunsPerSecond != 1 || again[0].CPUPercent < 0 {
		t.Errorf("after a restart: %+v", again[0])
	}
}
