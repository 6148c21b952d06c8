// Package exposition writes metrics in the text format that Prometheus scrapes
// (version 0.0.4), and measures the process itself. It is a few lines instead of a
// library, because an agent must stay small.
package exposition

import (
	"math"
	"strconv"
	"strings"
)

// ContentType is the content type of the format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Kind is the type of a family of measures.
type Kind string

// Kinds of families.
const (
	Gauge   Kind = "gauge"
	Counter Kind = "counter" // its name ends in _total
	Summary Kind = "summary" // without quantiles: name_sum and name_count
)

// Text is a list of metrics in the format. The zero value is empty and ready for
// use.
type Text struct {
	b []byte
}

// Bytes returns the text; it is valid until the next write.
func (t *Text) Bytes() []byte { return t.b }

// Family begins a family of metrics. The samples that follow belong to it.
func (t *Text) Family(name string, kind Kind, help string) {
	t.b = append(t.b, "# HELP "+name+" "+helpEscapes.Replace(help)+"\n# TYPE "+name+" "+string(kind)+"\n"...)
}

// Sample adds a sample with labels, which are pairs of a name and a value.
func (t *Text) Sample(name string, value float64, labels ...string) {
	t.b = append(t.b, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		opening := ","
		if i == 0 {
			opening = "{"
		}
		t.b = append(t.b, opening+labels[i]+`="`+valueEscapes.Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 1 {
		t.b = append(t.b, '}')
	}
	t.b = append(t.b, ' ')
	t.b = appendValue(t.b, value)
	t.b = append(t.b, '\n')
}

// Single adds a family of one sample without labels.
func (t *Text) Single(name string, kind Kind, help string, value float64) {
	t.Family(name, kind, help)
	t.Sample(name, value)
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func appendValue(b []byte, v float64) []byte {
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64) // NaN if it is not a number
}
