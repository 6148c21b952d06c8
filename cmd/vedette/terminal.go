package main

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// terminalWidth returns how many columns the terminal has that w writes to, or
// 0 where it is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if size.Col == 0 {
		return 80
	}
	return int(size.Col)
}

// colours tells whether what goes to w may have colours.
func colours(w io.Writer) bool {
	return terminalWidth(w) > 0 && os.Getenv("NO_COLOR") == ""
}

// screen shows lines on a terminal that take the place of those before.
type screen struct {
	out   io.Writer
	width int
	shown int // lines
}

// show replaces the lines. They must be printable.
func (s *screen) show(lines []string) error {
	var b strings.Builder
	if s.shown > 0 {
		b.WriteString("\x1b[" + strconv.Itoa(s.shown) + "A\r\x1b[J")
	}
	for _, line := range lines {
		b.WriteString(cut(line, s.width-1) + "\n")
	}
	s.shown = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}

// cut shortens a text to so many columns.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most && most > 0 {
		return string(runes[:most-1]) + "…"
	}
	return s
}
