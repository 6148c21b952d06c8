package inspectors

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of an outside text in an error.
const (
	maxQuotedBytes  = 80  // of the text
	maxQuotedEscape = 120 // of its quoted form
)

// Quote shows an outside text in an error: in quotes, escaped, and cut before a character
// if it is long. The result is at most about 120 bytes long, even of bytes that are no text.
func Quote(text string) string {
	end, escaped := 0, 0
	for end < len(text) {
		_, size := utf8.DecodeRuneInString(text[end:])
		escaped += len(strconv.Quote(text[end:end+size])) - len(`""`)
		if end+size > maxQuotedBytes || escaped > maxQuotedEscape {
			return strconv.Quote(text[:end]) + "…"
		}
		end += size
	}
	return strconv.Quote(text)
}

// EscapeText returns an outside text that an error shows without quotes: unprintable
// characters become \x1b, and a text of more than so many bytes is cut before a character.
// Unlike EscapeValue, it does not escape what has been escaped already, so it cannot be
// reversed.
func EscapeText(text string, most int) string {
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		shown := text[i : i+size]
		if unprintable(r) {
			var escapes []byte
			for _, c := range []byte(shown) {
				escapes = fmt.Appendf(escapes, `\x%02x`, c)
			}
			shown = string(escapes)
		}
		if b.Len()+len(shown) > most {
			return b.String() + "…"
		}
		b.WriteString(shown)
	}
	return b.String()
}

// ShortenQuotes returns the text of an error of a library with each outside text that it
// quotes as Quote shows it, and the rest as EscapeText does.
func ShortenQuotes(text string, most int) string {
	var b strings.Builder
	for text != "" {
		if quoted, err := strconv.QuotedPrefix(text); err == nil && text[0] == '"' {
			said, err := strconv.Unquote(quoted)
			if err == nil {
				b.WriteString(Quote(said))
				text = text[len(quoted):]
				continue
			}
		}
		next := strings.IndexByte(text[1:], '"') + 1
		if next == 0 {
			next = len(text)
		}
		b.WriteString(text[:next])
		text = text[next:]
	}
	return EscapeText(b.String(), most)
}
