package inspectors

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// IsMetricName reports whether a name is a metric name in Prometheus' classic
// form.
func IsMetricName(name string) bool {
	for i, c := range name {
		if !isMetricLetter(c) || i == 0 && '0' <= c && c <= '9' {
			return false
		}
	}
	return name != ""
}

// isMetricLetter reports whether a character may be in the name of a metric.
func isMetricLetter(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == ':'
}

// MetricKey makes a key from an outside metric name, with its own chart. A name
// that is longer than a segment may be is divided at its underscores, which
// MetricName undoes. If that is still not a key, it becomes letters that end in a
// digest of the whole.
func MetricKey(name string) string {
	const most = MaxSegmentBytes
	var segments []string
	rest := name
	for IsMetricName(name) && len(rest) > most {
		cut := strings.LastIndexByte(rest[:most], '_')
		if cut <= 0 {
			break
		}
		segments = append(segments, rest[:cut])
		rest = rest[cut+1:]
	}
	key := strings.Join(append(segments, rest), "/")
	if !IsMetricName(name) || ValidateKey(key) != nil {
		return Digested(name, most, "-")
	}
	return key
}

// MetricKind is the kind that the name of a metric suggests, if nothing else is known.
func MetricKind(name string) Kind {
	for _, suffix := range []string{"_total", "_count", "_sum", "_bucket"} {
		if strings.HasSuffix(name, suffix) {
			return Counter
		}
	}
	return Gauge
}

// Family returns the family to which a metric belongs among those that an exporter
// describes, and the suffix: http_seconds and _bucket for http_seconds_bucket. If no family
// is known, it is "".
func Family(name string, known func(family string) bool) (family, suffix string) {
	if known(name) {
		return name, ""
	}
	for _, suffix := range []string{"_total", "_bucket", "_sum", "_count", "_info"} {
		if family, ok := strings.CutSuffix(name, suffix); ok && known(family) {
			return family, suffix
		}
	}
	return "", ""
}

// FamilyKind is the kind of a metric according to the type of its family, or "" if that is
// not known, and the suffix that it adds to the family's name.
func FamilyKind(familyType, name, suffix string) Kind {
	switch familyType {
	case "counter":
		return Counter
	case "histogram", "summary":
		if suffix != "" {
			return Counter
		}
	case "", "unknown", "untyped":
		return MetricKind(name)
	}
	return Gauge
}

// Bearable returns outside labels in a form that is safe for a page and a
// terminal, and whether any differ: names become letters, digits and "_", values
// are escaped, and long ones are cut. Different labels stay different.
func Bearable(own Labels) (bearable Labels, differs bool) {
	return mapped(own, bearableValue)
}

// BearableStored returns the labels of a stored series in a form that is safe for a page and a
// terminal, and whether any differ. It is Bearable for series that may have been made
// bearable before they were stored: a value that is fine is not escaped again.
func BearableStored(stored Labels) (shown Labels, differs bool) {
	return mapped(stored, func(value string) string {
		if validateLabelValue(Label{Value: value}) == nil {
			return value
		}
		return bearableValue(value)
	})
}

func mapped(own Labels, valueOf func(string) string) (bearable Labels, differs bool) {
	bearable = own
	for i, l := range own {
		name, value := bearableName(l.Name), valueOf(l.Value)
		if name == l.Name && value == l.Value {
			continue
		}
		if !differs {
			bearable, differs = slices.Clone(own), true
		}
		bearable[i] = Label{Name: name, Value: value}
	}
	if differs {
		bearable.sort()
	}
	return bearable, differs
}

func bearableName(name string) string {
	if (Labels{{Name: name}}).Validate() == nil {
		return name
	}
	return Digested(name, MaxLabelNameBytes, "_")
}

func bearableValue(value string) string {
	escaped := EscapeValue(value)
	if len(escaped) <= MaxLabelValueBytes {
		return escaped
	}
	end := MaxLabelValueBytes - len("…") - digestBytes
	for !utf8.RuneStart(escaped[end]) {
		end--
	}
	return escaped[:end] + "…" + digest(value)
}

// Digested makes a name of letters, digits and "_" from any text, of at most so
// many bytes, which ends in a digest of the whole.
func Digested(text string, most int, separator string) string {
	plain := strings.TrimLeft(MetricName(text), "_")
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
