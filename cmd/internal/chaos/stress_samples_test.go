//go:build linux

package chaos

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// sequence is an inspector whose runs yield 1, 2, 3 ... and 1 again in a new
// process, so that what the history lacks in the middle can be told.
const sequence = "package sequence\n\nvar n float64\n\nfunc Inspect() (float64, error) {\n\tn++\n\treturn n, nil\n}\n"

// wantEverySample checks that each run of the sequence is in the history, but for
// those that failed, which the agent counts.
func (s *stress) wantEverySample() {
	s.Helper()
	missing, had := 0, 0
	for _, values := range s.values(`{key="sequence",host="box"}`) {
		had += len(values)
		missing += gaps(values)
	}
	failed := 0
	for _, values := range s.values(`{__name__="vedette_inspector_runs_total",inspector="sequence",outcome!="ok"}`) {
		failed += growth(values)
	}
	if had < 5 || missing > failed {
		s.Errorf("the history has %d runs of the sequence and lacks %d, of which %d failed", had, missing, failed)
	}
	s.Logf("%d runs one by one; %d are missing in the middle, %d failed", had, missing, failed)
}

// gaps counts the numbers that a sequence, which may begin again, leaves out.
func gaps(values []int) (missing int) {
	last := 0
	for _, v := range values {
		if v <= last {
			last = 0
		}
		missing += v - last - 1
		last = v
	}
	return missing
}

// growth is by how much a counter, which may begin again, has grown from nothing.
func growth(values []int) (grown int) {
	last := 0
	for _, v := range values {
		if v < last {
			last = 0
		}
		grown += v - last
		last = v
	}
	return grown
}

// values asks the history for all values of the series that a selector selects.
func (s *stress) values(selector string) [][]int {
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
	var all [][]int
	for _, series := range answer.Data.Result {
		var values []int
		for _, v := range series.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				s.Fatal(err)
			}
			values = append(values, int(value))
		}
		all = append(all, values)
	}
	return all
}
