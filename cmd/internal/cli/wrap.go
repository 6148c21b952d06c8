package cli

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// longestName is how long a name in front of a value may be.
const longestName = 16

// wrapper breaks lines at blanks so that they fit into a terminal. It writes whole lines
// only.
type wrapper struct {
	out  io.Writer
	most int
	rest []byte // an unfinished line
}

// Wrapped returns a writer that breaks lines at blanks after at most the given number of
// columns, and writes whole lines only. Continued lines are indented like the text that
// they belong to. With 0 columns, for no terminal, nothing is broken.
func Wrapped(w io.Writer, most int) io.Writer {
	if most == 0 {
		return w
	}
	return &wrapper{out: w, most: most}
}

// ToTerminal returns a writer of sentences, which breaks long lines where w is a terminal.
func ToTerminal(w io.Writer) io.Writer { return Wrapped(w, TerminalWidth(w)) }

// Write implements io.Writer.
func (w *wrapper) Write(p []byte) (int, error) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		w.rest = append(w.rest, p...)
		return len(p), nil
	}
	text := string(append(w.rest, p[:end]...))
	w.rest = append([]byte(nil), p[end:]...)
	var b strings.Builder
	for line := range strings.Lines(text) {
		wrapLine(&b, strings.TrimSuffix(line, "\n"), w.most)
	}
	if _, err := io.WriteString(w.out, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wrapLine writes a line in pieces. A word that is longer than a line stays whole.
func wrapLine(b *strings.Builder, line string, most int) {
	start, indent := hanging(line)
	if indent > most/2 {
		start, indent = 0, 4
	}
	for utf8.RuneCountInString(line) > most {
		end := breakAt(line, most, start)
		if end < 0 {
			break
		}
		b.WriteString(strings.TrimRight(line[:end], " ") + "\n")
		line = strings.Repeat(" ", indent) + strings.TrimLeft(line[end:], " ")
		start = indent
	}
	b.WriteString(line + "\n")
}

// hanging returns the column in which the text of a line starts, and that of the lines
// that continue it. If the line starts with a name and several blanks, both are the column of
// the value; otherwise a continued line is indented by four columns, or more if the line is.
func hanging(line string) (start, indent int) {
	switch n := len(line) - len(strings.TrimLeft(line, " ")); n {
	case 0:
	case 2: // an item of a list
		return n, 4
	default:
		return n, n
	}
	if name, value, ok := strings.Cut(line, "  "); ok && len(name) < longestName {
		n := utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(value, " "))
		return n, n
	}
	return 0, 4
}

// breakAt returns the index of the last blank behind the start of the text at which a line
// can be broken so that its beginning fits, or else of the first one after that, or -1.
func breakAt(line string, most, start int) int {
	column, last := 0, -1
	for i, r := range line {
		if r == ' ' && column > start && strings.Trim(line[i:], " ") != "" {
			if column > most && last >= 0 {
				return last
			}
			last = i
			if column > most {
				return last
			}
		}
		column++
	}
	return last
}
