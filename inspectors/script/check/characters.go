package check

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
)

// characters records characters that make a text look different from what it is: invisible
// ones, those that end a line only for the reader, and those that change the direction of
// writing, so that a comment looks like code or one name like another. They are refused
// everywhere, even in comments and strings.
func (p *pass) characters(script inspectors.Script) {
	p.rule = "characters"
	said := make(map[int]bool) // lines about which the parser has reported a fault
	for _, f := range p.Faults {
		said[f.Line] = true
	}
	for i, line := range strings.Split(script.Source, "\n") {
		line = strings.TrimSuffix(line, "\r")
		for at, r := range line {
			if !deceives(r) || r == byteOrderMark && i == 0 && at == 0 {
				continue
			}
			place := script.Place(i+1, at+1)
			if said[place.Line] {
				break
			}
			place.Message = fmt.Sprintf("the text has %U, %s", r, deception(r))
			place.Fix = "take it out, or write it as an escape in a string: " + escape(r)
			p.found = append(p.found, finding{place, p.rule})
			break // one for each line, because they come in
		}
	}
}

// byteOrderMark starts the files of some editors, and Go allows it there.
const byteOrderMark = '\ufeff'

// deceives reports whether readers do not see a character as it is.
func deceives(r rune) bool {
	if r == '\t' || r == utf8.RuneError {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// deception describes the effect of a character.
func deception(r rune) string {
	switch {
	case unicode.Is(unicode.Bidi_Control, r):
		return "which changes the direction of the text"
	case unicode.In(r, unicode.Zl, unicode.Zp), r == '\r', r == '\u0085':
		return "which looks like the end of a line"
	case unicode.Is(unicode.Cc, r):
		return "a control character"
	}
	return "an invisible character"
}

func escape(r rune) string {
	switch {
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`"\x%02x"`, r)
	case r > 0xffff:
		return fmt.Sprintf(`"\U%08x"`, r)
	}
	return fmt.Sprintf(`"\u%04x"`, r)
}
