package cli

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// TerminalWidth returns how many columns the terminal has that w writes to, or
// 0 where it is none.
func TerminalWidth(w io.Writer) int {
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

// Colours tells whether what goes to w may have colours.
func Colours(w io.Writer) bool {
	return TerminalWidth(w) > 0 && os.Getenv("NO_COLOR") == ""
}

// Screen shows lines on a terminal that take the place of those before.
type Screen struct {
	Out   io.Writer
	Width int
	shown int // lines
}

// Show replaces the lines. They must be printable.
func (s *Screen) Show(lines []string) error {
	var b strings.Builder
	if s.shown > 0 {
		b.WriteString("\x1b[" + strconv.Itoa(s.shown) + "A\r\x1b[J")
	}
	for _, line := range lines {
		b.WriteString(Cut(line, s.Width-1) + "\n")
	}
	s.shown = len(lines)
	_, err := io.WriteString(s.Out, b.String())
	return err
}

// Cut shortens a text to so many columns.
func Cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most && most > 0 {
		return string(runes[:most-1]) + "…"
	}
	return s
}
