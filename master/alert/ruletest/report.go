package ruletest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
)

// Failure is an expectation that did not hold.
type Failure struct {
	// Place is the file, the line and the column of the expectation.
	Place string
	// Test is the name of the test.
	Test string
	// Subject is the alert or the expression, and the time.
	Subject string

	rows []row
}

// row is a line of the expected text beside one of the actual text.
type row struct{ expected, got string }

// headings stand above the two columns of a failure, and nothing stands in for an empty
// side.
const (
	headExpected = "expected"
	headGot      = "got"
	nothing      = "nothing"
)

// String names the place and the test, then shows the expected text beside the actual one.
// Lines that differ begin with "!".
func (f Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: test %q: %s", f.Place, f.Test, f.Subject)
	if len(f.rows) == 0 {
		return b.String()
	}
	wide := len(headExpected)
	for _, r := range f.rows {
		wide = max(wide, utf8.RuneCountInString(r.expected))
	}
	line := func(mark, left, right string) {
		pad := strings.Repeat(" ", wide-utf8.RuneCountInString(left))
		b.WriteString("\n" + strings.TrimRight("  "+mark+" "+left+pad+" | "+right, " "))
	}
	line(" ", headExpected, headGot)
	for _, r := range f.rows {
		mark := " "
		if r.expected != r.got {
			mark = "!"
		}
		line(mark, r.expected, r.got)
	}
	return b.String()
}

// alert is one that fires.
type alert struct{ labels, annotations labels.Labels }

func (a alert) compare(b alert) int {
	if c := labels.Compare(a.labels, b.labels); c != 0 {
		return c
	}
	return labels.Compare(a.annotations, b.annotations)
}

func (a alert) equal(b alert) bool { return a.compare(b) == 0 }

func (a alert) near(b alert) int { return labels.Compare(a.labels, b.labels) }

// lines are the labels of an alert, each followed by its annotations.
func (a alert) lines() []string {
	list := []string{a.labels.String()}
	a.annotations.Range(func(l labels.Label) {
		list = append(list, "  "+l.Name+": "+strings.Trim(strconv.Quote(l.Value), `"`))
	})
	return list
}

// sample is one that an expression yields.
type sample struct {
	labels    labels.Labels
	value     float64
	histogram string
}

func (s sample) compare(b sample) int { return labels.Compare(s.labels, b.labels) }

func (s sample) near(b sample) int { return s.compare(b) }

func (s sample) lines() []string {
	text := s.histogram
	if text == "" {
		text = strconv.FormatFloat(s.value, 'g', -1, 64)
	}
	return []string{s.labels.String() + " " + text}
}

// shown is the text of a column.
type shown[T any] interface {
	near(other T) int // 0 if both stand beside each other
	lines() []string
}

// pair puts two sorted lists beside each other.
func pair[T shown[T]](expected, got []T) (rows []row) {
	for len(expected) > 0 || len(got) > 0 {
		var left, right []string
		order := 0
		switch {
		case len(got) == 0:
			order = -1
		case len(expected) == 0:
			order = 1
		default:
			order = expected[0].near(got[0])
		}
		if order <= 0 {
			left, expected = expected[0].lines(), expected[1:]
		}
		if order >= 0 {
			right, got = got[0].lines(), got[1:]
		}
		rows = append(rows, beside(left, right)...)
	}
	return rows
}

func beside(left, right []string) (rows []row) {
	if left == nil {
		left = []string{nothing}
	}
	if right == nil {
		right = []string{nothing}
	}
	for i := range max(len(left), len(right)) {
		var r row
		if i < len(left) {
			r.expected = left[i]
		}
		if i < len(right) {
			r.got = right[i]
		}
		rows = append(rows, r)
	}
	return rows
}
