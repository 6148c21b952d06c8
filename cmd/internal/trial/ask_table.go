package trial

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// askRow is one value in the answer of a host.
type askRow struct {
	Host   string            `json:"host"`
	Key    string            `json:"key"`
	Labels map[string]string `json:"labels,omitempty"`
	Value  float64           `json:"value"`
}

// column returns a row's cell in a column, or "" for a label that it lacks.
func (r *askRow) column(name string) string {
	switch name {
	case "host":
		return r.Host
	case "key":
		return r.Key
	case "value":
		return cli.Plain(r.Value)
	}
	return r.Labels[name]
}

// askSilent is a host that has not answered completely.
type askSilent struct {
	Host string `json:"host"`
	Why  string `json:"why"`
}

// askAnswers are the answers of all hosts.
type askAnswers struct {
	rows   []askRow
	silent map[string]string // why a host did not answer completely, by host
}

// take stores an event of a host, and reports whether the host is done: it has answered or
// cannot.
func (a *askAnswers) take(e *wire.TrialEvent) bool {
	switch {
	case e.Run != nil:
		switch n := len(e.Run.Samples); {
		case e.Run.Error != "":
			a.silent[e.Host] = e.Run.Error
		case e.Run.More > 0:
			a.silent[e.Host] = fmt.Sprintf("%d of its %d values are left out", e.Run.More, n+e.Run.More)
		}
		for _, s := range e.Run.Samples {
			a.rows = append(a.rows, askRow{Host: e.Host, Key: s.Key, Labels: s.Labels, Value: *s.Val})
		}
	case e.Ended:
		a.silent[e.Host] = cmp.Or(e.Error, "it did not answer in time")
	default:
		return false
	}
	return true
}

func (a *askAnswers) silentHosts() []askSilent {
	list := []askSilent{}
	for _, host := range slices.Sorted(maps.Keys(a.silent)) {
		list = append(list, askSilent{host, a.silent[host]})
	}
	return list
}

// labelNames are the names of all labels, in order.
func (a *askAnswers) labelNames() []string {
	names := make(map[string]bool)
	for i := range a.rows {
		for name := range a.rows[i].Labels {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// askGroup sums up the rows that have the same values in some columns.
type askGroup struct {
	By     map[string]string `json:"by"`
	Hosts  int               `json:"hosts"`
	Values int               `json:"values"`
	Min    float64           `json:"min"`
	Mean   float64           `json:"mean"`
	Max    float64           `json:"max"`

	hosts map[string]bool
}

// add adds a row. It updates a running mean, because a sum could overflow.
func (g *askGroup) add(r *askRow) {
	g.hosts[r.Host] = true
	g.Hosts, g.Values = len(g.hosts), g.Values+1
	g.Min, g.Max = min(g.Min, r.Value), max(g.Max, r.Value)
	g.Mean += r.Value/float64(g.Values) - g.Mean/float64(g.Values)
}

// askForm says how answers are printed.
type askForm struct {
	sort      string
	groupBy   []string
	count     bool
	csv, json bool
}

// check finds flags that contradict each other.
func (f *askForm) check() error {
	switch {
	case f.count && len(f.groupBy) == 0:
		return cli.Usagef("--count counts the hosts of a group; say of which with --group-by")
	case f.csv && f.json:
		return cli.Usagef("give --csv or --json, not both")
	case slices.Contains(f.groupBy, ""):
		return cli.Usagef("--group-by has an empty column")
	case strings.TrimPrefix(f.sort, "-") == "" && f.sort != "":
		return cli.Usagef("--sort has no column")
	}
	return nil
}

// groups groups the rows, in the order of the values that they share.
func (f *askForm) groups(rows []askRow) []*askGroup {
	byKey := make(map[string]*askGroup)
	for i := range rows {
		by, parts := make(map[string]string), make([]string, len(f.groupBy))
		for j, name := range f.groupBy {
			parts[j] = strconv.Quote(rows[i].column(name))
			by[name] = rows[i].column(name)
		}
		key := strings.Join(parts, ",")
		if byKey[key] == nil {
			byKey[key] = &askGroup{By: by, Min: rows[i].Value, Max: rows[i].Value, hosts: make(map[string]bool)}
		}
		byKey[key].add(&rows[i])
	}
	var list []*askGroup
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		list = append(list, byKey[key])
	}
	return list
}

// column returns a group's cell in a column.
func (g *askGroup) column(name string) string {
	if by, ok := g.By[name]; ok {
		return by
	}
	switch name {
	case "hosts":
		return strconv.Itoa(g.Hosts)
	case "values":
		return strconv.Itoa(g.Values)
	case "min":
		return cli.Plain(g.Min)
	case "mean":
		return cli.Plain(g.Mean)
	case "max":
		return cli.Plain(g.Max)
	}
	return ""
}

// askLine is a line of the table.
type askLine interface{ column(name string) string }

// lines returns the columns, and the lines in the chosen order.
func (f *askForm) lines(answers *askAnswers) (header []string, lines []askLine, err error) {
	if len(f.groupBy) > 0 {
		if header = append(slices.Clone(f.groupBy), "hosts"); !f.count {
			header = append(header, "values", "min", "mean", "max")
		}
		for _, g := range f.groups(answers.rows) {
			lines = append(lines, g)
		}
	} else {
		header = append(append([]string{"host", "key"}, answers.labelNames()...), "value")
		for i := range answers.rows {
			lines = append(lines, &answers.rows[i])
		}
	}
	return header, lines, f.order(header, lines)
}

// order sorts lines by the chosen column, then by all columns from the left. With --count,
// the largest groups come first.
func (f *askForm) order(header []string, lines []askLine) error {
	by := f.sort
	if by == "" && f.count {
		by = "-hosts"
	}
	name, down := strings.CutPrefix(by, "-")
	if by != "" && len(lines) > 0 && !slices.Contains(header, name) {
		return cli.NoColumn(name, header)
	}
	slices.SortStableFunc(lines, func(x, y askLine) int {
		c := 0
		if by != "" {
			c = cli.CompareCells(x.column(name), y.column(name))
		}
		if down {
			c = -c
		}
		for i := 0; c == 0 && i < len(header); i++ {
			c = cli.CompareCells(x.column(header[i]), y.column(header[i]))
		}
		return c
	})
	return nil
}

// write writes the answers.
func (f *askForm) write(out io.Writer, answers *askAnswers) error {
	header, lines, err := f.lines(answers)
	if err != nil {
		return err
	}
	if f.json {
		return f.writeJSON(out, lines, answers)
	}
	rows := [][]string{slices.Clone(header)}
	for i, name := range header {
		if !f.csv {
			rows[0][i] = strings.ToUpper(name)
		}
	}
	for _, line := range lines {
		var row []string
		for _, name := range header {
			cell := line.column(name)
			if v, err := strconv.ParseFloat(cell, 64); err == nil && !f.csv && isNumber(name) {
				cell = cli.Number(v)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	if f.csv {
		return csv.NewWriter(out).WriteAll(rows)
	}
	if len(lines) == 0 {
		return nil
	}
	t := cli.Table{Out: out}
	for _, name := range header {
		t.Right = append(t.Right, isNumber(name))
	}
	for _, row := range rows {
		t.Fit(row...)
	}
	t.Squeeze(cli.TerminalWidth(out))
	for _, row := range rows {
		if err := t.Row(row...); err != nil {
			return err
		}
	}
	return nil
}

// isNumber reports whether the cells of a column are numbers.
func isNumber(name string) bool {
	return slices.Contains([]string{"value", "values", "hosts", "min", "mean", "max"}, name)
}

// writeJSON writes the lines, and the hosts that are not in them.
func (f *askForm) writeJSON(out io.Writer, lines []askLine, answers *askAnswers) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	what := "rows"
	if len(f.groupBy) > 0 {
		what = "groups"
	}
	return enc.Encode(map[string]any{what: append([]askLine{}, lines...), "silent": answers.silentHosts()})
}

// asConflict returns err as the answer of a master that finds none of the hosts connected,
// and reports whether it is one.
func asConflict(err error) (*rpc.Error, bool) {
	var answer *rpc.Error
	return answer, errors.As(err, &answer) && answer.Code == wire.CodeConflict
}

// stopTrial ends a trial. A trial that has already ended is not an error.
func stopTrial(ctx context.Context, peer *rpc.Peer, id string) error {
	var answer *rpc.Error
	_, err := wire.TrialsStop.Call(ctx, peer, wire.TrialStopParams{Trial: id})
	if errors.As(err, &answer) && answer.Code == wire.CodeNotFound {
		return nil
	}
	return err
}
