package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// TerminalWidth returns the number of columns of the terminal that w writes to, or 0 if it
// is none.
func TerminalWidth(w io.Writer) int {
	width, _ := terminalSize(w)
	return width
}

// terminalSize returns the numbers of columns and lines of a terminal, or 0.
func terminalSize(w io.Writer) (width, height int) {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0, 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0, 0
	case size.Col == 0 || size.Row == 0:
		return 80, 24
	}
	return int(size.Col), int(size.Row)
}

// Colours reports whether output to w may be coloured.
func Colours(w io.Writer) bool {
	return TerminalWidth(w) > 0 && os.Getenv("NO_COLOR") == ""
}

// Screen shows lines on a terminal that replace the lines before.
type Screen struct {
	out   io.Writer
	size  func() (width, height int)
	shown int // lines
}

// NewScreen makes a screen on a terminal. The size of the terminal may change.
func NewScreen(out io.Writer) *Screen {
	return &Screen{out: out, size: func() (int, int) { return terminalSize(out) }}
}

// Width is the current number of columns.
func (s *Screen) Width() int {
	width, _ := s.size()
	return width
}

// Height is the current number of lines.
func (s *Screen) Height() int {
	_, height := s.size()
	return height
}

// Show replaces the lines. They must be printable. If the terminal is too low, its last
// line counts the missing ones.
func (s *Screen) Show(lines []string) error { return s.ShowAbove(lines, 0) }

// ShowAbove is Show, but never leaves out the given number of lines at the end.
func (s *Screen) ShowAbove(lines []string, foot int) error {
	var b strings.Builder
	width, height := s.size()
	if s.shown > 0 {
		b.WriteString("\x1b[" + strconv.Itoa(s.shown) + "A\r\x1b[J")
	}
	if room := max(height-1, foot+2); height > 0 && len(lines) > room {
		head, rest := room-foot-1, lines[len(lines)-foot:]
		more := fmt.Sprintf("… and %d more lines", len(lines)-foot-head)
		lines = append(append(lines[:head:head], more), rest...)
	}
	for _, line := range lines {
		b.WriteString(Cut(line, width-1) + "\n")
	}
	s.shown = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}

// Cut shortens a text to the given number of columns.
func Cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most && most > 0 {
		return string(runes[:most-1]) + "…"
	}
	return s
}
