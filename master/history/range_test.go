package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// A day of samples at one second, with a spike that lasts for one of them: a
// chart of a thousand points shows the spike and where the line ends.
func TestRangeKeepsSpikesAndTheEnd(t *testing.T) {
	s := openStore(t, Options{})
	const n, points = 20_000, 500
	from := time.Now().Add(-n * time.Second).Truncate(time.Second).UnixMilli()
	random := rand.New(rand.NewPCG(1, 2))
	a := s.NewSeries("web-1", "load/average-1", nil, inspectors.Gauge)
	all := make([]Sample, n)
	for i := range all {
		all[i] = Sample{a, from + int64(i)*1000, random.Float64()}
	}
	all[12_345].V, all[6_789].V = 1000, -1000
	add(t, s, all...)

	request := RangeRequest{Pattern: pattern(t, "metrics/web-1/load/*"), From: from, To: from + n*1000 - 1, Points: points}
	result, err := s.Range(t.Context(), request)
	if err != nil || len(result.Series) != 1 {
		t.Fatalf("got %+v, %v", result, err)
	}
	got := result.Series[0]
	if len(got.T) > 2*points+1 || len(got.T) < 2*points {
		t.Errorf("got %d samples for %d points", len(got.T), points)
	}
	width := int64(n * 1000 / points)
	want := map[int64][2]float64{} // by column: lowest and highest
	for _, sample := range all {
		column := (sample.T - from) / width
		low, seen := want[column]
		if !seen {
			low = [2]float64{sample.V, sample.V}
		}
		want[column] = [2]float64{min(low[0], sample.V), max(low[1], sample.V)}
	}
	for i, at := range got.T {
		index := (at - from) / 1000
		if all[index].T != at || all[index].V != got.V[i] {
			t.Fatalf("(%d, %v) is no sample that was stored", at, got.V[i])
		}
		if i > 0 && got.T[i-1] >= at {
			t.Fatalf("the times %d and %d are out of order", got.T[i-1], at)
		}
		bounds := want[(at-from)/width]
		if got.V[i] == bounds[0] {
			bounds[0] = math.NaN()
		}
		if got.V[i] == bounds[1] {
			bounds[1] = math.NaN()
		}
		want[(at-from)/width] = bounds
	}
	for column, bounds := range want {
		if !math.IsNaN(bounds[0]) || !math.IsNaN(bounds[1]) {
			t.Errorf("column %d lacks its lowest or highest: %v", column, bounds)
		}
	}
	if last := len(got.T) - 1; got.T[last] != all[n-1].T {
		t.Errorf("the last sample is at %d, want %d, from which live ones go on", got.T[last], all[n-1].T)
	}
}

// Jitter puts two samples of one second into one column of a second. They are
// both there when they are equal, too: without one of them, what comes live would
// not go on from what was.
func TestRangeIsWholeWithTwoSamplesAColumn(t *testing.T) {
	s := openStore(t, Options{})
	a := s.NewSeries("web-1", "load/average-1", nil, inspectors.Gauge)
	from := time.Now().Add(-time.Minute).Truncate(time.Second).UnixMilli()
	all := []Sample{{a, from + 100, 5}, {a, from + 900, 5}, {a, from + 1500, 5}, {a, from + 2000, 7}, {a, from + 2999, 6}, {a, from + 4000, 6}}
	add(t, s, all...)

	request := RangeRequest{Pattern: pattern(t, "metrics/web-1/*"), From: from, To: from + 4999, Points: 5}
	result, err := s.Range(t.Context(), request)
	if err != nil || len(result.Series) != 1 {
		t.Fatalf("got %+v, %v", result, err)
	}
	got := result.Series[0]
	if len(got.T) != len(all) {
		t.Fatalf("got %d samples at %v, want all %d", len(got.T), got.T, len(all))
	}
	for i, want := range all {
		if got.T[i] != want.T || got.V[i] != want.V {
			t.Errorf("sample %d is (%d, %v), want (%d, %v)", i, got.T[i], got.V[i], want.T, want.V)
		}
	}
}

func TestRangeSelects(t *testing.T) {
	s := openStore(t, Options{})
	now := time.Now().Truncate(time.Second)
	for _, path := range []string{"web-1 load/average-1", "web-1 load/average-5", "web-2 load/average-1", "web-1 disk/used", "db.1 cpu/load"} {
		host, key, _ := strings.Cut(path, " ")
		add(t, s, Sample{s.NewSeries(host, key, nil, inspectors.Gauge), now.UnixMilli(), 1})
	}
	for text, want := range map[string]string{
		"metrics/*":                    "db.1/cpu/load web-1/disk/used web-1/load/average-1 web-1/load/average-5 web-2/load/average-1",
		"*":                            "db.1/cpu/load web-1/disk/used web-1/load/average-1 web-1/load/average-5 web-2/load/average-1",
		"metr*":                        "db.1/cpu/load web-1/disk/used web-1/load/average-1 web-1/load/average-5 web-2/load/average-1",
		"metrics/web-1/*":              "web-1/disk/used web-1/load/average-1 web-1/load/average-5",
		"metrics/web-1/load/*":         "web-1/load/average-1 web-1/load/average-5",
		"metrics/web-1/load/average-1": "web-1/load/average-1",
		"metrics/*/load/*":             "web-1/load/average-1 web-1/load/average-5 web-2/load/average-1",
		"metrics/web-*/*-1":            "web-1/load/average-1 web-2/load/average-1",
		"metrics/db?1/*":               "",
		"metrics/dbx1/*":               "",
		"*load*":                       "db.1/cpu/load web-1/load/average-1 web-1/load/average-5 web-2/load/average-1",
		"metrics/web-1":                "",
		"hosts/*":                      "",
		"metrics":                      "",
	} {
		result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, text), From: now.UnixMilli(), To: now.UnixMilli(), Points: 1})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, series := range result.Series {
			got = append(got, series.Host+"/"+series.Key)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s selects %v, want %s", text, got, want)
		}
	}
}

func TestRangeBounds(t *testing.T) {
	s := openStore(t, Options{})
	for want, r := range map[string]RangeRequest{
		"ends (1) before it begins (2)": {Pattern: pattern(t, "*"), From: 2, To: 1, Points: 1},
		"begins at -5":                  {Pattern: pattern(t, "*"), From: -5, To: 1, Points: 1},
		"0 points; ask for 1 to 10000":  {Pattern: pattern(t, "*"), From: 1, To: 2},
		"20000 points":                  {Pattern: pattern(t, "*"), From: 1, To: 2, Points: 20_000},
		"the pattern is empty":          {From: 1, To: 2, Points: 1},
	} {
		if _, err := s.Range(t.Context(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	// Both ends of the range belong to it, and a range of one instant is one.
	now := time.Now().Truncate(time.Second)
	a := s.NewSeries("h", "a/b", nil, inspectors.Counter)
	for i := range 5 {
		add(t, s, Sample{a, now.UnixMilli() + int64(i), float64(i)})
	}
	if got, want := stored(t, s, "*", now.Add(time.Millisecond), now.Add(3*time.Millisecond)), "h/a/b 0=1 1=2 2=3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := stored(t, s, "*", now, now), "h/a/b 0=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An answer about so many series that it would not fit is coarser, then cut.
func TestRangeOfManySeriesFits(t *testing.T) {
	s := openStore(t, Options{})
	now := time.Now().Truncate(time.Second)
	var batch []Sample
	for i := range MaxRangeSeries + 1 {
		a := s.NewSeries("h", fmt.Sprintf("a/%05d", i), nil, inspectors.Gauge)
		for k := range 60 {
			batch = append(batch, Sample{a, now.UnixMilli() + int64(k)*1000, float64(k)})
		}
	}
	add(t, s, batch...)
	result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "*"), From: now.UnixMilli(), To: now.Add(time.Minute).UnixMilli(), Points: 1000})
	if err != nil || !result.Truncated || len(result.Series) != MaxRangeSeries {
		t.Fatalf("got %d series, truncated %v, %v", len(result.Series), result.Truncated, err)
	}
	samples := 0
	for _, series := range result.Series {
		samples += len(series.T)
		if last := len(series.T) - 1; last < 0 || series.T[last] != now.UnixMilli()+59_000 {
			t.Fatalf("%s does not have its last sample", series.Key)
		}
	}
	if samples > maxRangeSamples || result.Points >= 1000 {
		t.Errorf("got %d samples in %d points, want at most %d", samples, result.Points, maxRangeSamples)
	}
}

func TestKinds(t *testing.T) {
	s := openStore(t, Options{})
	now := time.Now().UnixMilli()
	add(t, s, Sample{s.NewSeries("h", "net/rx_bytes_total", nil, inspectors.Counter), now, 1},
		Sample{s.NewSeries("h", "cpu/used_percent", nil, inspectors.Gauge), now, 1})
	result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "*"), From: now, To: now, Points: 1})
	if err != nil || len(result.Series) != 2 || result.Series[0].Kind != "gauge" || result.Series[1].Kind != "counter" {
		t.Errorf("got %+v, %v", result, err)
	}
	var unknown metadata
	if kind := unknown.kind("x_total"); kind != "counter" {
		t.Errorf("a name that ends in _total is a %s, want a counter", kind)
	}
	for name, want := range map[string]string{"net_rx_bytes_total": "bytes", "cpu_used_percent": "percent", "load_average_1": "", "seconds": ""} {
		if got := unitOf(name); got != want {
			t.Errorf("the unit of %s is %q, want %q", name, got, want)
		}
	}
}

// Random samples with pauses: each column of a gauge that has any comes with the mean
// of all of them, at the time at which it begins; a counter has none.
func TestRangeHasTheMeanOfEachColumn(t *testing.T) {
	s := openStore(t, Options{})
	random := rand.New(rand.NewPCG(3, 4))
	const points, width = 50, 60_000
	from := time.Now().Add(-2*time.Hour).UnixMilli() / width * width
	gauge := s.NewSeries("web-1", "load/average-1", nil, inspectors.Gauge)
	counter := s.NewSeries("web-1", "load/runs_total", nil, inspectors.Counter)
	sum, count := map[int64]float64{}, map[int64]float64{}
	var all []Sample
	for at := from; at < from+points*width; at += 1000 + random.Int64N(4000) {
		if random.IntN(200) == 0 {
			at += 3 * width
		}
		if at >= from+points*width {
			break
		}
		v := random.NormFloat64() * 1e6
		all = append(all, Sample{gauge, at, v}, Sample{counter, at, float64(at - from)})
		begin := (at - from) / width * width
		sum[from+begin] += v
		count[from+begin]++
	}
	add(t, s, all...)
	request := RangeRequest{Pattern: pattern(t, "metrics/web-1/load/*"), From: from, To: from + points*width - 1, Points: points, Means: true}
	result, err := s.Range(t.Context(), request)
	if err != nil || len(result.Series) != 2 {
		t.Fatalf("got %+v, %v", result, err)
	}
	got := result.Series[0]
	if len(got.MeanT) != len(sum) || len(got.Mean) != len(sum) {
		t.Errorf("%d columns have a mean, want %d", len(got.MeanT), len(sum))
	}
	for i, at := range got.MeanT {
		if want := sum[at] / count[at]; math.Abs(got.Mean[i]-want) > 1e-6*math.Abs(want)+1e-6 {
			t.Errorf("the mean of the column at %d is %v, want %v", at-from, got.Mean[i], want)
		}
	}
	if result.Series[1].MeanT != nil {
		t.Error("a counter has means")
	}
	request.Means = false
	if result, err = s.Range(t.Context(), request); err != nil || result.Series[0].MeanT != nil {
		t.Errorf("means come unasked: %v", err)
	}
}

// Series have the same labels in a range as in the live stream, whatever a script gave.
func TestRangeHasTheLabelsOfTheSamples(t *testing.T) {
	s := openStore(t, Options{})
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 3))
	parts := []string{"<", ">", `\`, `\x`, `\x3c`, `"`, "\n", "\x1b", "é", "日", "\u202e", "\xff", "a", "{", "}"}
	report := inspectors.NewReport("x", time.Now())
	for i := range 50 {
		var value strings.Builder
		for range 1 + random.IntN(6) {
			value.WriteString(parts[random.IntN(len(parts))])
		}
		report.Gauge("v", 1, "i", fmt.Sprint(i), "text", value.String())
	}
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	live := map[string]bool{}
	for _, sample := range report.Samples() {
		live[sample.Labels.String()] = true
		add(t, s, Sample{s.NewSeries("web-1", sample.Key, sample.Labels, inspectors.Gauge), now, 1})
	}
	result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "metrics/web-1/x/v"), From: now - 1000, To: now, Points: 10})
	if err != nil || len(result.Series) != len(live) {
		t.Fatalf("seed %d: %d series, want %d, %v", seed, len(result.Series), len(live), err)
	}
	for _, series := range result.Series {
		own, err := inspectors.LabelsFromMap(series.Labels)
		if err != nil || !live[own.String()] {
			t.Errorf("seed %d: the range has %s, which no sample had: %v", seed, own, err)
		}
	}
}
