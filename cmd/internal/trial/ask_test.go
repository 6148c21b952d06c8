package trial

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
)

// Random answers: every value is in the table once, in order, and the groups together
// contain all of them.
func TestAskTablesHaveEveryValue(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		answers := &askAnswers{silent: map[string]string{}}
		want, hosts := []float64{}, map[string]map[string]bool{}
		for range r.IntN(50) {
			row := askRow{Host: fmt.Sprint("h", r.IntN(9)), Key: "probe", Value: float64(r.IntN(100)) / 4}
			if r.IntN(3) > 0 {
				row.Labels = map[string]string{"version": []string{"3.0.2", "a,b", "\"q\"", "10"}[r.IntN(4)]}
			}
			answers.rows, want = append(answers.rows, row), append(want, row.Value)
			version := row.Labels["version"]
			if hosts[version] == nil {
				hosts[version] = map[string]bool{}
			}
			hosts[version][row.Host] = true
		}
		slices.Sort(want)
		slices.Reverse(want)
		form := askForm{csv: true, sort: "-value"}
		got := []float64{}
		for _, cells := range readAsk(t, form, answers) {
			v, err := strconv.ParseFloat(cells[len(cells)-1], 64)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: the table has the values %v, the hosts gave %v", seed, got, want)
		}
		counted := readAsk(t, askForm{csv: true, groupBy: []string{"version"}, count: true}, answers)
		if len(counted) != len(hosts) {
			t.Fatalf("seed %d: %d groups, want %d", seed, len(counted), len(hosts))
		}
		for i, cells := range counted {
			if cells[1] != strconv.Itoa(len(hosts[cells[0]])) {
				t.Errorf("seed %d: version %q is counted on %s hosts, want %d", seed, cells[0], cells[1], len(hosts[cells[0]]))
			}
			if i > 0 && cli.CompareCells(counted[i-1][1], cells[1]) < 0 {
				t.Errorf("seed %d: the largest group is not first: %v", seed, counted)
			}
		}
		checkAskGroups(t, answers)
	}
}

// checkAskGroups compares the numbers of groups with the rows.
func checkAskGroups(t *testing.T, answers *askAnswers) {
	t.Helper()
	var out bytes.Buffer
	form := askForm{json: true, groupBy: []string{"version"}}
	if err := form.write(&out, answers); err != nil {
		t.Fatal(err)
	}
	var told struct{ Groups []askGroup }
	if err := json.Unmarshal(out.Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	values := 0
	for _, g := range told.Groups {
		values += g.Values
		low, high := g.Max, g.Min
		for _, row := range answers.rows {
			if row.Labels["version"] == g.By["version"] {
				low, high = min(low, row.Value), max(high, row.Value)
			}
		}
		if g.Min != low || g.Max != high || g.Mean < low-1e-9 || g.Mean > high+1e-9 {
			t.Errorf("group %v has min %v, mean %v and max %v; its values are %v to %v", g.By, g.Min, g.Mean, g.Max, low, high)
		}
	}
	if values != len(answers.rows) {
		t.Errorf("the groups have %d values, the hosts gave %d", values, len(answers.rows))
	}
}

// readAsk writes answers and parses them again, without the header.
func readAsk(t *testing.T, form askForm, answers *askAnswers) [][]string {
	t.Helper()
	var out bytes.Buffer
	if err := form.write(&out, answers); err != nil && len(answers.rows) > 0 {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("the table cannot be read: %v", err)
	}
	return rows[1:]
}
