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

// Table writes aligned rows one by one: a column is as wide as the widest cell
// that it has had so far.
type Table struct {
	Out    io.Writer
	widths []int
}

// Fit makes the columns wide enough for a row that is going to come.
func (t *Table) Fit(cells ...string) {
	for i, cell := range cells {
		if i >= len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
	}
}

// Row writes a row.
func (t *Table) Row(cells ...string) error {
	t.Fit(cells...)
	var b strings.Builder
	for i, cell := range cells {
		cell = Printable(cell)
		width := utf8.RuneCountInString(cell)
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", t.widths[i]-width+2))
		}
	}
	_, err := fmt.Fprintln(t.Out, b.String())
	return err
}

func Clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// Value writes a number with the unit that its key names.
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
	case total:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return Number(v)
}

// Number writes a value with at most four digits after the point, and those
// that matter.
func Number(v float64) string {
	if v != 0 && math.Abs(v) < 0.001 || math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	s := strconv.FormatFloat(v, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func Bytes(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 {
		return Number(v) + " B"
	}
	return fmt.Sprintf("%.2f %s", v, units[i])
}
