package master

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// fetch gets a URL of the master and returns status and body.
func fetch(t *testing.T, m *Master, path string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func reportOne(t *testing.T, m *Master, host string, seq uint64, at int64, v float64) {
	t.Helper()
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello(host))
	result := call[wire.ReportResult](t, agent, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: seq, Series: []wire.Series{{ID: 1, Key: "load/average-1"}},
		Columns: wire.Columns{T: []int64{at}, S: []uint32{1}, V: []float64{v}},
	})
	if result.Refused != 0 {
		t.Fatalf("refused: %+v", result)
	}
}

const loadQuery = "/api/v1/query?query=load_average_1"

func TestHistoryOutlivesTheMaster(t *testing.T) {
	cfg := config.Master{Data: t.TempDir(), History: config.History{Persist: true, MinFreeBytes: 1}}
	at := time.Now().UnixMilli()
	want := `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"load_average_1","host":"web-1","key":"load/average-1"},"value":[`
	for n := range 3 {
		t.Run(fmt.Sprint("run ", n), func(t *testing.T) {
			m := start(t, cfg)
			if n == 0 {
				reportOne(t, m, "web-1", 1, at, 0.25)
			}
			if status, body := fetch(t, m, loadQuery); status != http.StatusOK || !strings.HasPrefix(body, want) || !strings.HasSuffix(body, `,"0.25"]}]}}`) {
				t.Errorf("got %d %s\nwant %s", status, body, want)
			}
		})
	}
}

// Two masters on one folder would damage it. The second says why it ends.
func TestDataOfAnotherMaster(t *testing.T) {
	cfg := config.Master{Data: t.TempDir(), Listen: "127.0.0.1:0", History: config.History{Persist: true, MinFreeBytes: 1}}
	start(t, cfg)
	second, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler), Web: http.NotFoundHandler(), ClientScript: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, state.ErrLocked) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("got %v, want ErrLocked, and what to do", err)
	}
	select {
	case <-second.Ready():
		t.Error("the second master says that it is ready")
	default:
	}
}

func TestBadHistoryOptions(t *testing.T) {
	cfg := config.Master{Listen: "127.0.0.1:0", History: config.History{Retention: time.Minute}}
	if _, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "the shortest retention is 2h0m0s") {
		t.Errorf("got %v", err)
	}
}

func sha256Hex(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func TestWhoMayQuery(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		{Name: "grafana", Role: "viewer", SHA256: sha256Hex("v")},
		{Name: "me", Role: "operator", SHA256: sha256Hex("o")},
		{Name: "web-1", Role: "agent", Host: "web-1", SHA256: sha256Hex("a")},
	}})
	for _, path := range []string{"/api/v1/query?query=1", "/api/v1/labels", "/metrics"} {
		for _, c := range []struct {
			want   int
			header []string
		}{
			{http.StatusOK, []string{"Authorization", "Bearer v"}},
			{http.StatusOK, []string{"Authorization", "Bearer o"}},
			{http.StatusForbidden, []string{"Authorization", "Bearer a"}},
			{http.StatusUnauthorized, []string{"Authorization", "Bearer x"}},
			{http.StatusUnauthorized, []string{"Authorization", "Basic dg=="}},
			{http.StatusUnauthorized, nil},
			{http.StatusForbidden, []string{"Authorization", "Bearer v", "Origin", "https://elsewhere.example"}},
			{http.StatusOK, []string{"Authorization", "Bearer v", "Origin", m.URL()}},
		} {
			if status, body := fetch(t, m, path, c.header...); status != c.want {
				t.Errorf("%s with %v gave %d %s, want %d", path, c.header, status, body, c.want)
			}
		}
	}
	for _, path := range []string{"/-/healthy", "/-/ready"} {
		if status, body := fetch(t, m, path); status != http.StatusOK {
			t.Errorf("%s gave %d %s to a probe without a token", path, status, body)
		}
	}
	agent := dial(t, m, nil, rpc.DialOptions{Header: http.Header{"Authorization": {"Bearer a"}}})
	if e := refused(t, agent, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: "*", Points: 1}); e.Code != wire.CodeForbidden {
		t.Errorf("an agent's range gave %v", e)
	}
}

func TestMetricsOfTheMaster(t *testing.T) {
	m := start(t, config.Master{})
	reportOne(t, m, "web-1", 1, time.Now().UnixMilli(), 1)
	status, body := fetch(t, m, "/metrics")
	// The master may have written samples about itself and the host as well.
	for _, want := range []string{
		"\nvedette_hosts 1\n", "\nvedette_live_series 1\n", "\nvedette_connected_agents 1\n", "\nvedette_connections 1\n",
		"\nvedette_live_subscriptions 0\n", "\nvedette_live_lost_total 0\n", "\nvedette_history_samples_stored_total [1-9]", "\nprometheus_tsdb_head_series [1-9]",
		"\ngo_goroutines ",
	} {
		if status != http.StatusOK || !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("got %d without %q", status, want)
		}
	}
}

func TestRangeOverRPC(t *testing.T) {
	m := start(t, config.Master{})
	now := time.Now().UnixMilli()
	reportOne(t, m, "web-1", 1, now, 1)
	viewer := dial(t, m, nil, rpc.DialOptions{})
	last := call[wire.HistoryRangeResult](t, viewer, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: "metrics/*", FromMS: -60_000, Points: 100})
	if len(last.T) != 1 || last.T[0] != now || last.ToMS-last.FromMS != 60_000 {
		t.Errorf("the last minute is %+v", last)
	}
	empty := call[map[string]any](t, viewer, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: "metrics/nobody/*", FromMS: -60_000, Points: 100})
	if fmt.Sprint(empty["series"], empty["t"], empty["s"], empty["v"]) != "[] [] [] []" {
		t.Errorf("nothing is %v; want empty lists, not null", empty)
	}
	for want, p := range map[string]wire.HistoryRangeParams{
		"0 points; ask for 1 to 10000": {Pattern: "*"},
		"the pattern is empty":         {Points: 1},
		"before it begins":             {Pattern: "*", FromMS: 2, ToMS: 1, Points: 1},
	} {
		if e := refused(t, viewer, wire.HistoryRange.Name, p); e.Code != rpc.CodeInvalidParams || !strings.Contains(e.Message, want) {
			t.Errorf("%+v gave %v, want %s", p, e, want)
		}
	}
}

// While the history is not open, an agent is asked to wait, and a simple sample
// is shown all the same.
func TestReportsWhileTheHistoryIsNotOpen(t *testing.T) {
	m := start(t, config.Master{})
	store, err := history.New(history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closed := ingest.New(store, m.hub, m.registry)
	notKept, err := closed.Metric(t.Context(), "pi", &wire.Metric{TS: time.Now().UnixMilli(), Key: "a/b", Val: new(float64)})
	var busy *history.BusyError
	if notKept != nil || !errors.As(err, &busy) {
		t.Errorf("got %v, %v; want a BusyError", notKept, err)
	}
	if m.hub.SeriesCount("pi") != 1 {
		t.Error("the sample is not shown")
	}
}

// Which revision produced a series can be asked in PromQL.
func TestInspectorInfo(t *testing.T) {
	m := start(t, config.Master{})
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
	status := wire.StatusParams{All: true, Inspectors: []wire.InspectorStatus{
		{Name: "load", Kind: "script", Revision: "sha256:9f2c", State: wire.StateOK},
		{Name: "disk", Kind: "plugin", Revision: "sha256:77aa", State: wire.StateOK},
	}}
	call[wire.Empty](t, agent, wire.MasterStatus.Name, status)
	notes := m.newAnnotator()
	note := func() {
		t.Helper()
		if err := notes.note(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	note()
	query := "/api/v1/query?query=" + url.QueryEscape(`vedette_inspector_info{inspector="load"}`)
	want := `"metric":{"__name__":"vedette_inspector_info","host":"web-1","inspector":"load","key":"vedette/inspector_info","kind":"script","revision":"sha256:9f2c"}`
	if code, body := fetch(t, m, query); code != http.StatusOK || !strings.Contains(body, want) {
		t.Errorf("got %d %s\nwant %s", code, body, want)
	}
	reportOne(t, m, "web-2", 1, time.Now().UnixMilli(), 0.5)
	if _, body := fetch(t, m, "/api/v1/query?query="+url.QueryEscape(`label_replace(load_average_1, "host", "web-1", "", "") * on (host) group_left (revision) vedette_inspector_info{inspector="load"}`)); !strings.Contains(body, `"metric":{"host":"web-1","key":"load/average-1","revision":"sha256:9f2c"}`) {
		t.Errorf("joined with what it yields: %s", body)
	}
	status.Inspectors = status.Inspectors[:1]
	status.Inspectors[0].Revision = "sha256:new"
	call[wire.Empty](t, agent, wire.MasterStatus.Name, status)
	note()
	if len(notes.known) != 2 || notes.known[info{key: infoKey, host: "web-1", inspector: "load", kind: "script", revision: "sha256:new"}] == nil {
		t.Errorf("known are %v, want the new revision alone", notes.known)
	}
	status.Inspectors[0].Assigned = "of-the-catalog"
	call[wire.Empty](t, agent, wire.MasterStatus.Name, status)
	note()
	if len(notes.known) != 2 || notes.known[info{key: infoKey, host: "web-1", inspector: "load", kind: "script", revision: "of-the-catalog"}] == nil {
		t.Errorf("known are %v, want the revision of the catalog alone", notes.known)
	}
}

// Revisions change, hosts come and go, the history is away for a while and the master
// begins again, at random: at any time the documented join has one partner for each
// value, and it is the revision that ran.
func TestJoinWithTheRevision(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	m := start(t, config.Master{})
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
	notes, at := m.newAnnotator(), time.Now().Add(-20*time.Minute)
	values := m.history.NewSeries("web-1", "disk/used_percent", nil, inspectors.Gauge)
	revision := ""
	for step := range 60 {
		switch random.IntN(4) {
		case 0:
			notes = m.newAnnotator() // as a new master
		case 1, 2:
			revision = fmt.Sprint("r", random.IntN(3))
		}
		status := wire.StatusParams{All: true}
		if revision != "" {
			status.Inspectors = []wire.InspectorStatus{{Name: "disk", Kind: "script", Revision: revision, State: wire.StateOK}}
		}
		call[wire.Empty](t, agent, wire.MasterStatus.Name, status)
		at = at.Add(time.Duration(1+random.IntN(15)) * time.Second)
		if err := notes.note(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, err := m.history.NewAppender().Append(t.Context(), []history.Sample{{Series: values, T: at.UnixMilli(), V: 1}}); err != nil {
			t.Fatal(err)
		}
		query := fmt.Sprintf("/api/v1/query?time=%.3f&query=%s", float64(at.UnixMilli())/1000,
			url.QueryEscape(`disk_used_percent * on (host) group_left (revision) vedette_inspector_info{inspector="disk"}`))
		code, body := fetch(t, m, query)
		want := `"revision":"` + revision + `"`
		if code != http.StatusOK || revision != "" && (strings.Count(body, `"metric"`) != 1 || !strings.Contains(body, want)) {
			t.Fatalf("seed %d, step %d: with %q running the join gives %d %s", seed, step, revision, code, body)
		}
	}
}

// A host that is gone is written as that, but not before agents had time to come
// back to a master that has started, and not where it may go.
func TestHostsThatAreGoneAreWritten(t *testing.T) {
	m := start(t, config.Master{})
	at := time.Now().Add(-10 * time.Minute)
	steady, ephemeral := wire.Host{Host: "steady"}, wire.Host{Host: "job-7", Labels: map[string]string{"ephemeral": "true"}}
	m.registry.Restore(steady, nil)
	m.registry.Restore(ephemeral, nil)
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("here"))
	up := func(host string) string {
		t.Helper()
		query := fmt.Sprintf("/api/v1/query?time=%.3f&query=%s", float64(at.UnixMilli())/1000, url.QueryEscape(`vedette_host_up{host="`+host+`"}`))
		_, body := fetch(t, m, query)
		_, value, _ := strings.Cut(body, `"value":[`)
		_, value, _ = strings.Cut(value, `,"`)
		value, _, _ = strings.Cut(value, `"`)
		return value
	}
	for step, want := range []map[string]string{
		{"here": "1", "steady": "1", "job-7": "1"}, // as the run before left them
		{"here": "1", "steady": "1", "job-7": "1"}, // they may come back
		{"here": "1", "steady": "0", "job-7": ""},  // they have not
	} {
		at = at.Add(20 * time.Second)
		var err error
		switch step {
		case 0:
			var batch []history.Sample
			for host := range want {
				batch = append(batch, history.Sample{Series: m.history.NewSeries(host, upKey, nil, inspectors.Gauge), T: at.UnixMilli(), V: 1})
			}
			_, err = m.history.NewAppender().Append(t.Context(), batch)
		case 1:
			err = m.newHostAnnotator(time.Now().Add(time.Hour)).note(t.Context(), at)
		case 2:
			err = m.newHostAnnotator(time.Now().Add(-time.Hour)).note(t.Context(), at)
		}
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range want {
			if got := up(host); got != want {
				t.Errorf("step %d: vedette_host_up of %s is %q, want %q", step, host, got, want)
			}
		}
	}
}
