package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
)

// post sends a form to the API and returns the answer. The request ends with ctx.
func post(ctx context.Context, h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Every place that takes an expression refuses what is too long or too deep.
func TestExpressionsAreRefusedBeforeTheyAreParsed(t *testing.T) {
	h := openStore(t, Options{}).Handler()
	for name, text := range map[string]string{
		"terms":    "1" + strings.Repeat("+1", 10_000),
		"brackets": strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000),
		"levels":   strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500),
		"signs":    strings.Repeat("-", 5000) + "1",
		"matchers": `x{` + strings.Repeat(`a="b",`, 100_000) + `}`,
		"regular":  `{a=~"` + strings.Repeat("(x+x+)+", 10_000) + `"}`,
	} {
		for path, form := range map[string]url.Values{
			"query":           {"query": {text}},
			"query_range":     {"query": {text}, "start": {"0"}, "end": {"1"}, "step": {"1"}},
			"query_exemplars": {"query": {text}},
			"format_query":    {"query": {text}},
			"series":          {"match[]": {text}},
			"labels":          {"match[]": {"up", text}},
		} {
			w := post(t.Context(), h, path, form)
			var answer struct{ Status, ErrorType, Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusBadRequest || answer.ErrorType != "bad_data" ||
				len(answer.Error) > 500 {
				t.Errorf("%s, %s: %d %.300s", path, name, w.Code, w.Body)
			}
		}
		if len(text) < 5000 { // fits into an address
			if w := get(t, h, "/api/v1/label/host/values?match[]="+url.QueryEscape(text)); w.Code != http.StatusBadRequest {
				t.Errorf("label values, %s: %d %.300s", name, w.Code, w.Body)
			}
		}
	}
	if w := post(t.Context(), h, "query", url.Values{"query": {"1"}, "x": {strings.Repeat("y", 2<<20)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a large form: %d %.300s", w.Code, w.Body)
	}
}

func TestSubqueriesAreRefusedBeforeTheyAreEvaluated(t *testing.T) {
	s := openStore(t, Options{})
	for _, query := range []string{
		"sum_over_time(vector(1)[15d:1ms])", "max_over_time(sum_over_time(vector(1)[1d:1s])[1d:1s])", "vector(1)[15d:1ms]",
		"sum_over_time(vector(1)[15d:1ms] @ end() offset -1d)",
	} {
		w := post(t.Context(), s.Handler(), "query", url.Values{"query": {query}})
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"errorType":"execution"`) ||
			!strings.Contains(w.Body.String(), "subquer") {
			t.Errorf("%s: %d %.300s", query, w.Code, w.Body)
		}
	}
	const query = "sum_over_time(vector(1)[15d:1ms])"
	w := post(t.Context(), s.Handler(), "query_range", url.Values{"query": {query}, "start": {"1000000"}, "end": {"1000001"}, "step": {"1"}})
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("%s in a range: %d %.300s", query, w.Code, w.Body)
	}
}

// busyStore has series whose values are all different.
func busyStore(t *testing.T, series, samples int, opts Options) *Store {
	t.Helper()
	s := openStore(t, opts)
	begin := time.Now().Add(-time.Duration(samples) * time.Second).UnixMilli()
	for n := range series {
		one := s.NewSeries("h", fmt.Sprintf("busy/v%d", n), nil, inspectors.Gauge)
		batch := make([]Sample, samples)
		for i := range batch {
			batch[i] = Sample{one, begin + int64(i)*1000, float64(n) + float64(i)*1.0001}
		}
		add(t, s, batch...)
	}
	return s
}

// rangeForm asks for the last so many points, a second apart.
func rangeForm(query string, points int) url.Values {
	end := time.Now().Unix()
	return url.Values{"query": {query}, "start": {fmt.Sprint(end - int64(points))}, "end": {fmt.Sprint(end)}, "step": {"1"}}
}

// The engine sets 80 KB aside for each series of an answer, and one function
// makes a series of each value. It counts none of that.
func TestMemoryOfQueriesIsBounded(t *testing.T) {
	s := busyStore(t, 4, 3000, Options{queryBytes: 64 << 20})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			w := post(t.Context(), s.Handler(), "query_range", rangeForm(`count_values("v", {host="h"})`, 3000))
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "too much memory") {
				t.Errorf("got %d %.300s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	runtime.GC()
	if w := post(t.Context(), s.Handler(), "query", url.Values{"query": {`count({host="h"})`}}); w.Code != http.StatusOK ||
		!strings.Contains(w.Body.String(), `"4"`) {
		t.Errorf("afterwards: %d %.300s", w.Code, w.Body)
	}
}

// slowQuery takes minutes: each of its terms goes over all points again.
func slowQuery() url.Values {
	return rangeForm("count("+strings.Repeat(`sort_desc(label_replace(label_replace(`,
		30)+`{host="h"}`+strings.Repeat(`, "a", "$1", "key", ".*(.*).*(.*).*"), "c", "$1$2", "key", "(.*)(.*)"))`, 30)+")", 3000)
}

// A query ends with its time, with its client, and with the store.
func TestQueriesEnd(t *testing.T) {
	s, err := Open(Options{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	for n := range 500 {
		one := s.NewSeries("h", fmt.Sprintf("busy/v%d", n), nil, inspectors.Gauge)
		var batch []Sample
		for i := range int64(60) {
			batch = append(batch, Sample{one, now - i*60_000, float64(i)})
		}
		slices.Reverse(batch)
		add(t, s, batch...)
	}
	form := slowQuery()
	form.Set("timeout", "50ms")
	if w := post(t.Context(), s.Handler(), "query_range", form); w.Code != http.StatusServiceUnavailable ||
		!strings.Contains(w.Body.String(), `"errorType":"timeout"`) {
		t.Errorf("with a timeout: %d %.300s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan *httptest.ResponseRecorder, 1)
	ask := func(ctx context.Context) {
		go func() { answers <- post(ctx, s.Handler(), "query_range", slowQuery()) }()
		for busy := 0; busy == 0; busy, _ = s.queries.Load() {
			runtime.Gosched()
		}
	}
	wait := func(what string, codes ...int) {
		t.Helper()
		select {
		case w := <-answers:
			if !slices.Contains(codes, w.Code) {
				t.Errorf("when %s: %d %.300s", what, w.Code, w.Body)
			}
		case <-time.After(patience.Limit):
			t.Fatalf("when %s the query goes on", what)
		}
	}
	ask(ctx)
	cancel()
	wait("the client went", 499)
	ask(t.Context())
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	// A query that has its place, but has not begun, is refused.
	wait("the store closed", 499, http.StatusServiceUnavailable)
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience.Limit):
		t.Fatal("the store does not close")
	}
}

// Many ranges over many series of callers who leave at any time keep to their
// places, and nothing goes on behind them.
func TestRangesOfCallersWhoLeave(t *testing.T) {
	s := openStore(t, Options{})
	now := time.Now().UnixMilli()
	batch := make([]Sample, 6000)
	for n := range batch {
		batch[n] = Sample{s.NewSeries("h", fmt.Sprintf("many/v%05d", len(batch)-n), nil, inspectors.Gauge), now, float64(n)}
	}
	add(t, s, batch...)
	request := RangeRequest{Pattern: pattern(t, "metrics/*"), From: now - 1000, To: now + 1000, Points: 10}
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(WithCaller(t.Context(), fmt.Sprint(n%2)))
			defer cancel()
			if rand.IntN(2) == 0 {
				go cancel()
			}
			result, err := s.Range(ctx, request)
			if busy, _ := s.ranges.Load(); busy > s.ranges.Places() {
				t.Errorf("%d ranges are read at once", busy)
			}
			if errors.Is(err, context.Canceled) {
				return
			}
			if err != nil || len(result.Series) != MaxRangeSeries || !result.Truncated {
				t.Errorf("got %d series, %v, %v", len(result.Series), result.Truncated, err)
				return
			}
			for i, series := range result.Series {
				if want := fmt.Sprintf("many/v%05d", i+1); series.Key != want {
					t.Errorf("series %d is %s, want %s", i, series.Key, want)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience.Limit):
		t.Fatal("a range does not end")
	}
	if busy, waiting := s.ranges.Load(); busy+waiting != 0 {
		t.Errorf("%d go on, %d wait", busy, waiting)
	}
}
