package errtext

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever an error says, its text is valid and bounded, and a short valid one stays
// as it is.
func TestOf(t *testing.T) {
	if Of(nil) != "" || Of(errors.New("müde")) != "müde" {
		t.Errorf("%q, %q", Of(nil), Of(errors.New("müde")))
	}
	for range 200 {
		var b strings.Builder
		for size := rand.IntN(3 * maxBytes); b.Len() < size; {
			b.WriteString([]string{"é", "€", "𝄞", "\xff", "\xc3", "x", " "}[rand.IntN(7)])
		}
		text := Of(errors.New(b.String()))
		if len(text) > maxBytes+len(" …") || !utf8.ValidString(text) {
			t.Errorf("%d bytes become %d, valid: %v", b.Len(), len(text), utf8.ValidString(text))
		}
	}
}
