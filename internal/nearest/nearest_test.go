package nearest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestWord(t *testing.T) {
	words := []string{"name", "interval", "timeout"}
	for word, want := range map[string]string{
		"intervall": "interval",
		"intreval":  "interval",
		"nam":       "name",
		"Name":      "name",
		"time":      "name", // two changes; "timeout" is three away
		"timout":    "timeout",
		"speed":     "",
		"":          "",
		"name":      "",
		"x":         "",
	} {
		if got := Word(word, words); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}

// One random slip in a random word is asked about; it may lead to another word that is
// as near.
func TestAskAfterAnySlip(t *testing.T) {
	letters := []byte("abcdefghij")
	for range 2000 {
		words := make([]string, 1+rand.IntN(20))
		for i := range words {
			b := make([]byte, 2+rand.IntN(12))
			for j := range b {
				b[j] = letters[rand.IntN(len(letters))]
			}
			words[i] = string(b)
		}
		meant := words[rand.IntN(len(words))]
		typed := slip(meant)
		if typed == meant {
			continue
		}
		got := Ask(typed, words)
		near := Word(typed, words)
		if near == "" || got != fmt.Sprintf("; did you mean %q?", near) || changes(typed, near, 99) > 1 {
			t.Errorf("Ask(%q) = %q, though %q was meant", typed, got, meant)
		}
	}
	if got := Ask("something else", []string{"name"}); got != "" {
		t.Errorf("got %q", got)
	}
}

// slip puts in, takes out, replaces or swaps a byte.
func slip(word string) string {
	i := rand.IntN(len(word))
	switch rand.IntN(4) {
	case 0:
		return word[:i] + "z" + word[i:]
	case 1:
		return word[:i] + word[i+1:]
	case 2:
		return word[:i] + "z" + word[i+1:]
	}
	i = rand.IntN(len(word) - 1)
	return word[:i] + word[i+1:i+2] + word[i:i+1] + word[i+2:]
}
