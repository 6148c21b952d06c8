package nearest

import "testing"

func TestWord(t *testing.T) {
	words := []string{"name", "interval", "timeout"}
	for word, want := range map[string]string{
		"intervall": "interval",
		"intreval":  "interval",
		"nam":       "name",
		"Name":      "name",
		"time":      "name", // two changes, of which "timeout" is three away
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
