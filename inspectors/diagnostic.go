package inspectors

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is one fault in a script, at its place in the author's own file.
type Diagnostic struct {
	// File is the author's name of the file.
	File string `json:"file"`
	// Line counts from 1; 0 means that the place is unknown.
	Line int `json:"line"`
	// Col counts bytes from 1; 0 means the whole line.
	Col int `json:"col"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Fix says what to write instead, or is empty.
	Fix string `json:"fix,omitempty"`
}

// Error writes the fault as "file:line:col: message; fix".
func (d Diagnostic) Error() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d", d.Line)
		if d.Col > 0 {
			fmt.Fprintf(&b, ":%d", d.Col)
		}
	}
	b.WriteString(": ")
	b.WriteString(d.Message)
	if d.Fix != "" {
		b.WriteString("; ")
		b.WriteString(d.Fix)
	}
	return b.String()
}

// Diagnostics are all the faults of one script. As an error it has one line for
// each. Use errors.As to get the individual faults.
type Diagnostics []Diagnostic

// Error writes one line for each fault.
func (d Diagnostics) Error() string {
	lines := make([]string, len(d))
	for i := range d {
		lines[i] = d[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the faults in the order of their places, without duplicates, or nil
// if there are none.
func (d Diagnostics) Err() error {
	if len(d) == 0 {
		return nil
	}
	sorted := slices.Clone(d)
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.Compact(sorted)
}
