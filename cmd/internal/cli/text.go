package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// PrintLines writes each item as JSON on its own line.
func PrintLines[T any](w io.Writer, items []T) error {
	enc := json.NewEncoder(w)
	for _, item := range items {
		if err := enc.Encode(item); err != nil {
			return err
		}
	}
	return nil
}

// Ago says how long ago a time was, in one unit.
func Ago(now time.Time, ms int64) string {
	if ms == 0 {
		return "never"
	}
	d := max(0, now.Sub(time.UnixMilli(ms)))
	switch {
	case d < 2*time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}

// For is the time that has passed since a time in ms since the epoch.
func For(now time.Time, ms int64) string {
	text, ok := strings.CutSuffix(Ago(now, ms), " ago")
	if !ok {
		return "a moment"
	}
	return text
}

func OrDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Count formats a number of things.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// OneLine returns the first line of a text.
func OneLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

// ShortDigits is how many digits of a revision's id people see; at least as many must be
// given to name it.
const ShortDigits = 8

// ShortID returns the first digits of a revision's id.
func ShortID(revision string) string {
	return OrDash(revision[:min(len(revision), ShortDigits)])
}

// Counted formats a number with its noun.
func Counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
