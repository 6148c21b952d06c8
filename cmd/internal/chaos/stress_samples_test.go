//go:build linux

package chaos

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// sequence is an inspector that yields 1, 2, 3 … and starts again at 1 in a new process, so
// that gaps in the history show.
const sequence = "package sequence\n\nvar n float64\n\nfunc Inspect() (float64, error) {\n\tn++\n\treturn n, nil\n}\n"

// wantEverySample checks that each run of the sequence is in the history, except failed
// runs, which the agent counts. Nobody knows what an agent counted between its last report
// and its end.
func (s *stress) wantEverySample() {
	s.Helper()
	var reports []int64 // when counts arrived
	for _, points := range s.values(`{__name__="vedette_inspector_runs_total",inspector="sequence",outcome="ok"}`) {
		for _, p := range points {
			reports = append(reports, p.at)
		}
	}
	starts := s.starts()
	known := func(at int64) bool {
		return slices.ContainsFunc(reports, func(report int64) bool {
			return report >= at && !slices.ContainsFunc(starts, func(start int64) bool { return at < start && start <= report })
		})
	}
	missing, had := 0, 0
	for _, points := range s.values(`{key="sequence",host="box"}`) {
		had += len(points)
		missing += gaps(points, known)
	}
	failed := 0
	for _, points := range s.values(`{__name__="vedette_inspector_runs_total",inspector="sequence",outcome!="ok"}`) {
		failed += growth(points)
	}
	if had < 5 || missing > failed {
		s.Errorf("the history has %d runs of the sequence and lacks %d, of which %d failed", had, missing, failed)
	}
	s.Logf("%d runs one by one; %d are missing in the middle, %d failed", had, missing, failed)
}

// startLine matches the line with which an agent reports its start.
var startLine = regexp.MustCompile(`time=(\S+) level=INFO msg="agent starts"`)

// starts returns the times at which the agent was started, in ms since the epoch.
func (s *stress) starts() (ms []int64) {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, "agent.log"))
	if err != nil {
		s.Fatal(err)
	}
	for _, line := range startLine.FindAllStringSubmatch(string(text), -1) {
		at, err := time.Parse(time.RFC3339Nano, line[1])
		if err != nil {
			s.Fatal(err)
		}
		ms = append(ms, at.UnixMilli())
	}
	if len(ms) == 0 {
		s.Fatal("the agent's log tells of no start")
	}
	return ms
}

// point is a whole number at a time, in ms since the epoch.
type point struct {
	at int64
	v  int
}

// gaps counts the numbers that a sequence, which may restart, skips before the first point
// after a known time.
func gaps(points []point, known func(at int64) bool) (missing int) {
	last := 0
	for _, p := range points {
		if p.v <= last {
			last = 0
		}
		if known(p.at) {
			missing += p.v - last - 1
		}
		last = p.v
	}
	return missing
}

// growth is how much a counter, which may restart, has grown from 0.
func growth(points []point) (grown int) {
	last := 0
	for _, p := range points {
		if p.v < last {
			last = 0
		}
		grown += p.v - last
		last = p.v
	}
	return grown
}

// values returns all values of the series that a selector selects.
func (s *stress) values(selector string) [][]point {
	s.Helper()
	query := url.Values{"query": {selector + "[3h]"}, "time": {fmt.Sprint(time.Now().Add(time.Hour).Unix())}}
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	body := s.get("/api/v1/query?" + query.Encode())
	if err := json.Unmarshal(body, &answer); err != nil {
		s.Fatalf("%v: %.200s", err, body)
	}
	var all [][]point
	for _, series := range answer.Data.Result {
		var points []point
		for _, v := range series.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				s.Fatal(err)
			}
			points = append(points, point{int64(math.Round(v[0].(float64) * 1000)), int(value)})
		}
		all = append(all, points)
	}
	return all
}
