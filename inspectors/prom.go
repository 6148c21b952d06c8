package inspectors

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseProm reads a text in the format in which Prometheus exporters show their metrics,
// and adds its samples to a report: the metric backup_bytes is backup_bytes of the
// inspector. Labels are pairs that every sample gets; a label of that name in the text
// becomes exported_ and the name, as in Prometheus, and so do "host" and "key".
//
// The types in the text say which metrics are counters; without them their names do. All
// samples have the time of the run. Values that are no finite numbers are left out. A
// sample with a timestamp is refused, because its value may be old.
//
// A text that cannot be read is an error that names the line, and nothing of it is added.
// So is one with more than MaxSamples samples.
func ParseProm(r *Report, text []byte, labels ...string) error {
	given, err := NewLabels(labels...)
	if err != nil {
		return err
	}
	p := promText{types: make(map[string]string)}
	for line := range strings.Lines(string(text)) {
		p.line++
		line = strings.TrimRight(strings.TrimSuffix(line, "\n"), "\r")
		if err := p.read(strings.TrimLeft(line, promBlanks)); err != nil {
			return fmt.Errorf("cannot read metrics: line %d: %w", p.line, err)
		}
	}
	own := given.Map()
	for i := range p.samples {
		p.samples[i].report(r, p.types, own)
	}
	return nil
}

// promBlanks may stand between the parts of a line.
const promBlanks = " \t"

// promText is a text as far as it was read.
type promText struct {
	line    int
	types   map[string]string // by family
	samples []promSample
}

// promSample is one sample of a text.
type promSample struct {
	line   int
	name   string
	labels map[string]string
	value  float64
	timed  bool // it has a timestamp
}

// read reads a line.
func (p *promText) read(text string) error {
	switch {
	case text == "":
		return nil
	case text[0] == '#':
		return p.comment(strings.TrimLeft(text[1:], promBlanks))
	case len(p.samples) >= MaxSamples:
		return fmt.Errorf("there are more than %d samples; none is taken", MaxSamples)
	}
	s := promSample{line: p.line, labels: make(map[string]string)}
	rest, err := s.series(text)
	if err != nil {
		return err
	}
	fields := strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune(promBlanks, c) })
	switch {
	case len(fields) == 0:
		return fmt.Errorf("%s has no value", Quote(s.name))
	case len(fields) > 2:
		return fmt.Errorf("%s follows the timestamp", Quote(fields[2]))
	case len(fields) == 2:
		if _, err := strconv.ParseInt(fields[1], 10, 64); err != nil {
			return fmt.Errorf("%s is not a timestamp", Quote(fields[1]))
		}
		s.timed = true
	}
	if s.value, err = strconv.ParseFloat(fields[0], 64); err != nil && !errors.Is(err, strconv.ErrRange) || strings.ContainsAny(fields[0], "pP_") {
		return fmt.Errorf("%s is not a number", Quote(fields[0]))
	}
	p.samples = append(p.samples, s)
	return nil
}

// comment notes the type of a family. Other comments say nothing about samples.
func (p *promText) comment(text string) error {
	fields := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(promBlanks, c) })
	if len(fields) < 3 || fields[0] != "TYPE" {
		return nil
	}
	family, kind := fields[1], strings.Join(fields[2:], " ")
	if family[0] == '"' {
		name, rest, err := promQuoted(strings.TrimLeft(text[len("TYPE"):], promBlanks))
		if err != nil {
			return err
		}
		family, kind = name, strings.Trim(rest, promBlanks)
	}
	switch lower := strings.ToLower(kind); lower {
	case "counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram", "gauge_histogram":
		p.types[family] = lower
		return nil
	}
	return fmt.Errorf("%s is not a type; use counter, gauge, histogram, summary or untyped", Quote(kind))
}

// series reads the name and the labels, and returns what follows.
func (s *promSample) series(text string) (rest string, err error) {
	end := strings.IndexFunc(text, func(c rune) bool { return !isMetricLetter(c) })
	if end < 0 {
		end = len(text)
	}
	s.name, rest = text[:end], strings.TrimLeft(text[end:], promBlanks)
	if s.name != "" && !IsMetricName(s.name) || s.name == "" && text[0] != '{' {
		return "", fmt.Errorf("%s does not begin with the name of a metric", Quote(text))
	}
	if !strings.HasPrefix(rest, "{") {
		if rest != "" && len(rest) == len(text)-end {
			return "", fmt.Errorf("%s is not the name of a metric", Quote(text[:strings.IndexAny(text+" ", promBlanks)]))
		}
		return rest, nil
	}
	for rest = rest[1:]; ; {
		rest = strings.TrimLeft(rest, promBlanks)
		if after, ok := strings.CutPrefix(rest, "}"); ok {
			rest = after
			break
		}
		if rest, err = s.label(rest); err != nil {
			return "", err
		}
		rest = strings.TrimLeft(rest, promBlanks)
		if after, ok := strings.CutPrefix(rest, ","); ok {
			rest = after
		} else if !strings.HasPrefix(rest, "}") {
			return "", fmt.Errorf("there is no , or } after a label, but %s", Quote(rest))
		}
	}
	if s.name == "" {
		return "", errors.New("there is no name of a metric")
	}
	return rest, nil
}

// label reads a label, or the name of the metric, which may stand among the labels in
// quotes, and returns what follows.
func (s *promSample) label(text string) (rest string, err error) {
	name := ""
	if strings.HasPrefix(text, `"`) {
		name, rest, err = promQuoted(text)
	} else {
		end := strings.IndexFunc(text, func(c rune) bool { return c == ':' || !isMetricLetter(c) })
		if end < 0 {
			end = len(text)
		}
		name, rest = text[:end], text[end:]
		if !IsMetricName(name) {
			err = fmt.Errorf("%s does not begin with the name of a label", Quote(text))
		}
	}
	if err != nil {
		return "", err
	}
	rest = strings.TrimLeft(rest, promBlanks)
	value, ok := strings.CutPrefix(rest, "=")
	switch {
	case !ok && text[0] == '"' && s.name == "" && name != "":
		s.name = name
		return rest, nil
	case !ok:
		return "", fmt.Errorf("there is no = after label %s", Quote(name))
	case name == "" || name == "__name__":
		return "", fmt.Errorf("%s is not the name of a label", Quote(name))
	}
	if _, twice := s.labels[name]; twice {
		return "", fmt.Errorf("label %s is given twice", Quote(name))
	}
	s.labels[name], rest, err = promQuoted(strings.TrimLeft(value, promBlanks))
	if err != nil {
		return "", fmt.Errorf("label %s: %w", Quote(name), err)
	}
	return rest, nil
}

// promQuoted reads a text in quotes, and returns what follows it.
func promQuoted(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", fmt.Errorf("there is no \" before %s", Quote(text))
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			if i++; i == len(text) {
				break
			}
			switch text[i] {
			case 'n':
				b.WriteByte('\n')
			case '"', '\\':
				b.WriteByte(text[i])
			default:
				return "", "", fmt.Errorf(`%s is written; a backslash goes before n, " and \ alone`, promEscape(text[i-1:]))
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", fmt.Errorf("there is no \" at the end of %s", Quote(text))
}

// promEscape returns the backslash and the character with which a text begins, as an error
// shows them.
func promEscape(text string) string {
	_, size := utf8.DecodeRuneInString(text[1:])
	return EscapeText(text[:1+size], len(text)*len(`\xff`))
}

// report adds the sample to a report.
func (s *promSample) report(r *Report, types map[string]string, given map[string]string) {
	if s.timed {
		r.refuse(fmt.Errorf("line %d: %s has a timestamp, and all samples have the time of the run; leave it out", s.line, Quote(s.name)))
		return
	}
	if math.IsNaN(s.value) || math.IsInf(s.value, 0) {
		return
	}
	labels, err := CombineLabels(s.labels, given, false)
	if err != nil {
		r.refuse(fmt.Errorf("line %d: %s: %w", s.line, Quote(s.name), err))
		return
	}
	family, suffix := Family(s.name, func(name string) bool { return types[name] != "" })
	r.addKnown(FamilyKind(types[family], s.name, suffix), MetricKey(s.name), s.value, labels)
}

// CombineLabels puts the labels of a sample from elsewhere and those that it is given
// together, as Prometheus does it: where both have one of a name, the given one holds, and
// the other gets exported_ before its name, unless the sample's are honoured. The master
// sets host and key itself. It changes own.
func CombineLabels(own, given map[string]string, honor bool) (Labels, error) {
	maps.DeleteFunc(own, func(_, value string) bool { return value == "" })
	if len(own) > MaxLabels {
		return nil, fmt.Errorf("it has %d labels; at most %d are taken", len(own), MaxLabels)
	}
	move := func(name string) {
		value, ok := own[name]
		if !ok {
			return
		}
		delete(own, name)
		for _, taken := own[name]; taken || name == "host" || name == "key" || given[name] != ""; _, taken = own[name] {
			name = "exported_" + name
		}
		own[name] = value
	}
	move("host")
	move("key")
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, both := own[name]; both && honor {
			continue
		}
		move(name)
		if given[name] != "" {
			own[name] = given[name]
		}
	}
	var list Labels
	for _, name := range slices.Sorted(maps.Keys(own)) {
		list = append(list, Label{Name: name, Value: own[name]})
	}
	list, _ = Bearable(list)
	return list, list.Validate()
}
