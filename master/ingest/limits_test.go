package ingest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc/wire"
)

// declared makes declarations of series that are numbered from 0.
func declared(n int) []wire.Series {
	series := make([]wire.Series, n)
	for i := range series {
		series[i] = wire.Series{ID: uint32(i), Key: fmt.Sprintf("a/%d", i)}
	}
	return series
}

// one returns the columns of one sample of each series, from 0 to n-1.
func one(n int, t int64) (times []int64, of []uint32, values []float64) {
	for i := range n {
		times, of, values = append(times, t), append(of, uint32(i)), append(values, float64(i))
	}
	return times, of, values
}

// A host that has as many series as it may goes on with them whatever connects
// again: its agent, a program with single values, a Prometheus.
func TestKnownSeriesOfAFullHost(t *testing.T) {
	const limit = 20
	f := newFixtureOf(t, history.Options{MaxSeriesPerHost: limit})
	for connection := range int64(3) {
		session := f.ingest.NewSession(f.agent, 0)
		times, of, values := one(limit, 1000*(connection+1))
		result, err := session.Report(t.Context(), f.report(uint64(connection)+1, declared(limit), times, of, values))
		if err != nil || result.Refused != 0 {
			t.Fatalf("connection %d: got %+v, %v", connection, result, err)
		}
	}
	if got, want := strings.Count(f.kept(t), "@"), 3*limit; got != want {
		t.Errorf("the history has %d samples, want %d", got, want)
	}
	v := 1.0
	if notKept, err := f.ingest.Metric(t.Context(), "web-1", &wire.Metric{TS: f.base + 5000, Key: "a/3", Val: &v}); notKept != nil || err != nil {
		t.Errorf("a single value of a known series: %v, %v", notKept, err)
	}
	if _, err := f.ingest.Metric(t.Context(), "web-1", &wire.Metric{TS: f.base + 5000, Key: "a/new", Val: &v}); !errors.Is(err, errNoRoom) {
		t.Errorf("a single value of a new series: %v, want that there is no room", err)
	}
}

func TestKnownRemoteSeriesOfAFullHost(t *testing.T) {
	const limit = 20
	f := newFixtureOf(t, history.Options{MaxSeriesPerHost: limit})
	for round := range int64(3) {
		var request []receive.Series
		for i := range limit {
			request = append(request, remote(fmt.Sprint("m", i), []receive.Point{{T: f.base + round, V: 1}}, "instance", "web-9:1"))
		}
		if result, err := f.ingest.Remote(t.Context(), "", request); err != nil || result.Refused != 0 {
			t.Fatalf("round %d: got %+v, %v", round, result, err)
		}
		f.ingest.remote.series = nil // as after a restart, or where there are very many
	}
	result, err := f.ingest.Remote(t.Context(), "", []receive.Series{remote("new", []receive.Point{{T: f.base, V: 1}}, "instance", "web-9:1")})
	if err != nil || result.Refused != 1 || !errors.Is(result.Reason, errNoRoom) {
		t.Errorf("a new series: %+v, %v", result, err)
	}
}

// The limit is the one that is configured, for those who watch as well, be it
// smaller or larger than what it is by itself.
func TestLimitIsTheConfiguredOne(t *testing.T) {
	for _, limit := range []int{7, 60_000} {
		f := newFixtureOf(t, history.Options{MaxSeriesPerHost: limit})
		session := f.ingest.NewSession(f.agent, 0)
		result, err := session.Report(t.Context(), f.report(1, declared(limit+3), nil, nil, nil))
		if err != nil || result.Refused != 3 || !strings.Contains(result.Reason, fmt.Sprintf("has %d series, which is the limit", limit)) {
			t.Errorf("a limit of %d: got %+v, %v", limit, result, err)
		}
		if got := f.hub.SeriesCount("web-1"); got != limit {
			t.Errorf("%d series are shown, want %d", got, limit)
		}
	}
}

// A series that was beyond the limit is taken as soon as there is room, on the
// same connection: an agent declares a number once.
func TestSeriesThatWaited(t *testing.T) {
	f := newFixtureOf(t, history.Options{MaxSeriesPerHost: 3})
	session := f.ingest.NewSession(f.agent, 0)
	if result, err := session.Report(t.Context(), f.report(1, declared(4), nil, nil, nil)); err != nil || result.Refused != 1 {
		t.Fatalf("got %+v, %v", result, err)
	}
	if result, err := session.Report(t.Context(), f.report(2, nil, []int64{1}, []uint32{3}, []float64{1})); err != nil || result.Refused != 1 ||
		!strings.Contains(result.Reason, "the limit") {
		t.Fatalf("got %+v, %v", result, err)
	}
	f.hub.Sweep(time.Now().Add(live.IdleAfter))
	if result, err := session.Report(t.Context(), f.report(3, nil, []int64{2}, []uint32{3}, []float64{1})); err != nil || result.Refused != 0 {
		t.Errorf("there is room now, and still: %+v, %v", result, err)
	}
	if got, want := f.kept(t), "web-1/a/3@2=1"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
}

// A connection on which series come and go for very long is asked to begin
// again; none of its samples is lost for that.
func TestNumbersAreBounded(t *testing.T) {
	const limit = 10
	f := newFixtureOf(t, history.Options{MaxSeriesPerHost: limit})
	session := f.ingest.NewSession(f.agent, 0)
	var last error
	for i := range uint32(5 * limit) {
		series := []wire.Series{{ID: i, Key: fmt.Sprintf("a/%d", i%limit)}} // known series, new numbers
		if _, last = session.Report(t.Context(), f.report(uint64(i)+1, series, []int64{int64(i) + 1}, []uint32{i}, []float64{1})); last != nil {
			break
		}
	}
	if !errors.Is(last, ErrNumbers) || len(session.declared) != 2*limit {
		t.Errorf("got %v with %d numbers, want ErrNumbers with %d", last, len(session.declared), 2*limit)
	}
	if got := strings.Count(f.kept(t), "@"); got != 2*limit {
		t.Errorf("the history has %d samples, want the %d before", got, 2*limit)
	}
	if got := f.agent.Reports.Acked(); got != 2*limit {
		t.Errorf("report %d is acknowledged, want %d", got, 2*limit)
	}
}

// TestSeriesAgainstAModel has agents come and go with random series under a
// random limit, and holds what is kept and what is shown against two sets: the
// series that those who watch know and those that are active in the history.
func TestSeriesAgainstAModel(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playModel(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// model is what is right: which series are known to those who watch, which are
// active in the history, and how each number of the connection stands.
type model struct {
	limit         int
	shown, active map[string]bool
	numbers       map[string]uint32
	resolved      map[string]bool // of numbers: true for a series, false for one that waits
}

func (m *model) connect() { m.numbers, m.resolved = make(map[string]uint32), make(map[string]bool) }

// room reports whether a series is known or may be.
func (m *model) room(set map[string]bool, key string) bool {
	if set[key] || len(set) < m.limit {
		set[key] = true
		return true
	}
	return false
}

// declare numbers a series as an agent does.
func (m *model) declare(key string) (wire.Series, bool) {
	if _, ok := m.numbers[key]; ok {
		return wire.Series{}, false
	}
	m.numbers[key] = uint32(len(m.numbers))
	return wire.Series{ID: m.numbers[key], Key: key}, true
}

// declared is what becomes of a declaration.
func (m *model) declared(key string) {
	waiting := 0
	for _, is := range m.resolved {
		if !is {
			waiting++
		}
	}
	if m.room(m.shown, key) {
		m.resolved[key] = true
	} else if waiting < m.limit {
		m.resolved[key] = false
	}
}

// sample is what becomes of a sample.
func (m *model) sample(key string) (shown, kept bool) {
	is, known := m.resolved[key]
	if !known || !is && !m.room(m.shown, key) {
		return false, false
	}
	m.resolved[key] = true
	return true, m.room(m.active, key)
}

func playModel(t *testing.T, random *rand.Rand) {
	m := &model{limit: 1 + random.IntN(12), shown: make(map[string]bool), active: make(map[string]bool)}
	m.connect()
	f := newFixtureOf(t, history.Options{MaxSeriesPerHost: m.limit})
	session := f.ingest.NewSession(f.agent, 0)
	var kept []string
	for step := range int64(120) {
		switch random.IntN(10) {
		case 0:
			session = f.ingest.NewSession(f.agent, 0)
			m.connect()
		case 1:
			f.hub.Sweep(time.Now().Add(live.IdleAfter))
			clear(m.shown)
		}
		r := f.report(uint64(step)+1, nil, nil, nil, nil)
		var keys []string
		for _, k := range random.Perm(2 * m.limit)[:1+random.IntN(2*m.limit)] {
			key := fmt.Sprintf("k/%d", k)
			if declaration, isNew := m.declare(key); isNew {
				r.Series = append(r.Series, declaration)
				m.declared(key)
			}
			keys = append(keys, key)
			r.T, r.S, r.V = append(r.T, f.base+1000*step), append(r.S, m.numbers[key]), append(r.V, float64(k))
		}
		var shown []string
		for i, key := range keys {
			text := fmt.Sprintf("web-1/%s@%d=%v", key, 1000*step, r.V[i])
			isShown, isKept := m.sample(key)
			if isShown {
				shown = append(shown, "metrics/"+text)
			}
			if isKept {
				kept = append(kept, text)
			}
		}
		for _, key := range keys {
			if m.resolved[key] { // what was forgotten and speaks is known again
				m.shown[key] = true
			}
		}
		result, err := session.Report(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if len(shown) > 0 {
			compare(t, fmt.Sprintf("step %d, %+v: those who watch got", step, result), strings.Fields(f.published()), shown)
		}
	}
	compare(t, "the history has", strings.Fields(f.kept(t)), kept)
}

// compare names what is in one of two lists alone.
func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	count := make(map[string]int)
	for _, text := range got {
		count[text]++
	}
	for _, text := range want {
		count[text]--
	}
	var differences []string
	for text, n := range count {
		if n != 0 {
			differences = append(differences, fmt.Sprintf("%s %+d times", text, n))
		}
	}
	if len(differences) > 0 {
		sort.Strings(differences)
		t.Errorf("%s, against what is right:\n%s", what, strings.Join(differences, "\n"))
	}
}
