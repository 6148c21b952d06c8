package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// originKind says which layer a value came from; later ones win.
type originKind int

const (
	fromDefault originKind = iota
	fromFile
	fromDotEnv
	fromEnv
	fromFlag
	fromNowhere // about no single value
)

// Origin says where a value of the configuration came from. The zero Origin is
// a default.
type Origin struct {
	kind      originKind
	name      string // of the file, the variable or the flag
	file      string // of the .env that held the variable
	line, col int    // in a file, from 1; col counts runes
	beside    string // another origin that gave the other half of the value
}

// Given reports whether the value was given: it is not a default.
func (o Origin) Given() bool { return o.kind != fromDefault }

// String names the origin: "default", "vedette.yaml:3", ".env:2 MASTER_IP",
// "env MASTER_IP" or "flag --listen".
func (o Origin) String() string {
	var s string
	switch o.kind {
	case fromFile:
		s = fmt.Sprintf("%s:%d", printable(o.name), o.line)
	case fromDotEnv:
		s = fmt.Sprintf("%s:%d %s", printable(o.file), o.line, o.name)
	case fromEnv:
		s = "env " + o.name
	case fromFlag:
		s = "flag --" + o.name
	case fromNowhere:
		return ""
	default:
		return "default"
	}
	if o.beside != "" {
		s += ", " + o.beside
	}
	return s
}

// place names the origin in a fault: with the column if there is one.
func (o Origin) place() string {
	if o.kind == fromFile && o.line > 0 {
		return fmt.Sprintf("%s:%d:%d", printable(o.name), o.line, o.col)
	}
	if o.kind == fromFile {
		return printable(o.name)
	}
	return o.String()
}

// Fault is one thing that is wrong with a configuration, at its place.
type Fault struct {
	// Origin is the place of the fault.
	Origin Origin
	// Message says what is wrong and how to fix it.
	Message string
	// Text is the offending line of the file, or empty.
	Text string
}

// Error writes the place and the message and, for a fault in a file, the
// offending line with a caret under the fault:
//
//	vedette.yaml:3:13: interval 10 has no unit; write 10s
//	   3 |   interval: 10
//	     |             ^
func (f Fault) Error() string {
	var b strings.Builder
	if place := f.Origin.place(); place != "" {
		b.WriteString(place + ": ")
	}
	b.WriteString(f.Message)
	if f.Text != "" {
		text, col := excerpt(f.Text, f.Origin.col)
		number := strconv.Itoa(f.Origin.line)
		fmt.Fprintf(&b, "\n%4s | %s\n%*s | %s^", number, text, max(4, len(number)), "", underline(text, col))
	}
	return b.String()
}

// Faults are all faults of one configuration, in the order of their places: those
// of the file, then of .env, of the environment and of the flags.
type Faults []Fault

// Error writes one fault after the other.
func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Error()
	}
	return strings.Join(texts, "\n")
}

// Err returns the faults, sorted and without duplicates, or nil if there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	sorted := slices.Clone(f)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(max(a.Origin.kind, fromFile), max(b.Origin.kind, fromFile)),
			cmp.Compare(a.Origin.name, b.Origin.name),
			cmp.Compare(a.Origin.line, b.Origin.line),
			cmp.Compare(a.Origin.col, b.Origin.col),
		)
	})
	return slices.Compact(sorted)
}

// widest is how much of a line a fault shows, in runes.
const widest = 120

// excerpt makes a line fit to be shown: printable, and cut around column col,
// which it returns as a column of the cut text.
func excerpt(line string, col int) (string, int) {
	runes := []rune(printableLine(line))
	col = min(max(col, 1), len(runes)+1)
	if len(runes) <= widest {
		return string(runes), col
	}
	from := max(0, min(col-widest/2, len(runes)-widest))
	cut := string(runes[from:min(from+widest, len(runes))])
	return cut, col - from
}

// underline is the text before the caret: as wide as the text above it.
func underline(text string, col int) string {
	var b strings.Builder
	for i, r := range []rune(text) {
		if i >= col-1 {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// printableLine replaces characters that could steer a terminal, but keeps tabs.
func printableLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r == utf8.RuneError || !unicode.IsPrint(r)) {
			return '?'
		}
		return r
	}, strings.TrimRight(s, "\r\n"))
}

// printable makes a name fit to be shown on one line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// quote shows an outside value in a message: escaped, and cut if it is long.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		return strconv.Quote(string([]rune(s)[:most])) + "…"
	}
	return strconv.Quote(s)
}
