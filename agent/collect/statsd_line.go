package collect

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// statsdLine is one line of StatsD, with the tags of DogStatsD:
//
//	name:value|kind|@rate|#tag:value,tag
//
// Several values may stand there, with ":" between them.
type statsdLine struct {
	name   string
	values []statsdValue
	kind   byte // c, g, t, h or s; 0 if it is not a metric
	rate   float64
	tags   string // sorted, with "," between them
}

type statsdValue struct {
	number   float64
	relative bool   // of a gauge: with a sign
	text     string // of a set
}

// mostAdded is the largest number that one value may add to a sum. One that is larger would
// spoil the sum for good: float64 has no room for both it and later values (IEEE 754).
const mostAdded = 1 << 53

// fits reports whether a value can be added to the sums of its series.
func (l *statsdLine) fits(v statsdValue) bool {
	if l.kind == 'g' && !v.relative { // it replaces what was there
		return true
	}
	return max(math.Abs(v.number), 1)/l.rate <= mostAdded
}

// cutLine returns the first line of a text, and the rest.
func cutLine(text []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(text, []byte("\n"))
	return bytes.TrimRight(line, "\r"), rest
}

// parseStatsd reads a line, and reports whether it is one.
func parseStatsd(line string) (l statsdLine, ok bool) {
	if strings.HasPrefix(line, "_e{") || strings.HasPrefix(line, "_sc|") {
		return l, true
	}
	head, rest, found := strings.Cut(line, "|")
	name, values, given := strings.Cut(head, ":")
	if !found || !given || name == "" || values == "" {
		return l, false
	}
	parts := strings.Split(rest, "|")
	kinds := map[string]byte{"c": 'c', "g": 'g', "ms": 't', "h": 'h', "d": 'h', "s": 's'}
	l = statsdLine{name: name, kind: kinds[parts[0]], rate: 1}
	if l.kind == 0 {
		return l, false
	}
	for _, part := range parts[1:] {
		switch {
		case strings.HasPrefix(part, "@"):
			rate, err := strconv.ParseFloat(part[1:], 64)
			if err != nil || !(rate > 0 && rate <= 1) {
				return l, false
			}
			l.rate = rate
		case strings.HasPrefix(part, "#"):
			tags := strings.Split(part[1:], ",")
			slices.Sort(tags)
			l.tags = strings.Join(slices.Compact(tags), ",")
		}
	}
	if l.kind == 's' {
		l.values = []statsdValue{{text: values}}
		return l, true
	}
	for text := range strings.SplitSeq(values, ":") {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || l.kind == 'c' && v < 0 {
			return l, false
		}
		value := statsdValue{number: v, relative: text[0] == '+' || text[0] == '-'}
		if !l.fits(value) {
			return l, false
		}
		l.values = append(l.values, value)
	}
	return l, true
}

// labels returns the tags as labels. A tag without a value is true. Names that the master
// sets itself are prefixed with exported_, like those of exporters.
func (l *statsdLine) labels() map[string]string {
	labels := make(map[string]string)
	for tag := range strings.SplitSeq(l.tags, ",") {
		name, value, given := strings.Cut(tag, ":")
		if name == "" {
			continue
		}
		if !given {
			value = "true"
		}
		if name = inspectors.MetricName(name); slices.Contains([]string{"host", "key", "quantile"}, name) {
			name = "exported_" + name
		}
		labels[strings.TrimLeft(name, "_")] = value
	}
	delete(labels, "")
	return labels
}

// statsdKey makes part of a key from a name such as web.requests.
func statsdKey(name string) string {
	const most = inspectors.MaxSegmentBytes - len("_seconds_count")
	if len(name) <= most && inspectors.ValidateKey(name) == nil && !strings.Contains(name, "/") {
		return name
	}
	plain := inspectors.MetricName(name)
	if len(plain) <= most && len(strings.Trim(plain, "_")) > 0 {
		return plain
	}
	return inspectors.Digested(name, most, "-")
}
