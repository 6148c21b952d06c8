package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

func TestSamplesAreKeptAcrossARestart(t *testing.T) {
	dir := t.TempDir()
	start := time.Now().Add(-time.Minute).Truncate(time.Second)
	at := func(s int) int64 { return start.Add(time.Duration(s) * time.Second).UnixMilli() }
	const want = `db-1/net/rx_total 1000=7; web-1/disk/used_percent{mount="/"} 0=31 1000=32; web-1/load/average-1 0=0.5`

	s := openStore(t, Options{Dir: dir})
	load := s.NewSeries("web-1", "load/average-1", nil, inspectors.Gauge)
	disk := s.NewSeries("web-1", "disk/used_percent", labelled(t, "mount", "/"), inspectors.Gauge)
	net := s.NewSeries("db-1", "net/rx_total", nil, inspectors.Counter)
	add(t, s, Sample{load, at(0), 0.5}, Sample{disk, at(0), 31}, Sample{disk, at(1), 32})
	add(t, s, Sample{net, at(1), 7})
	if got := stored(t, s, "metrics/*", start, start.Add(time.Minute)); got != want {
		t.Errorf("the store has %s\nwant %s", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Dir: dir})
	if got := stored(t, s, "metrics/*", start, start.Add(time.Minute)); got != want {
		t.Errorf("after a restart the store has %s\nwant %s", got, want)
	}
}

func TestInMemoryLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	abandoned := filepath.Join(os.TempDir(), "vedette-history-1")
	if err := os.MkdirAll(filepath.Join(abandoned, "chunks_head"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(abandoned, lockFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now().Truncate(time.Second)
	other := openStore(t, Options{})
	s := openStore(t, Options{})
	series := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
	add(t, s, Sample{series, start.UnixMilli(), 1}, Sample{series, start.UnixMilli() - 5000, 2})
	if got, want := stored(t, s, "*", start.Add(-5*time.Second), start), "h/a/b 0=2 5000=1"; got != want {
		t.Errorf("the store has %s, want %s", got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) != 2 {
		t.Errorf("there are %v; want the folders of the two stores, and none of a process that was killed", left)
	}
	for _, s := range []*Store{s, other} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// At least once becomes once: a sample is known by its series and time, late
// ones too, whether they were stored in this run or in the one before.
func TestRepeatedSamplesAreStoredOnce(t *testing.T) {
	dir := t.TempDir()
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	const want = "h/a/b 0=1 1000=2 2000=3 3000=4"
	for range 3 {
		s := openStore(t, Options{Dir: dir})
		a := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
		for _, order := range [][]int{{3}, {0, 1}, {2}, {0, 1, 2, 3}, {3, 3, 2, 2, 1, 0}} {
			var batch []Sample
			for _, i := range order {
				batch = append(batch, Sample{a, start.UnixMilli() + int64(i)*1000, float64(i + 1)})
			}
			add(t, s, batch...)
		}
		if got := stored(t, s, "*", start, start.Add(time.Minute)); got != want {
			t.Errorf("the store has %s\nwant %s", got, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefusedSamples(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	s := openStore(t, Options{OutOfOrder: time.Hour, MaxFuture: time.Minute, MaxSeriesPerHost: 2, now: func() time.Time { return now }})
	a := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
	add(t, s, Sample{a, now.UnixMilli(), 1}, Sample{s.NewSeries("h", "a/c", nil, inspectors.Gauge), now.UnixMilli(), 1})
	add(t, s, Sample{s.NewSeries("other", "a/b", nil, inspectors.Gauge), now.UnixMilli(), 1})
	for _, c := range []struct {
		name   string
		series *Series
		at     time.Duration
		v      float64
		want   string // "" where it is taken
	}{
		{"another value", a, 0, 2, "another value is stored"},
		{"tomorrow", a, 24 * time.Hour, 1, "is 24h0m0s ahead of the master's clock; set the clock of the host"},
		{"yesterday", a, -24 * time.Hour, 1, "is 24h0m0s ago; samples are taken up to 1h0m0s late"},
		{"one series too many", s.NewSeries("h", "a/d", nil, inspectors.Gauge), 0, 1, `host "h" has 2 active series, which is the limit`},
		{"just not too far ahead", a, time.Minute, 1, ""},
		{"just not too late", a, -time.Hour, 1, ""},
		{"late and of a new series", s.NewSeries("other", "a/c", nil, inspectors.Gauge), -time.Hour, 1, ""},
	} {
		// A sample that is refused does not keep its neighbours out.
		good := Sample{a, now.Add(c.at/2 - time.Millisecond).UnixMilli(), 5}
		if c.want != "" {
			good.T = now.UnixMilli() - 1
			good.V = 5
		}
		result, err := s.NewAppender().Append(t.Context(), []Sample{good, {c.series, now.Add(c.at).UnixMilli(), c.v}, good})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.want == "" && result.Refused != 0:
			t.Errorf("%s: refused: %v", c.name, result.Reason)
		case c.want != "" && (result.Refused != 1 || result.Stored != 2 || result.First != 1 || !strings.Contains(result.Reason.Error(), c.want)):
			t.Errorf("%s: got %+v; want a reason with %q", c.name, result, c.want)
		}
	}
}

// A sample from the future that had got in would make today's ones late: they
// must be taken all the same, up to the whole window.
func TestTheNewestSampleDoesNotEatFromTheWindow(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	s := openStore(t, Options{OutOfOrder: time.Hour, MaxFuture: 10 * time.Minute, now: func() time.Time { return now }})
	a := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
	add(t, s, Sample{a, now.Add(10 * time.Minute).UnixMilli(), 1})
	add(t, s, Sample{a, now.Add(-time.Hour).UnixMilli(), 2})
}

func TestOneStoreAFolder(t *testing.T) {
	dir := t.TempDir()
	openStore(t, Options{Dir: dir})
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, opts := range map[string]Options{
		"the shortest retention is 2h0m0s":           {Retention: time.Minute},
		"between 0 and the retention of 2h0m0s":      {Retention: 2 * time.Hour, OutOfOrder: 3 * time.Hour},
		"with a negative bound":                      {MaxBytes: -1},
		"cannot make the folder of the history":      {Dir: "/dev/null/history"},
		"cannot lock the history in \"/proc/self\":": {Dir: "/proc/self"},
	} {
		if s, err := Open(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v; want an error with %q", s, err, want)
		}
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s := openStore(t, Options{})
	a := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewAppender().Append(t.Context(), []Sample{{a, time.Now().UnixMilli(), 1}}); !errors.Is(err, ErrClosed) {
		t.Errorf("Append gave %v, want ErrClosed", err)
	}
	var busy *BusyError
	if _, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "*"), Points: 1}); !errors.As(err, &busy) {
		t.Errorf("Range gave %v, want a BusyError", err)
	}
}

// Before it is open, a store asks to be tried again.
func TestAppendBeforeTheStoreIsOpen(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	_, err = s.NewAppender().Append(t.Context(), []Sample{{s.NewSeries("h", "a/b", nil, inspectors.Gauge), 1, 1}})
	if !errors.As(err, &busy) || busy.RetryAfter <= 0 {
		t.Errorf("Append gave %v, want a BusyError", err)
	}
}

// Many connections append at once; each gets its own answer.
func TestConcurrentAppenders(t *testing.T) {
	s := openStore(t, Options{Dir: t.TempDir()})
	start := time.Now().Add(-time.Minute).Truncate(time.Second)
	const appenders, rounds = 20, 50
	done := make(chan error)
	for n := range appenders {
		go func() {
			appender := s.NewAppender()
			series := s.NewSeries(fmt.Sprintf("h%d", n), "a/b", nil, inspectors.Gauge)
			for i := range rounds {
				batch := []Sample{{series, start.UnixMilli() + int64(i), float64(i)}, {series, time.Now().Add(time.Hour * 24).UnixMilli(), 1}}
				if result, err := appender.Append(t.Context(), batch[:1+(n+i)%2]); err != nil || result.Stored != 1 || result.Refused != (n+i)%2 {
					done <- fmt.Errorf("round %d: %+v, %v", i, result, err)
					return
				}
			}
			done <- nil
		}()
	}
	for range appenders {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "*"), From: start.UnixMilli(), To: start.Add(time.Second).UnixMilli(), Points: 1000})
	if err != nil || len(result.Series) != appenders {
		t.Fatalf("got %d series, %v", len(result.Series), err)
	}
	for _, series := range result.Series {
		if len(series.T) != rounds {
			t.Errorf("%s has %d samples, want %d", series.Host, len(series.T), rounds)
		}
	}
}

func TestMetricNames(t *testing.T) {
	for key, want := range map[string]string{
		"load/average-1":          "load_average_1",
		"memory/percent-free":     "memory_percent_free",
		"5xx/count":               "_5xx_count",
		"a.b:c_d":                 "a_b_c_d",
		"vedette/inspector_total": "vedette_inspector_total",
	} {
		if got := inspectors.MetricName(key); got != want {
			t.Errorf("%q is %q, want %q", key, got, want)
		}
	}
	own := labelled(t, "mount", "/", "empty", "")
	if got, want := seriesLabels("web-1", "disk/used", own).String(), `{__name__="disk_used", host="web-1", key="disk/used", mount="/"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
