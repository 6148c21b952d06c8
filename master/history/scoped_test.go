package history

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/master/scope"
)

// fixedHosts are hosts whose labels do not change.
type fixedHosts []string

func (f fixedHosts) LabelsOf(host string) (map[string]string, bool) {
	return map[string]string{scope.HostLabel: host}, slices.Contains(f, host)
}
func (f fixedHosts) Names() []string  { return slices.Clone(f) }
func (fixedHosts) Generation() uint64 { return 1 }

// tricks are expressions that try to reach other series than those that they name.
var tricks = []string{
	`count({__name__=~".+"})`, `{host=""}`, `{host!~""}`, `count by (host) ({key!=""})`, `absent({host="web-2"})`,
	`label_replace(load_average_1, "host", "web-1", "host", ".*")`, `load_average_1 * on () group_left (host) topk(1, load_average_1)`,
	`up or on () load_average_1`, `count_over_time((count({__name__=~".+"}))[30m:1m] @ end())`, `count by (key) (last_over_time({host!=""}[10m]))`,
	`sum by (host) (count_values by (host) ("v", memory_percent_free))`, `group by (host) ({__name__=~".+"} offset 5m)`,
}

// Whatever is asked, whoever is bound to some hosts gets the answer of a history that
// has nothing of the others. Which hosts these are is chosen at random.
func TestScopedAnswersAreThoseOfTheirHostsAlone(t *testing.T) {
	fleet := fixedHosts{"web-1", "web-2", "db-1"}
	for n := range 2 * hostsAtOnce { // that have no samples
		fleet = append(fleet, fmt.Sprint("idle-", n))
	}
	rand.Shuffle(len(fleet), func(i, j int) { fleet[i], fleet[j] = fleet[j], fleet[i] })
	everything := compatHistory(t, func(string) bool { return true })
	for _, bound := range []string{"host=web-1", "host in (web-2,db-1)", "host notin (web-1)", "host=nobody"} {
		caller := scope.Of(bound, fleet)
		some := compatHistory(t, caller.Sees)
		scoped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			everything.Handler().ServeHTTP(w, r.WithContext(scope.With(r.Context(), caller)))
		}))
		t.Cleanup(scoped.Close)
		apart := httptest.NewServer(some.Handler())
		t.Cleanup(apart.Close)
		start, end := compatTimes()
		at := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
		same := func(path string, params url.Values) {
			wantCode, want := ask(t, apart.URL, path, params, false)
			code, got := ask(t, scoped.URL, path, params, false)
			if code != wantCode || normal(t, got) != normal(t, want) {
				t.Errorf("bound to %s, %s of %v: HTTP %d\n%.600s\nthe hosts alone: HTTP %d\n%.600s", bound, path, params, code, got, wantCode, want)
			}
		}
		expressions := append(slices.Clone(compatExpressions), tricks...)
		for _, expression := range expressions {
			middle := start.Add(time.Duration(rand.IntN(60)) * time.Minute)
			same("/api/v1/query", url.Values{"query": {expression}, "time": {at(middle)}})
			if rand.IntN(3) == 0 {
				same("/api/v1/query_range", url.Values{"query": {expression}, "start": {at(start)}, "end": {at(end)}, "step": {"40s"}})
			}
		}
		for _, set := range []string{`{host!=""}`, `{__name__=~".+"}`, `{host=~".*"}`, `up`, `{host="web-2"}`, `{key=""}`} {
			match := url.Values{"match[]": {set}}
			same("/api/v1/series", match)
			same("/api/v1/labels", match)
			for _, name := range []string{"host", "__name__", "key", "cpu", "path", "nothing"} {
				same("/api/v1/label/"+name+"/values", match)
				same("/api/v1/label/"+name+"/values", nil)
			}
		}
		same("/api/v1/labels", nil)
		sameRange(t, everything, some, caller)
		if metadata := metadataNames(t, scoped.URL); strings.Contains(metadata, "odd_nan") != caller.Sees("web-1") {
			t.Errorf("bound to %s the metadata is %s", bound, metadata)
		}
	}
}

func metadataNames(t *testing.T, base string) string {
	t.Helper()
	_, body := ask(t, base, "/api/v1/metadata", nil, false)
	return string(body)
}

// sameRange compares the samples for a chart.
func sameRange(t *testing.T, everything, some *Store, caller scope.Scope) {
	t.Helper()
	start, end := compatTimes()
	for _, text := range []string{"metrics/*", "*", "metrics/web-*", "metrics/db-1/*", "metrics/*/load/*"} {
		pattern, err := live.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		request := RangeRequest{Pattern: pattern, From: start.UnixMilli(), To: end.UnixMilli(), Points: 10, Means: true}
		got, err := everything.Range(scope.With(t.Context(), caller), request)
		if err != nil {
			t.Fatal(err)
		}
		want, err := some.Range(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("bound to %s, the range of %s has %d series, want %d", caller.Selector(), text, len(got.Series), len(want.Series))
		}
	}
}
