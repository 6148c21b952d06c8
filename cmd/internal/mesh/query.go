package mesh

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/nearest"
)

const (
	// queryPoints is how many points a range has if no step is given.
	queryPoints = 120
	// sparkCells is how wide a sparkline is.
	sparkCells = 24
)

// query is one run of `vedette query`.
type query struct {
	client
	list        cli.List[remote.Series]
	length      time.Duration // the length of the range, or 0
	step        time.Duration
	labels      []string // the labels of the series
	told        []string // the warnings that were printed, each once
	meant       string   // the note about a name that no metric has
	named, keys bool     // whether some have a metric's name, or a key
}

// NewQuery makes the command `vedette query`.
func NewQuery() *cobra.Command {
	q := &query{}
	cmd := &cobra.Command{
		Use:   "query PROMQL",
		Short: "Evaluate a PromQL expression, now or over a time",
		Long: `Evaluate a PromQL expression on the samples of the master, and show its current values
as a table. With --range show each series over that time: a sparkline, and the lowest,
mean, highest and last value. A gap in a sparkline is a time without samples.

Series are sorted by their labels, unless the expression sorts them, with topk or sort
for example, or --sort is given.

With --range, -o csv prints a line for each point.`,
		Example: `  vedette query 'disk_used_percent > 80'
  vedette query 'topk(5, rate(network_receive_bytes_total[1m]))' --watch
  vedette query 'avg by (host) (cpu_used_percent)' --range 1h
  vedette query load_average_1 --range 24h --step 5m -o csv > load.csv`,
		Args: cli.OneArg("an expression, in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error { return q.run(cmd, args[0]) },
	}
	q.list = cli.List[remote.Series]{
		Columns: q.columns, Late: true,
		Name:  func(s remote.Series) string { return seriesName(s) },
		Empty: func() string { return "No series matches the expression" + cmp.Or(q.meant, ".") },
	}
	q.Flags(cmd)
	q.list.Flags(cmd, "print one JSON object a line, one for each series: {metric, points}, a point being [ms, value]")
	cmd.Flags().DurationVar(&q.length, "range", 0, "show the last `DURATION`, such as 1h")
	cmd.Flags().DurationVar(&q.step, "step", 0, "with --range: a value every `DURATION` (default: a 120th of the range)")
	return cmd
}

func (q *query) run(cmd *cobra.Command, expression string) error {
	switch {
	case cmd.Flags().Changed("range") && q.length <= 0:
		return cli.Usagef("--range is %v; it must be above 0", q.length)
	case cmd.Flags().Changed("step") && (q.step <= 0 || q.length == 0):
		return cli.Usagef("--step %v is for --range, and must be above 0", q.step)
	case cmd.Flags().Changed("step") && q.length/q.step > 11000:
		return cli.Usagef("--step %v makes more than 11000 points of --range %v; give a longer one", q.step, q.length)
	}
	if err := q.list.Check(); err != nil {
		return err
	}
	if _, err := q.DialOptions(cmd); err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	ask := func() ([]remote.Series, error) { return q.ask(ctx, cmd.ErrOrStderr(), expression) }
	if q.length > 0 && q.list.Format() == cli.FormatCSV && !q.list.Watching() {
		all, err := ask()
		if err != nil {
			return err
		}
		return q.writePoints(cmd.OutOrStdout(), all)
	}
	return q.list.Run(ctx, cmd, ask)
}

// ask evaluates the expression, and finds out which columns the answer has.
func (q *query) ask(ctx context.Context, errs io.Writer, expression string) ([]remote.Series, error) {
	params := url.Values{"query": {expression}}
	kind := "query"
	if q.length > 0 {
		kind = "query_range"
		step := q.step
		if step == 0 {
			step = max(q.length/queryPoints, time.Second)
		}
		now := time.Now()
		seconds := func(v float64) []string { return []string{strconv.FormatFloat(v, 'f', 3, 64)} }
		params["end"], params["start"] = seconds(float64(now.UnixMilli())/1000), seconds(float64(now.Add(-q.length).UnixMilli())/1000)
		params["step"] = seconds(step.Seconds())
	}
	all, warnings, err := q.Query(ctx, kind, params)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		if !slices.Contains(q.told, w) {
			q.told = append(q.told, w)
			cli.Errln(errs, "warning: %s", w)
		}
	}
	if len(all) == 0 && q.meant == "" {
		q.meant = q.misspelt(ctx, expression)
	}
	q.learn(all)
	if q.length > 0 || !ordered(expression) {
		q.sort(all)
	}
	return all, nil
}

// ordered reports whether an expression asks for an order, which outer functions keep.
// Prometheus gives no order to the results of other expressions, nor to those of a range.
func ordered(expression string) bool {
	return orders.MatchString(texts.ReplaceAllString(expression, `""`))
}

var (
	orders = regexp.MustCompile(`(?i)\b(?:sort|sort_desc|sort_by_label|sort_by_label_desc|topk|bottomk)\s*(?:\(|by\b|without\b)`)
	texts  = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`")
)

// sort sorts series by their labels, in the order of the columns.
func (q *query) sort(all []remote.Series) {
	labels := slices.Concat([]string{"host", "__name__", "key"}, q.labels)
	slices.SortStableFunc(all, func(a, b remote.Series) int {
		for _, l := range labels {
			if c := strings.Compare(a.Metric[l], b.Metric[l]); c != 0 {
				return c
			}
		}
		return 0
	})
}

// notMetrics matches the parts of an expression whose names are not metrics: strings,
// matchers, ranges, lists of labels and functions.
var notMetrics = regexp.MustCompile(`"[^"]*"|'[^']*'|\{[^}]*\}|\[[^]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\w+\s*\(`)

// misspelt suggests a metric for a name in the expression that no metric has, or returns
// "".
func (q *query) misspelt(ctx context.Context, expression string) string {
	var known []string
	if _, err := q.HTTPGet(ctx, "label/__name__/values", nil, &known); err != nil {
		return ""
	}
	for _, name := range metricName.FindAllString(notMetrics.ReplaceAllString(expression, " "), -1) {
		if !slices.Contains(known, name) {
			if near := nearest.Ask(name, known); near != "" {
				return fmt.Sprintf(": there is no metric %q%s", name, near)
			}
		}
	}
	return ""
}

var metricName = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// learn finds out which labels the series have.
func (q *query) learn(all []remote.Series) {
	labels := make(map[string]bool)
	q.named, q.keys = false, false
	for _, s := range all {
		for name := range s.Metric {
			switch name {
			case "__name__":
				q.named = q.named || s.Metric["key"] == ""
			case "key":
				q.keys = true
			default:
				labels[name] = true
			}
		}
	}
	q.labels = slices.SortedFunc(maps.Keys(labels), func(a, b string) int {
		switch { // the host comes first
		case a == b:
			return 0
		case a == "host":
			return -1
		case b == "host":
			return 1
		}
		return strings.Compare(a, b)
	})
}

// columns returns the columns for the last answer.
func (q *query) columns(time.Time) []cli.Column[remote.Series] {
	var columns []cli.Column[remote.Series]
	label := func(heading, name string) {
		columns = append(columns, cli.Column[remote.Series]{
			Name: heading, Last: true, Cell: func(s remote.Series) string { return cli.OrDash(s.Metric[name]) },
		})
	}
	rest := q.labels
	if len(rest) > 0 && rest[0] == "host" {
		label("host", "host")
		rest = rest[1:]
	}
	if q.named {
		label("metric", "__name__")
	}
	if q.keys {
		label("key", "key")
	}
	for _, name := range rest {
		label(name, name)
	}
	number := func(heading string, of func([]float64) float64) {
		columns = append(columns, cli.Column[remote.Series]{
			Name: heading, Right: true, Spare: heading == "lowest" || heading == "mean" || heading == "highest",
			Cell:  func(s remote.Series) string { return valueText(s, of(values(s))) },
			Exact: func(s remote.Series) string { return cli.Plain(of(values(s))) },
			By:    func(s remote.Series) float64 { return of(values(s)) },
		})
	}
	if q.length == 0 {
		number("value", last)
		return columns
	}
	course := func(s remote.Series) string { return cli.Spark(q.even(s), sparkCells) }
	columns = append(columns, cli.Column[remote.Series]{Name: "course", Wider: true, Whole: true, Cell: course})
	number("lowest", func(v []float64) float64 { return slices.MinFunc(finite(v), cmp.Compare) })
	number("mean", meanOf)
	number("highest", func(v []float64) float64 { return slices.MaxFunc(finite(v), cmp.Compare) })
	number("last", last)
	return columns
}

// even spreads the points of a series evenly over the range; where there is none, it leaves
// a gap.
func (q *query) even(s remote.Series) []float64 {
	all := make([]float64, sparkCells*4)
	count := make([]float64, len(all))
	for i := range all {
		all[i] = math.NaN()
	}
	to := time.Now().UnixMilli()
	if n := len(s.Points); n > 0 {
		to = max(s.Points[n-1].AtMS, to)
	}
	from := to - q.length.Milliseconds()
	for _, p := range s.Points {
		i := int(float64(p.AtMS-from) / float64(to-from+1) * float64(len(all)))
		if i < 0 || i >= len(all) || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			continue
		}
		if count[i]++; count[i] == 1 {
			all[i] = 0
		}
		all[i] += p.Value/count[i] - all[i]/count[i]
	}
	return all
}

func values(s remote.Series) []float64 {
	all := make([]float64, len(s.Points))
	for i, p := range s.Points {
		all[i] = p.Value
	}
	return all
}

// finite returns the finite numbers, or a single NaN if there are none.
func finite(all []float64) []float64 {
	var numbers []float64
	for _, v := range all {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			numbers = append(numbers, v)
		}
	}
	if len(numbers) == 0 {
		return []float64{math.NaN()}
	}
	return numbers
}

func last(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return all[len(all)-1]
}

// meanOf updates a running mean, because a sum could overflow.
func meanOf(all []float64) float64 {
	m := 0.0
	for i, v := range finite(all) {
		m += v/float64(i+1) - m/float64(i+1)
	}
	return m
}

// valueText formats a value with the unit that the key or the metric of the series names,
// if it still has one of these.
func valueText(s remote.Series, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return cli.Plain(v)
	}
	return cli.Value(cmp.Or(s.Metric["key"], s.Metric["__name__"]), v)
}

// seriesName formats the labels of a series as PromQL does.
func seriesName(s remote.Series) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Metric)) {
		if name != "__name__" {
			parts = append(parts, fmt.Sprintf("%s=%q", name, s.Metric[name]))
		}
	}
	return s.Metric["__name__"] + "{" + strings.Join(parts, ",") + "}"
}

// writePoints writes a line for each point: its time, the labels, and the value.
func (q *query) writePoints(w io.Writer, all []remote.Series) error {
	out := csv.NewWriter(w)
	labels := q.columns(time.Now())
	labels = labels[:len(labels)-5] // without the course and the four numbers
	heading := []string{"time"}
	for _, c := range labels {
		heading = append(heading, c.Name)
	}
	_ = out.Write(append(heading, "value")) // Flush and Error report it
	for _, s := range all {
		for _, p := range s.Points {
			row := []string{time.UnixMilli(p.AtMS).UTC().Format("2006-01-02T15:04:05.000Z")}
			for _, c := range labels {
				row = append(row, c.Cell(s))
			}
			_ = out.Write(append(row, cli.Plain(p.Value)))
		}
	}
	out.Flush()
	return out.Error()
}
