package collect

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// sender sends packets to a collector, and waits until their lines were read.
type sender struct {
	t    *testing.T
	f    *fixture
	name string
	net.Conn
}

func newSender(t *testing.T, f *fixture, name, network, address string) *sender {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &sender{t, f, name, conn}
}

func (s *sender) send(packets ...string) {
	s.t.Helper()
	do := s.f.loaded[s.name].do.(*statsd)
	lines := func() uint64 {
		do.mu.Lock()
		defer do.mu.Unlock()
		return do.lines
	}
	for _, packet := range packets {
		want := lines()
		for line := range strings.Lines(packet) {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		if _, err := s.Write([]byte(packet)); err != nil {
			s.t.Fatal(err)
		}
		patience.Until(s.t, fmt.Sprintf("%.80q is read", packet), func() bool { return lines() == want })
	}
}

func statsdOf(t *testing.T, name, address string, with ...func(*inspectors.Definition)) inspectors.Definition {
	t.Helper()
	return collecting(t, name, inspectors.Collector{Kind: inspectors.CollectStatsD, Targets: []string{address}}, with...)
}

func TestStatsd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	f := newFixture(t)
	f.mustLoad(statsdOf(t, "app", path))
	s := newSender(t, f, "app", "unixgram", path)
	s.send("a.b:1|c|#x:1,y\na.b:2|c|@0.5|#y,x:1\n", "temp:20|g", "temp:-3|g\ntemp:+1|g", "u:x|s\nu:y|s\nu:x|s", "wait:100:300|ms\nsize:5|h|@0.1",
		"_e{1,2}:a|bc\n_sc|x|0", "nonsense\na:b|c\na:-1|c\n:1|c\na:1|q\na:1|c|@0")
	want := map[string]float64{
		`app/a.b_total{x="1",y="true"}`: 5, `app/temp`: 18, `app/u_distinct`: 2,
		`app/wait_seconds_count`: 2, `app/wait_seconds_sum`: 0.4, `app/wait_seconds{quantile="0.5"}`: 0.1, `app/wait_seconds{quantile="0.9"}`: 0.3,
		`app/wait_seconds{quantile="0.99"}`: 0.3, `app/wait_seconds{quantile="1"}`: 0.3,
		`app/size_count`: 10, `app/size_sum`: 50, `app/size{quantile="0.5"}`: 5, `app/size{quantile="0.9"}`: 5, `app/size{quantile="0.99"}`: 5,
		`app/size{quantile="1"}`: 5,
		`app/lines_total`:        18, `app/dropped_total{reason="bad"}`: 6,
	}
	values := func(o plugins.Outcome) map[string]float64 {
		got := make(map[string]float64)
		for series, s := range bySeries(o) {
			got[series] = s.Value
		}
		return got
	}
	o := f.run("app", testTimeout)
	if got := values(o); o.Err != nil || !maps.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
		t.Errorf("%v\ngot  %v\nwant %v", o.Err, got, want)
	}
	// Counters stay, and values of one run start again. New settings keep the counts under
	// the new labels; the series with the old ones end.
	f.mustLoad(statsdOf(t, "app", path, func(d *inspectors.Definition) { d.Collector.Labels = map[string]string{"team": "web"} }))
	s.send("a.b:1|c|#x:1,y")
	o = f.run("app", testTimeout)
	got := values(o)
	if got[`app/a.b_total{team="web",x="1",y="true"}`] != 6 || got[`app/wait_seconds_count{team="web"}`] != 2 || got[`app/lines_total{team="web"}`] != 19 {
		t.Errorf("then %v", got)
	}
	if distinct, is := got[`app/u_distinct{team="web"}`]; distinct != 0 || !is {
		t.Errorf("then %v", got)
	}
	if _, is := got[`app/wait_seconds{quantile="1",team="web"}`]; is {
		t.Error("quantiles of nothing are told")
	}
	if !slices.Equal(f.ended, slices.Sorted(maps.Keys(want))) {
		t.Errorf("%q have ended", f.ended)
	}
}

func TestStatsdIsBounded(t *testing.T) {
	address := freeport.Address(t)
	f := newFixture(t)
	f.mustLoad(statsdOf(t, "app", address, func(d *inspectors.Definition) { d.Budget.Series = 50 + ownSeries }))
	if err := f.Load(t.Context(), statsdOf(t, "other", address)); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second one on the address: %v", err)
	}
	path := filepath.Join(t.TempDir(), "s")
	f.mustLoad(statsdOf(t, "unix", path))
	if err := f.Load(t.Context(), statsdOf(t, "thief", path)); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second one on the path: %v", err)
	}
	s := newSender(t, f, "app", "udp", address)
	for i := range 10 {
		var packet strings.Builder
		for k := range 10 {
			fmt.Fprintf(&packet, "m%d:1|c\n", i*10+k)
		}
		s.send(packet.String())
	}
	o := f.run("app", testTimeout)
	if got := value(t, o, `app/dropped_total{reason="series"}`); got != 50 {
		t.Errorf("%v lines are dropped, want 50", got)
	}
	samples, err := f.loaded["app"].do.collect(t.Context(), run{at: o.Start.Add(2 * forgetAfter)})
	if len(samples) != 2 || err != nil {
		t.Errorf("two hours later: %v, %v", samples, err)
	}
	s.send("now:1|c")
	if got := value(t, f.run("app", testTimeout), `app/now_total`); got != 1 {
		t.Errorf("what was forgotten leaves no room: %v", got)
	}
}

// No single line keeps later ones from being counted.
func TestStatsdSumsStayExact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	f := newFixture(t)
	f.mustLoad(statsdOf(t, "app", path))
	s := newSender(t, f, "app", "unixgram", path)
	huge := []string{
		"a:1|c|@1e-300", "a:1e308|c", "a:1e16|c", "a:9e15|c|@0.5", "a:1|h|@1e-17", "a:0|h|@1e-300", "a:-1e300|h", "a:1e17|ms", "a:+1e300|g", "a:-1e16|g",
	}
	for range 20 {
		rand.Shuffle(len(huge), func(i, j int) { huge[i], huge[j] = huge[j], huge[i] })
		s.send(strings.Join(huge, "\n"), "a:1|c\na:1|h\na:1|g\na:+1|g\na:1000|ms")
	}
	s.send("b:1e300|g\nb:7e15|c")
	o := f.run("app", testTimeout)
	for series, want := range map[string]float64{
		"app/a_total": 20, "app/a_count": 20, "app/a_sum": 20, "app/a": 2, "app/a_seconds_sum": 20, "app/b": 1e300, "app/b_total": 7e15,
		`app/dropped_total{reason="bad"}`: float64(20 * len(huge)),
	} {
		if got := value(t, o, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

// Random lines add up to what a simple sum says.
func TestStatsdRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 5))
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "s.sock")
	f.mustLoad(statsdOf(t, "app", path))
	s := newSender(t, f, "app", "unixgram", path)
	counts, gauges, lines := make(map[string]float64), make(map[string]float64), 0
	for range 50 {
		var packet []string
		for range 1 + rng.IntN(8) {
			name, v := fmt.Sprintf("n%d", rng.IntN(5)), float64(rng.IntN(100))
			tags := []string{"a:" + string(rune('x'+rng.IntN(2))), "b:1"}
			series := fmt.Sprintf(`{a="%s",b="1"}`, tags[0][2:])
			rng.Shuffle(2, func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
			kind := "c"
			if rng.IntN(2) == 0 {
				kind = "g"
				gauges["app/"+name+series] = v
			} else {
				counts["app/"+name+"_total"+series] += v
			}
			packet = append(packet, fmt.Sprintf("%s:%v|%s|#%s", name, v, kind, strings.Join(tags, ",")))
		}
		lines += len(packet)
		s.send(strings.Join(packet, "\n"))
	}
	got := bySeries(f.run("app", testTimeout))
	maps.Copy(counts, gauges)
	counts["app/lines_total"] = float64(lines)
	for series, want := range counts {
		if got[series].Value != want {
			t.Errorf("seed %d: %s is %v, want %v", seed, series, got[series].Value, want)
		}
	}
	if len(got) != len(counts) {
		t.Errorf("seed %d: %d series, want %d", seed, len(got), len(counts))
	}
}

// Whatever comes, what is told is good, and bounded.
func FuzzStatsd(f *testing.F) {
	f.Add([]byte("a:1|c|@0.1|#b:c,d\na:1:2|ms"))
	f.Add([]byte("ö:+1|g|#host:x,:y,__z:1,1:2\nö:x|s"))
	f.Add([]byte("a/b:1e308|c\na/b:1e308|c\n/:1|d\n"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		s := &statsd{name: "app", most: 20, series: make(map[seriesID]*tally), dropped: make(map[string]uint64)}
		s.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
		now := time.UnixMilli(1)
		s.packet(packet, now)
		samples, err := s.collect(t.Context(), run{at: now})
		if err != nil || len(samples) > 20 {
			t.Fatalf("%d series, %d samples, %v", len(s.series), len(samples), err)
		}
		var seen []string
		for _, s := range samples {
			if err := inspectors.ValidateKey(s.Key); err != nil {
				t.Fatal(err)
			}
			if err := s.Labels.Validate(); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, s.Key+s.Labels.String())
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != len(samples) {
			t.Fatalf("a series is there twice: %v", seen)
		}
	})
}
