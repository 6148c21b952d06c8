package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/plugins/compare"
)

// testReport is the result of comparing a script, as --json prints it.
type testReport struct {
	File     string `json:"file"`
	Name     string `json:"name"`
	Compared bool   `json:"compared"` // false where there is no Go
	Same     bool   `json:"same"`     // without a good run there is nothing to compare
	Exact    bool   `json:"exact"`
	Rounds   int    `json:"rounds"`
	Settled  int    `json:"settled_series"`
	Live     int    `json:"live_series"`
	// Failed is the error of a script whose runs all failed.
	Failed      string           `json:"failed,omitempty"`
	Differences []testDifference `json:"differences"`
	Native      *testCost        `json:"native"` // null where there is no Go
	Interpreted testCost         `json:"interpreted"`
	Advice      string           `json:"advice,omitempty"`
}

// testDifference is a compare.Difference.
type testDifference struct {
	Series      string `json:"series,omitempty"`
	What        string `json:"what"`
	Rounds      int    `json:"rounds"`
	First       int    `json:"first_round"`
	Native      string `json:"native"`
	Interpreted string `json:"interpreted"`
	Chance      bool   `json:"chance,omitempty"`
}

// testCost is the median cost of one run.
type testCost struct {
	WallMS float64 `json:"wall_ms"`
	CPUMS  float64 `json:"cpu_ms"`
}

func (r *testReport) fill(rounds []compare.Round, o compare.Options) {
	r.Rounds, r.Differences = len(rounds), []testDifference{}
	interpreted := compare.InterpretedCost(rounds)
	r.Interpreted = milliseconds(interpreted)
	r.Failed = failedAlways(rounds)
	if r.Compared {
		native := milliseconds(compare.NativeCost(rounds))
		r.Native = &native
		result := compare.Compare(rounds, o)
		r.Same, r.Settled, r.Live = result.Same() && r.Failed == "", result.Settled, result.Live
		for _, d := range result.Differences {
			r.Differences = append(r.Differences, testDifference(d))
		}
	}
	r.Advice = r.advise(interpreted.CPU)
}

func milliseconds(c compare.Cost) testCost {
	return testCost{WallMS: float64(c.Wall.Nanoseconds()) / 1e6, CPUMS: float64(c.CPU.Nanoseconds()) / 1e6}
}

// failedAlways returns the error of a script that fails in every run without a sample, or
// "". Nothing can be said about such a script.
func failedAlways(rounds []compare.Round) string {
	for _, r := range rounds {
		for _, run := range []compare.Run{r.Native, r.Interpreted, r.Control} {
			if run.Err == nil && run.Wall > 0 || len(run.Samples) > 0 {
				return ""
			}
		}
	}
	if len(rounds) == 0 || rounds[0].Interpreted.Err == nil {
		return ""
	}
	return rounds[0].Interpreted.Err.Error()
}

// advise says what to do about the result, or is "".
func (r *testReport) advise(cpu time.Duration) string {
	promotes := "vedette inspector promote " + r.File + " -o " + shortName(r.Name)
	switch {
	case r.Failed != "":
		return ""
	case r.Compared && !r.Same && r.unsteady():
		return "The script does not measure the same twice. Leave --exact out, or hold its input still with --input."
	case r.Compared && !r.Same:
		return "What is compiled is right. Write what differs in another way, or compile it for good:\n  " + promotes
	case cpu >= compare.PromoteCPU:
		return fmt.Sprintf("Interpreted, a run takes %s of CPU, which is too much to take every few seconds. Compile it:\n  %s", duration(cpu), promotes)
	case cpu >= compare.SlowCPU:
		return fmt.Sprintf("Interpreted, a run takes %s of CPU. Leave loops to library functions, or compile it:\n  %s", duration(cpu), promotes)
	}
	return ""
}

// unsteady reports whether the only fault is that the script does not give the same values
// each time.
func (r *testReport) unsteady() bool {
	return !slices.ContainsFunc(r.Differences, func(d testDifference) bool { return d.What != compare.Unsteady })
}

// shortName makes the name of a program from the name of an inspector.
func shortName(name string) string { return strings.ReplaceAll(name, "/", "-") }

// print prints the report, and returns an error with the exit status.
func (r *testReport) print(out io.Writer, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(out).Encode(r)
	} else {
		_, err = io.WriteString(out, r.text())
	}
	switch {
	case err != nil:
		return fmt.Errorf("cannot print the result: %w", err)
	case r.Failed != "", r.Compared && !r.Same:
		return cli.Exit(cli.ExitFailed, nil)
	case !r.Compared:
		return cli.Exit(cli.ExitIncomplete, nil)
	}
	return nil
}

// maxRows is how many differences are printed for people.
const maxRows = 40

func (r *testReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", cli.Printable(r.File), r.verdict())
	if len(r.Differences) > 0 {
		b.WriteString("\n")
		t := cli.Table{Out: &b}
		rows := [][]string{{"SERIES", "WHAT", "ROUNDS", "COMPILED", "INTERPRETED"}}
		for _, d := range r.Differences[:min(len(r.Differences), maxRows)] {
			rows = append(rows, d.row(r.Rounds))
		}
		for _, row := range rows {
			t.Fit(row...)
		}
		for _, row := range rows {
			_ = t.Row(row...) // to memory
		}
		if more := len(r.Differences) - maxRows; more > 0 {
			fmt.Fprintf(&b, "and %d more; --json has them all\n", more)
		}
	}
	r.costs(&b)
	if r.Advice != "" {
		fmt.Fprintf(&b, "\n%s\n", cli.Printable(r.Advice))
	}
	return b.String()
}

// verdict sums up the result in one line.
func (r *testReport) verdict() string {
	rounds := cli.Count(r.Rounds, "round")
	series := fmt.Sprintf("%s, %d settled and %d live", rounds, r.Settled, r.Live)
	series = strings.Replace(series, ", 0 settled and", ",", 1)
	series = strings.TrimSuffix(series, " and 0 live")
	switch {
	case r.Failed != "":
		return "every run failed: " + cli.Printable(r.Failed)
	case !r.Compared:
		return "only interpreted, " + rounds
	case !r.Same:
		return "DIFFERENT compiled and interpreted (" + series + ")"
	case r.Settled+r.Live == 0:
		return "no samples, compiled or interpreted (" + rounds + ")"
	}
	return "the same compiled and interpreted (" + series + ")"
}

// costs prints the cost of a run on each side.
func (r *testReport) costs(b *strings.Builder) {
	if r.Failed != "" {
		return
	}
	rows := [][]string{{"A RUN TAKES", "WALL", "CPU"}}
	if r.Native != nil {
		rows = append(rows, []string{"compiled", r.Native.wall(), r.Native.cpu()})
	}
	last := []string{"interpreted", r.Interpreted.wall(), r.Interpreted.cpu()}
	if r.Native != nil && r.Native.CPUMS > 0 {
		last = append(last, fmt.Sprintf("%.1f times", r.Interpreted.CPUMS/r.Native.CPUMS))
	}
	b.WriteString("\n")
	t := cli.Table{Out: b}
	rows = append(rows, last)
	for _, row := range rows {
		t.Fit(row...)
	}
	for _, row := range rows {
		_ = t.Row(row...) // to memory
	}
}

func (c testCost) wall() string { return duration(time.Duration(c.WallMS * 1e6)) }
func (c testCost) cpu() string  { return duration(time.Duration(c.CPUMS * 1e6)) }

// duration formats a time with three digits.
func duration(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
}

// row formats a difference for people.
func (d testDifference) row(rounds int) []string {
	words := map[string]string{
		compare.Value: "another value", compare.Range: "out of range", compare.Frozen: "does not move",
		compare.Missing: "missing", compare.Extra: "not compiled", compare.Kind: "another kind",
		compare.Error: "error", compare.Unsteady: "not exact",
	}
	series := d.Series
	if d.What == compare.Error {
		series = "(the run)"
	}
	seen := fmt.Sprintf("%d of %d", d.Rounds, rounds)
	if d.Chance {
		seen += ", chance?"
	}
	return []string{series, words[d.What], seen, short(d.Native), short(d.Interpreted)}
}

// short shortens a text to a cell of the table.
func short(s string) string {
	const most = 60
	s, _, _ = strings.Cut(s, "\n")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}
