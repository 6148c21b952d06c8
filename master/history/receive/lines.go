package receive

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
)

// refusedLine is the word for a line that cannot be read.
const refusedLine = "line"

// ParseInflux reads lines such as
//
//	cpu,host=web-1,cpu=cpu0 usage_idle=99.5,usage_user=0.3 1700000000000000000
//
// A field becomes a series: cpu_usage_idle here, or just the name of the measurement if
// the field is called value. Tags become labels. Booleans become 1 and 0, and texts are
// skipped. A line without a time gets the present time. Unreadable lines are counted in
// bad.
func ParseInflux(text []byte, unit time.Duration, now time.Time, bad *Result) (series []Series) {
	p := lineParser{text: text, unit: unit, now: now.UnixMilli(), line: 1}
	for p.at < len(p.text) {
		begin := len(series)
		line := p.line
		var err error
		if series, err = p.next(series); err != nil {
			series = series[:begin]
			bad.RefuseLine(line, 1, refusedLine, err)
			p.skip()
		}
	}
	return series
}

type lineParser struct {
	text []byte
	at   int
	line int
	unit time.Duration
	now  int64
}

// peek returns the next byte, or a newline at the end.
func (p *lineParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return '\n'
}

// skip advances past the end of the line.
func (p *lineParser) skip() {
	for p.peek() != '\n' {
		p.at++
	}
	p.at++
	p.line++
}

func (p *lineParser) blanks() {
	for p.peek() == ' ' || p.peek() == '\t' || p.peek() == '\r' {
		p.at++
	}
}

// next reads one line, and appends its series.
func (p *lineParser) next(series []Series) ([]Series, error) {
	p.blanks()
	if c := p.peek(); c == '\n' || c == '#' {
		p.skip()
		return series, nil
	}
	line := p.line // a quoted text can go over several
	measurement, err := p.name(", ")
	if err != nil {
		return series, fmt.Errorf("the measurement: %w", err)
	}
	labels, err := p.tags()
	if err != nil {
		return series, err
	}
	p.blanks()
	begin := len(series)
	for {
		field, err := p.name("=, ")
		if err != nil {
			return series, fmt.Errorf("a field: %w", err)
		}
		if p.peek() != '=' {
			return series, fmt.Errorf("the field %s has no value", inspectors.Quote(field))
		}
		p.at++
		v, number, err := p.value()
		if err != nil {
			return series, fmt.Errorf("the field %s: %w", inspectors.Quote(field), err)
		}
		if number {
			series = append(series, Series{Name: influxName(measurement, field), Labels: labels, Points: []Point{{V: v}}, Line: line})
		}
		if p.peek() != ',' {
			break
		}
		p.at++
	}
	t, err := p.time()
	for i := range series[begin:] {
		series[begin+i].Points[0].T = t
	}
	return series, err
}

// influxName is the name of the metric of a field.
func influxName(measurement, field string) string {
	if field == "value" {
		return inspectors.MetricName(measurement)
	}
	return inspectors.MetricName(measurement + "_" + field)
}

// tags reads ,name=value for each tag.
func (p *lineParser) tags() (labels []Label, err error) {
	for p.peek() == ',' {
		p.at++
		name, err := p.name("=, ")
		if err != nil {
			return nil, fmt.Errorf("a tag: %w", err)
		}
		if p.peek() != '=' {
			return nil, fmt.Errorf("the tag %s has no value", inspectors.Quote(name))
		}
		p.at++
		value, err := p.name(", ")
		if err != nil {
			return nil, fmt.Errorf("the tag %s: %w", inspectors.Quote(name), err)
		}
		labels = append(labels, Label{Name: inspectors.MetricName(name), Value: value})
	}
	return labels, nil
}

// name reads up to one of the given bytes, or the end of the line. A backslash escapes a
// comma, an equals sign, a blank and a backslash.
func (p *lineParser) name(until string) (string, error) {
	var b strings.Builder
	for c := p.peek(); c != '\n' && !strings.ContainsRune(until, rune(c)); c = p.peek() {
		if c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(",= \\", p.text[p.at+1]) >= 0 {
			p.at++
			c = p.text[p.at]
		}
		b.WriteByte(c)
		p.at++
	}
	switch text := b.String(); {
	case text == "":
		return "", errors.New("it is empty")
	case !utf8.ValidString(text):
		return "", errors.New("it is not UTF-8")
	default:
		return text, nil
	}
}

// value reads the value of a field, and whether it is a number.
func (p *lineParser) value() (v float64, number bool, err error) {
	if p.peek() == '"' {
		return 0, false, p.quoted()
	}
	begin := p.at
	for c := p.peek(); c != '\n' && c != ',' && c != ' ' && c != '\r'; c = p.peek() {
		p.at++
	}
	text := string(p.text[begin:p.at])
	switch text {
	case "t", "T", "true", "True", "TRUE":
		return 1, true, nil
	case "f", "F", "false", "False", "FALSE":
		return 0, true, nil
	case "":
		return 0, false, errors.New("the value is empty")
	}
	digits := text
	if last := text[len(text)-1]; last == 'i' || last == 'u' {
		digits = text[:len(text)-1]
	}
	if v, err = strconv.ParseFloat(digits, 64); err != nil || strings.Trim(digits, "0123456789+-.eE") != "" {
		return 0, false, fmt.Errorf("%s is not a value", inspectors.Quote(text))
	}
	return v, true, nil
}

// quoted skips a text, which may have newlines in it.
func (p *lineParser) quoted() error {
	for p.at++; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\\':
			p.at++
		case '\n':
			p.line++
		case '"':
			p.at++
			return nil
		}
	}
	p.at = len(p.text)
	return errors.New("the quote is not closed")
}

// time reads the time and the end of the line.
func (p *lineParser) time() (int64, error) {
	p.blanks()
	begin := p.at
	for c := p.peek(); c != '\n' && c != ' ' && c != '\r'; c = p.peek() {
		p.at++
	}
	text := string(p.text[begin:p.at])
	p.blanks()
	if p.peek() != '\n' {
		return 0, errors.New("something follows the time")
	}
	t := p.now
	if text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is not a time", inspectors.Quote(text))
		}
		if t, err = influxMillis(n, p.unit); err != nil {
			return 0, err
		}
	}
	p.skip()
	return t, nil
}

// influxMillis returns a time in milliseconds.
func influxMillis(n int64, unit time.Duration) (int64, error) {
	if unit < time.Millisecond {
		return n / int64(time.Millisecond/unit), nil
	}
	factor := int64(unit / time.Millisecond)
	if n > math.MaxInt64/factor || n < math.MinInt64/factor {
		return 0, fmt.Errorf("the time %d is too far away; is it in another unit than the request's precision?", n)
	}
	return n * factor, nil
}
