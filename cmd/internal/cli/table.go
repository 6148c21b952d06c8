package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// leastWidth is the width below which no column is squeezed.
const leastWidth = 8

// Table writes aligned rows one by one. A column is as wide as its widest cell so far.
type Table struct {
	Out io.Writer
	// Right says which columns are aligned to the right, such as numbers.
	Right  []bool
	whole  []bool // columns that are never cut
	last   []bool // columns of names, which continue on another line and are never cut
	widths []int
}

// Fit widens the columns for a row that will follow.
func (t *Table) Fit(cells ...string) {
	for i, cell := range cells {
		if i >= len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
	}
}

// width is the width of the rows.
func (t *Table) width() int {
	total := 2 * max(len(t.widths)-1, 0)
	for _, w := range t.widths {
		total += w
	}
	return total
}

// least is the width of the rows if every column is cut as far as possible and names are on
// one line.
func (t *Table) least() int {
	total := 2 * max(len(t.widths)-1, 0)
	for i, w := range t.widths {
		if !is(t.whole, i) && !is(t.last, i) {
			w = min(w, leastWidth)
		}
		total += w
	}
	return total
}

func is(columns []bool, i int) bool { return i < len(columns) && columns[i] }

// Squeeze narrows the widest columns until the rows fit into a terminal with the given
// number of columns. Columns of names are narrowed only when no other can be. 0 is no
// terminal.
func (t *Table) Squeeze(most int) {
	for total := t.width(); most > 0 && total > most; total-- {
		widest := t.widest(false)
		if widest < 0 {
			widest = t.widest(true)
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

// widest returns the widest column that can be narrowed, among those of names or among the
// others, or -1.
func (t *Table) widest(last bool) int {
	widest := -1
	for i, w := range t.widths {
		if w > leastWidth && is(t.last, i) == last && !is(t.whole, i) && (widest < 0 || w >= t.widths[widest]) {
			widest = i
		}
	}
	return widest
}

// Row writes a row.
func (t *Table) Row(cells ...string) error {
	t.Fit(cells...)
	return t.row(cells)
}

// row writes a row with the current widths. A name that is too long for its column
// continues on the next line; other cells are cut.
func (t *Table) row(cells []string) error {
	lines, columns := 1, make([][]string, len(cells))
	for i, cell := range cells {
		cell = Printable(cell)
		if is(t.last, i) {
			columns[i] = pieces(cell, t.widths[i])
		} else {
			columns[i] = []string{Cut(cell, t.widths[i])}
		}
		lines = max(lines, len(columns[i]))
	}
	for n := range lines {
		line := make([]string, len(cells))
		for i, column := range columns {
			if n < len(column) {
				line[i] = column[n]
			}
		}
		if err := t.line(line); err != nil {
			return err
		}
	}
	return nil
}

// line writes one line, whose cells fit into the columns.
func (t *Table) line(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		padding := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		right := is(t.Right, i)
		if right {
			b.WriteString(padding)
		}
		b.WriteString(cell)
		if i < len(cells)-1 {
			if !right {
				b.WriteString(padding)
			}
			b.WriteString("  ")
		}
	}
	_, err := fmt.Fprintln(t.Out, strings.TrimRight(b.String(), " "))
	return err
}

// pieces splits a name into pieces of at most the given width, after a character that
// separates words if possible.
func pieces(name string, width int) []string {
	var all []string
	rest := []rune(name)
	for len(rest) > width && width > 0 {
		end := width
		for i := width; i > width/2; i-- {
			if strings.ContainsRune("/-._: ", rest[i-1]) {
				end = i
				break
			}
		}
		all, rest = append(all, string(rest[:end])), rest[end:]
	}
	return append(all, string(rest))
}

// Clock formats a time of the day.
func Clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// Moment formats a time in ms since the epoch exactly.
func Moment(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return time.UnixMilli(ms).Local().Format("2006-01-02 15:04:05")
}

// Value formats a number with the unit that its key names.
func Value(key string, v float64) string {
	total := strings.HasSuffix(key, "_total")
	switch key := strings.TrimSuffix(key, "_total"); {
	case strings.HasSuffix(key, "bytes"):
		return Bytes(v)
	case strings.HasSuffix(key, "percent"):
		return Number(v) + " %"
	case strings.HasSuffix(key, "seconds"):
		return Number(v) + " s"
	case strings.HasSuffix(key, "celsius"):
		return Number(v) + " °C"
	case total && math.Abs(v) >= 0.001 && math.Abs(v) < 1e15:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return Number(v)
}

// Number formats a value with at most four digits after the point, without trailing zeros.
func Number(v float64) string {
	if v != 0 && math.Abs(v) < 0.001 || math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	s := strconv.FormatFloat(v, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Plain formats a number for programs.
func Plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// Bytes formats a size.
func Bytes(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if math.Abs(v) >= 1e6 { // nothing has a million PiB
		return strconv.FormatFloat(v, 'g', 4, 64) + " " + units[i]
	}
	if i == 0 {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64) + " B"
	}
	return fmt.Sprintf("%.2f %s", v, units[i])
}
