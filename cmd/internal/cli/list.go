package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/nearest"
)

// Column is a column of a list. Its heading is its name in capitals.
type Column[T any] struct {
	Name string
	Cell func(T) string
	// Exact replaces Cell for programs and -o wide, or is nil.
	Exact func(T) string
	// By is the number to sort by instead of the cell, or nil.
	By func(T) float64
	// Wide is a column that only -o wide shows, and Wider one that -o wide leaves out.
	Wide, Wider bool
	// Right is a column of numbers, which are never cut.
	Right bool
	// Moves is a column that changes all the time, so --watch does not take that for a
	// change.
	Moves bool
	// Whole is a column that is never cut. Last is a column of names, which people copy
	// into the next command: it is narrowed only when no other column can be, and then
	// names continue on the next line. Spare is a column that is left out if the terminal
	// has no room for it.
	Whole, Last, Spare bool
	// Below is a column of sentences. If the table does not fit into the terminal, those that
	// are too long for a narrow column are written whole, on lines below their row.
	Below bool
}

// When makes a column of times in ms since the epoch: how long ago, or exactly.
func When[T any](name string, now time.Time, at func(T) int64) Column[T] {
	return Column[T]{
		Name: name, Moves: true, By: func(t T) float64 { return float64(at(t)) },
		Cell:  func(t T) string { return Ago(now, at(t)) },
		Exact: func(t T) string { return Moment(at(t)) },
	}
}

// Since is When for a state: one that never began has a dash.
func Since[T any](now time.Time, at func(T) int64) Column[T] {
	c := When("since", now, at)
	ago := c.Cell
	c.Cell = func(t T) string {
		if at(t) == 0 {
			return "-"
		}
		return ago(t)
	}
	return c
}

// Num makes a column of numbers.
func Num[T any, N int | int64 | uint64](name string, of func(T) N) Column[T] {
	return Column[T]{Name: name, Right: true, Cell: func(t T) string { return fmt.Sprint(of(t)) }}
}

// ID makes a column of revision ids, cut to their first digits or whole.
func ID[T any](name string, of func(T) string) Column[T] {
	return Column[T]{
		Name: name, Cell: func(t T) string { return ShortID(of(t)) }, Exact: func(t T) string { return OrDash(of(t)) },
	}
}

// List is a command that lists things: as a table, sorted by any column, or in a format for
// programs, once or repeatedly.
type List[T any] struct {
	ListFlags
	// Columns returns the columns of a table that is written now.
	Columns func(now time.Time) []Column[T]
	// Name is the line of -o name. With the name, --watch tells one thing from another.
	Name func(T) string
	// Empty is the sentence that replaces an empty table.
	Empty func() string
	// After writes the lines below the table, or is nil.
	After func(w io.Writer, all []T, now time.Time) error
	// Late is a list whose columns are known only after the query.
	Late bool
	// Live is a list that is always watched; into a pipe it is printed whole each time.
	Live bool
}

// ListFlags are the flags of a list.
type ListFlags struct {
	Output
	sort  string
	watch bool
}

// Flags adds the flags of a list. usage is the help of --json.
func (l *List[T]) Flags(cmd *cobra.Command, usage string) {
	l.Fixed(cmd, usage)
	cmd.Flags().BoolVar(&l.watch, "watch", false, "go on until ^C: redraw on a terminal, else print what changes")
}

// Fixed adds the flags of a list that does not change, so it has no --watch.
func (l *List[T]) Fixed(cmd *cobra.Command, usage string) {
	l.Output.Flags(cmd, usage, FormatWide, FormatJSON, FormatYAML, FormatCSV, FormatName)
	cmd.Flags().StringVar(&l.sort, "sort", "", "sort by this `COLUMN`; -COLUMN has the highest first")
	names := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return l.names(), cobra.ShellCompDirectiveNoFileComp
	}
	_ = cmd.RegisterFlagCompletionFunc("sort", names)
}

func (l *List[T]) names() []string {
	var names []string
	for _, c := range l.Columns(time.Time{}) {
		names = append(names, c.Name)
	}
	return names
}

// SetWatching turns --watch on or off.
func (l *ListFlags) SetWatching(on bool) { l.watch = on }

// SortBy sets the column to sort by if no flag names one.
func (l *ListFlags) SortBy(column string) {
	if l.sort == "" {
		l.sort = column
	}
}

// Watching reports whether --watch was given.
func (l *ListFlags) Watching() bool { return l.watch }

// Check checks the flags.
func (l *List[T]) Check() error {
	if err := l.Output.Check(); err != nil || l.Late {
		return err
	}
	return l.checkSort()
}

// checkSort checks that the column to sort by exists.
func (l *List[T]) checkSort() error {
	name := strings.TrimPrefix(l.sort, "-")
	if names := l.names(); l.sort != "" && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return NoColumn(name, names)
	}
	return nil
}

// NoColumn is the error for an unknown column to sort by.
func NoColumn(name string, names []string) error {
	hint := ""
	if near := nearest.Word(strings.ToLower(name), names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return Usagef("there is no column %q to sort by; there are %s%s", name, strings.Join(names, ", "), hint)
}

// Run lists what ask returns: once, or until ctx ends.
func (l *List[T]) Run(ctx context.Context, cmd *cobra.Command, ask func() ([]T, error)) error {
	if err := l.Check(); err != nil {
		return err
	}
	all, err := ask()
	if err != nil {
		return err
	}
	if l.Late && len(all) > 0 {
		if err := l.checkSort(); err != nil {
			return err
		}
	}
	if l.watch {
		return l.follow(ctx, cmd, all, ask)
	}
	return l.Write(cmd.OutOrStdout(), all, time.Now())
}

// Write writes the list once, in the chosen format.
func (l *List[T]) Write(w io.Writer, all []T, now time.Time) error {
	columns := l.Columns(now)
	l.order(columns, all)
	switch l.Format() {
	case FormatJSON:
		return PrintLines(w, all)
	case FormatYAML:
		return config.WriteYAML(w, all)
	case FormatName:
		for _, t := range all {
			if _, err := fmt.Fprintln(w, Printable(l.Name(t))); err != nil {
				return err
			}
		}
		return nil
	case FormatCSV:
		return l.writeCSV(w, columns, all, true)
	}
	return l.writeTable(w, columns, all, now, TerminalWidth(w))
}

// WriteTable writes only the table, for people, and no wider than the terminal.
func (l *List[T]) WriteTable(w io.Writer, all []T, now time.Time, wide bool) error {
	if wide {
		l.format = FormatWide
	}
	return l.writeTable(w, l.Columns(now), all, now, TerminalWidth(w))
}

// writeTable writes the table and the lines below it. most is the width of the terminal, or
// 0.
func (l *List[T]) writeTable(w io.Writer, columns []Column[T], all []T, now time.Time, most int) error {
	if len(all) == 0 && l.Empty != nil {
		_, err := fmt.Fprintln(Wrapped(w, most), Printable(l.Empty()))
		return err
	}
	if l.Format() == FormatWide {
		most = 0
	}
	columns = l.narrowed(columns, all, most)
	columns, below := l.folded(columns, all, most)
	t := l.fitted(w, columns, all)
	t.Squeeze(most)
	if len(all) > 0 {
		if err := t.row(l.headings(columns)); err != nil {
			return err
		}
	}
	for _, thing := range all {
		if err := t.row(l.cells(columns, thing)); err != nil {
			return err
		}
		if err := writeBelow(Wrapped(w, most), below, thing); err != nil {
			return err
		}
	}
	if l.After == nil {
		return nil
	}
	return l.After(Wrapped(w, most), all, now)
}

// fitted returns a table whose columns are wide enough for all things.
func (l *List[T]) fitted(w io.Writer, columns []Column[T], all []T) *Table {
	t := &Table{Out: w}
	for _, c := range columns {
		if l.shows(c) {
			t.Right, t.whole, t.last = append(t.Right, c.Right), append(t.whole, c.Whole || c.Right), append(t.last, c.Last)
		}
	}
	t.Fit(l.headings(columns)...)
	for _, thing := range all {
		t.Fit(l.cells(columns, thing)...)
	}
	return t
}

// narrowed leaves out columns that are empty for every thing, from the right, until the
// table fits into the given number of columns.
func (l *List[T]) narrowed(columns []Column[T], all []T, most int) []Column[T] {
	columns = slices.Clone(columns)
	for i := len(columns) - 1; i > 0 && most > 0 && l.fitted(nil, columns, all).width() > most; i-- {
		if l.shows(columns[i]) && !slices.ContainsFunc(all, func(t T) bool { return !isNothing(columns[i].Cell(t)) }) {
			columns = slices.Delete(columns, i, i+1)
		}
	}
	for i := len(columns) - 1; i > 0 && most > 0 && l.fitted(nil, columns, all).least() > most; i-- {
		if columns[i].Spare {
			columns = slices.Delete(columns, i, i+1)
		}
	}
	return columns
}

// folded leaves the long cells of columns that may go below their rows out of the table, from
// the right, until it fits into the given number of columns. It returns these columns, too.
func (l *List[T]) folded(columns []Column[T], all []T, most int) (narrow, below []Column[T]) {
	narrow = slices.Clone(columns)
	for i := len(narrow) - 1; i > 0 && most > 0 && l.fitted(nil, narrow, all).width() > most; i-- {
		if c := narrow[i]; c.Below && l.shows(c) {
			below = append([]Column[T]{c}, below...)
			narrow[i].Cell = func(t T) string {
				if cell := c.Cell(t); !isLong(cell) {
					return cell
				}
				return "…"
			}
		}
	}
	return narrow, below
}

// isLong reports whether a cell of a folded column goes below its row.
func isLong(cell string) bool { return utf8.RuneCountInString(cell) > leastWidth }

// writeBelow writes the cells of a row that are too long for their columns.
func writeBelow[T any](w io.Writer, below []Column[T], thing T) error {
	for _, c := range below {
		if cell := c.Cell(thing); isLong(cell) {
			if _, err := fmt.Fprintf(w, "    %s: %s\n", c.Name, Printable(cell)); err != nil {
				return err
			}
		}
	}
	return nil
}

func isNothing(cell string) bool { return cell == "0" || cell == "-" || cell == "" }

// shows reports whether the format has a column.
func (l *List[T]) shows(c Column[T]) bool {
	if l.Format() == "" {
		return !c.Wide
	}
	return !c.Wider
}

func (l *List[T]) headings(columns []Column[T]) []string {
	var cells []string
	for _, c := range columns {
		if l.shows(c) {
			cells = append(cells, strings.ToUpper(c.Name))
		}
	}
	return cells
}

func (l *List[T]) cells(columns []Column[T], thing T) []string {
	var cells []string
	for _, c := range columns {
		switch {
		case !l.shows(c):
		case c.Exact != nil && l.Format() != "":
			cells = append(cells, c.Exact(thing))
		default:
			cells = append(cells, c.Cell(thing))
		}
	}
	return cells
}

func (l *List[T]) writeCSV(w io.Writer, columns []Column[T], all []T, heading bool) error {
	out := csv.NewWriter(w)
	if heading {
		var names []string
		for _, c := range columns {
			if l.shows(c) {
				names = append(names, c.Name)
			}
		}
		_ = out.Write(names) // Flush and Error report it
	}
	for _, thing := range all {
		_ = out.Write(l.cells(columns, thing))
	}
	out.Flush()
	return out.Error()
}

// order sorts things by the chosen column; things that are equal in it keep their order.
func (l *List[T]) order(columns []Column[T], all []T) {
	name, down := strings.CutPrefix(l.sort, "-")
	i := slices.IndexFunc(columns, func(c Column[T]) bool { return strings.EqualFold(c.Name, name) })
	if l.sort == "" || i < 0 {
		return
	}
	c := columns[i]
	slices.SortStableFunc(all, func(x, y T) int {
		order := 0
		if c.By != nil {
			order = cmp.Compare(c.By(x), c.By(y))
		} else {
			order = CompareCells(c.Cell(x), c.Cell(y))
		}
		if down {
			return -order
		}
		return order
	})
}

// CompareCells compares cells: numbers by their value, and before any text.
func CompareCells(x, y string) int {
	a, errA := strconv.ParseFloat(x, 64)
	b, errB := strconv.ParseFloat(y, 64)
	switch {
	case errA == nil && errB == nil && a != b:
		return cmp.Compare(a, b)
	case errA == nil && errB != nil:
		return -1
	case errA != nil && errB == nil:
		return 1
	}
	return cmp.Compare(x, y)
}
