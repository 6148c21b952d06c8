package inspectors

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseNagios reads the standard output of a Nagios check, and its exit status.
// Any output has a result: performance data that cannot be read are listed in its
// Faults, unless the state is unknown, because then they may be anything.
func ParseNagios(status int, output []byte) NagiosResult {
	n := NagiosResult{State: status}
	if status < NagiosOK || status > NagiosUnknown {
		n.State = NagiosUnknown
	}
	text, data := splitNagios(strings.ToValidUTF8(string(output), "\uFFFD"))
	n.Text = cutText(text, MaxNagiosTextBytes)
	for data = strings.TrimLeft(data, nagiosBlanks); data != ""; data = strings.TrimLeft(data, nagiosBlanks) {
		if len(n.Values) == MaxNagiosValues {
			n.fault("more than %d values; the rest is left out", MaxNagiosValues)
			break
		}
		data = n.item(data)
	}
	if n.State == NagiosUnknown {
		n.Faults = nil // it may have written its usage
	}
	return n
}

// nagiosBlanks separate performance data.
const nagiosBlanks = " \t\r\n"

// splitNagios separates the first line of text and all performance data. The data
// follow a | on the first line, and a second | in the lines after it, after which
// there is nothing else.
func splitNagios(output string) (text, data string) {
	first, rest, _ := strings.Cut(output, "\n")
	text, data, _ = strings.Cut(first, "|")
	_, more, _ := strings.Cut(rest, "|")
	return strings.TrimSpace(text), data + "\n" + more
}

// cutText returns at most so many bytes of a text, in whole characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// item reads the first item of performance data and returns what follows it.
func (n *NagiosResult) item(data string) (rest string) {
	label, rest, err := nagiosLabel(data)
	if err != nil {
		n.fault("%s: %v", Quote(nagiosWord(data)), err)
		return rest
	}
	word := nagiosWord(rest)
	rest = rest[len(word):]
	v := NagiosValue{Label: label}
	err = v.parse(word)
	switch {
	case errors.Is(err, errUndetermined): // as the check says
	case err != nil:
		n.fault("%s: %v", Quote(label), err)
	default:
		n.Values = append(n.Values, v)
	}
	return rest
}

// nagiosWord returns the text before the first blank.
func nagiosWord(data string) string {
	if end := strings.IndexAny(data, nagiosBlanks); end >= 0 {
		return data[:end]
	}
	return data
}

// nagiosLabel reads a label and the = after it. Quotes are needed only for a
// blank, a = and a quote, which is doubled. After an error, rest is where to
// continue.
func nagiosLabel(data string) (label, rest string, err error) {
	word := nagiosWord(data)
	if !strings.HasPrefix(data, "'") {
		label, _, found := strings.Cut(word, "=")
		switch {
		case !found:
			return "", data[len(word):], errors.New("it has no value; write label=value")
		case label == "":
			return "", data[len(word):], errors.New("it has no label; write label=value")
		}
		return label, data[len(label)+1:], nil
	}
	var b strings.Builder
	for i := 1; i < len(data); i++ {
		switch {
		case data[i] != '\'':
			b.WriteByte(data[i])
		case strings.HasPrefix(data[i:], "''"):
			b.WriteByte('\'')
			i++
		case b.Len() == 0:
			return "", data[i+1+len(nagiosWord(data[i+1:])):], errors.New("the label is empty")
		case !strings.HasPrefix(data[i:], "'="):
			return "", data[i+1+len(nagiosWord(data[i+1:])):], errors.New("there is no = after the label's quote")
		default:
			return b.String(), data[i+2:], nil
		}
	}
	return "", "", errors.New("the label's quote is not closed")
}

// errUndetermined is the U that a check writes if it could not find out a value.
var errUndetermined = errors.New("the value could not be determined")

// parse reads value[unit];[warn];[crit];[min];[max].
func (v *NagiosValue) parse(word string) error {
	fields := strings.Split(word, ";")
	if fields[0] == "U" {
		return errUndetermined
	}
	number := fields[0][:numberLength(fields[0])]
	written := fields[0][len(number):]
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return fmt.Errorf("%s is not a number with a unit", Quote(fields[0]))
	}
	var factor float64
	v.Unit, factor = nagiosUnit(written)
	if _, labels := v.series(); len(labels) > 2 && len(EscapeValue(v.Unit)) > MaxLabelNameBytes {
		return fmt.Errorf("the unit %s is longer than %d bytes", Quote(v.Unit), MaxLabelNameBytes)
	}
	if v.Value, err = scaled(value, factor); err != nil {
		return err
	}
	field := func(i int) string {
		if i >= len(fields) {
			return ""
		}
		return strings.TrimSuffix(fields[i], written)
	}
	if v.Warning, err = parseRange(field(1), factor); err != nil {
		return fmt.Errorf("its warning threshold: %w", err)
	}
	if v.Critical, err = parseRange(field(2), factor); err != nil {
		return fmt.Errorf("its critical threshold: %w", err)
	}
	if v.Min, err = parseLimit(field(3), factor); err != nil {
		return fmt.Errorf("its least value: %w", err)
	}
	if v.Max, err = parseLimit(field(4), factor); err != nil {
		return fmt.Errorf("its largest value: %w", err)
	}
	return nil
}

// numberLength returns how many bytes at the start of a text are a decimal number.
func numberLength(text string) int {
	digits := func(i int) int {
		for i < len(text) && '0' <= text[i] && text[i] <= '9' {
			i++
		}
		return i
	}
	sign := func(i int) int {
		if i < len(text) && (text[i] == '-' || text[i] == '+') {
			i++
		}
		return i
	}
	i := digits(sign(0))
	if i < len(text) && text[i] == '.' {
		i = digits(i + 1)
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if start := sign(i + 1); digits(start) > start { // and not the E of EB
			i = digits(start)
		}
	}
	return i
}

// nagiosUnit returns the unit in which values are stored, and the factor for a
// value in the written unit.
func nagiosUnit(written string) (unit string, factor float64) {
	switch written {
	case "":
		return "", 1
	case "s":
		return "seconds", 1
	case "ms":
		return "seconds", 1e-3
	case "us", "µs":
		return "seconds", 1e-6
	case "ns":
		return "seconds", 1e-9
	case "%":
		return "percent", 1
	case "c":
		return "total", 1
	case "B":
		return "bytes", 1
	}
	if power := strings.Index("KMGTPE", strings.ToUpper(written[:1])); power >= 0 && (written[1:] == "B" || written[1:] == "iB") {
		return "bytes", math.Pow(1024, float64(power+1))
	}
	return written, 1
}

// parseRange reads [@]start:end, where start alone is the end of a range from 0,
// and ~ is minus infinity. An empty text is no range.
func parseRange(text string, factor float64) (*NagiosRange, error) {
	if text == "" {
		return nil, nil
	}
	rest, inside := strings.CutPrefix(text, "@")
	start, end, both := strings.Cut(rest, ":")
	if !both {
		start, end = "", rest
	}
	g := &NagiosRange{Start: 0, End: math.Inf(1), Inside: inside}
	var err error
	if start == "~" {
		g.Start = math.Inf(-1)
	} else if start != "" {
		if g.Start, err = parseNumber(start, factor); err != nil {
			return nil, err
		}
	}
	if end != "" {
		if g.End, err = parseNumber(end, factor); err != nil {
			return nil, err
		}
	}
	if rest == "" || g.Start > g.End {
		return nil, fmt.Errorf("%s is not a range", Quote(text))
	}
	return g, nil
}

// parseLimit reads a number; an empty text is none.
func parseLimit(text string, factor float64) (*float64, error) {
	if text == "" || text == "U" {
		return nil, nil
	}
	value, err := parseNumber(text, factor)
	if err != nil {
		return nil, err
	}
	return &value, nil
}

func parseNumber(text string, factor float64) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || numberLength(text) != len(text) {
		return 0, fmt.Errorf("%s is not a number", Quote(text))
	}
	return scaled(value, factor)
}

// scaled multiplies, and refuses results that are too large.
func scaled(value, factor float64) (float64, error) {
	if value *= factor; isInfinite(value) {
		return 0, errors.New("the number is too large")
	}
	return value, nil
}

func isInfinite(value float64) bool { return math.IsInf(value, 0) }
