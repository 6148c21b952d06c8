package history

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
)

// Shown returns labels as those who watch get them, and whether any differs. A
// Prometheus may send labels that the history keeps and a page or a terminal does
// not bear: their names become letters, digits and "_", their values are escaped,
// and what is too long is cut. Different labels stay different.
func Shown(own inspectors.Labels) (shown inspectors.Labels, differs bool) {
	shown = own
	for i, l := range own {
		name, value := shownName(l.Name), shownValue(l.Value)
		if name == l.Name && value == l.Value {
			continue
		}
		if !differs {
			shown, differs = slices.Clone(own), true
		}
		shown[i] = inspectors.Label{Name: name, Value: value}
	}
	if differs {
		slices.SortFunc(shown, func(a, b inspectors.Label) int { return strings.Compare(a.Name, b.Name) })
	}
	return shown, differs
}

func shownName(name string) string {
	if (inspectors.Labels{{Name: name}}).Validate() == nil {
		return name
	}
	return Digested(name, inspectors.MaxLabelNameBytes, "_")
}

func shownValue(value string) string {
	escaped := inspectors.EscapeValue(value)
	if len(escaped) <= inspectors.MaxLabelValueBytes {
		return escaped
	}
	end := inspectors.MaxLabelValueBytes - len("…") - digestBytes
	for !utf8.RuneStart(escaped[end]) {
		end--
	}
	return escaped[:end] + "…" + digest(value)
}

// Digested makes a name of letters, digits and "_" out of any text, at most so many
// bytes long, which ends in a digest of the whole.
func Digested(text string, most int, separator string) string {
	plain := strings.TrimLeft(inspectors.MetricName(text), "_")
	plain = plain[:min(len(plain), most-len(separator)-digestBytes-1)]
	if plain == "" || '0' <= plain[0] && plain[0] <= '9' {
		plain = "x" + plain
	}
	return plain + separator + digest(text)
}

const digestBytes = 12 // of text

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:digestBytes]
}
