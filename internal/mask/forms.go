package mask

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// minLine is the shortest line of a multi-line value that is masked on its own.
const minLine = 8

// minPiece is the shortest part of an address that is masked on its own.
const minPiece = 6

// maxCuts bounds the separators at which a value is cut into such parts, twice
// their number.
const maxCuts = 24

// formsOf returns the texts in which a value may appear inside another text: as it
// is, escaped or encoded in a usual way, each of its lines, and parts of an
// address.
func formsOf(value string) []string {
	forms := escaped(value)
	forms = append(forms, encoded(value)...)
	for _, piece := range pieces(value) {
		forms = append(forms, escaped(piece)...)
	}
	if lines := strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }); len(lines) > 1 {
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if len(line) >= minLine && !strings.HasPrefix(line, "-----") {
				forms = append(forms, escaped(line)...)
			}
		}
	}
	forms = slices.DeleteFunc(forms, func(f string) bool { return len(f) < MinBytes })
	slices.Sort(forms)
	return slices.Compact(forms)
}

// escaped are the forms in which the readable part of a value stays readable.
func escaped(value string) []string {
	quoted, ascii := strconv.Quote(value), strconv.QuoteToASCII(value)
	forms := []string{
		value, quoted[1 : len(quoted)-1], ascii[1 : len(ascii)-1],
		url.QueryEscape(value), url.PathEscape(value), url.UserPassword("", value).String()[1:],
		html.EscapeString(value), strings.Map(printable, value), strings.NewReplacer("<", `\x3c`, ">", `\x3e`).Replace(value), // of labels
	}
	if text, err := json.Marshal(value); err == nil {
		forms = append(forms, string(text[1:len(text)-1]))
	}
	var plain strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	if e.Encode(value) == nil {
		text := strings.TrimSuffix(plain.String(), "\n")
		forms = append(forms, text[1:len(text)-1])
	}
	var marked strings.Builder
	if xml.EscapeText(&marked, []byte(value)) == nil {
		forms = append(forms, marked.String())
	}
	forms = append(forms, escapeBytes(value, `\x%02x`, `\"`), escapeBytes(value, `\%03o`, `"`))
	for _, form := range forms[3:6] { // %2F and %2f are the same
		forms = append(forms, lowerEscapes(form))
	}
	return forms
}

// printable treats a character as the agent treats the output of a child.
func printable(r rune) rune {
	if r == '\n' || r == '\t' || !unicode.IsControl(r) {
		return r
	}
	return unicode.ReplacementChar
}

// escapeBytes writes characters that are not ASCII byte by byte, as package time
// and the tools of a shell do.
func escapeBytes(value, format, quote string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		switch {
		case c < ' ' || c >= 0x80:
			fmt.Fprintf(&b, format, c)
		case c == '"':
			b.WriteString(quote)
		case c == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// pieces are the parts between the separators at which libraries split an address:
// their errors show single ones, or several together. Parts that could be a word
// are left out.
func pieces(value string) []string {
	cuts := []int{0}
	for i, r := range value {
		if strings.ContainsRune("/?#@:%&;,= \t\r\n", r) && len(cuts) < maxCuts {
			cuts = append(cuts, i, i+1)
		}
	}
	cuts = append(cuts, len(value))
	var parts []string
	for i := 0; i < len(cuts); i += 2 {
		for j := i + 1; j < len(cuts); j += 2 {
			if part := value[cuts[i]:cuts[j]]; len(part) >= minPiece && len(part) < len(value) && mixed(part) {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// mixed reports whether a text has letters or digits of two kinds, which a word
// does not have.
func mixed(text string) bool {
	kinds := 0
	for _, kind := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"} {
		if strings.ContainsAny(text, kind) {
			kinds++
		}
	}
	return kinds >= 2
}

// lowerEscapes writes the digits after each % in lower case.
func lowerEscapes(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] != '%' {
			continue
		}
		for j := i + 1; j < min(i+3, len(b)); j++ {
			b[j] = byte(unicode.ToLower(rune(b[j])))
		}
	}
	return string(b)
}

// encoded are the forms of a value as bytes.
func encoded(value string) []string {
	raw := []byte(value)
	lower := hex.EncodeToString(raw)
	forms := []string{
		lower, strings.ToUpper(lower), bytesOf(raw, " ", 10), bytesOf(raw, ", ", 10), bytesOf(raw, " ", 16),
		strings.TrimRight(base32.StdEncoding.EncodeToString(raw), "="),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 { // a value that follows other text, as in user:password
			text := encoding.EncodeToString(append(make([]byte, before), raw...))
			forms = append(forms, text[(before*8+5)/6:(before+len(raw))*8/6])
		}
	}
	return forms
}

// bytesOf lists bytes as fmt does.
func bytesOf(raw []byte, between string, base int) string {
	parts := make([]string, len(raw))
	for i, b := range raw {
		parts[i] = strconv.FormatUint(uint64(b), base)
		if base == 16 && len(parts[i]) < 2 {
			parts[i] = "0" + parts[i]
		}
	}
	return strings.Join(parts, between)
}
