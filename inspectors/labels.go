package inspectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Label is a name and a value that distinguish series of one key.
type Label struct {
	Name  string
	Value string
}

// Labels are the labels of a series, sorted by name, each name once.
// In JSON they are an object of strings.
type Labels []Label

// NewLabels makes labels from name, value, name, value … and checks them. A label
// with an empty value is ignored, as in Prometheus. The error, which wraps
// ErrName, names the first fault.
func NewLabels(pairs ...string) (Labels, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("%w: labels are name, value pairs, but %s has no value", ErrName, Quote(pairs[len(pairs)-1]))
	}
	labels := make(Labels, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, Label{pairs[i], pairs[i+1]})
	}
	return labels.checked()
}

// LabelsFromMap makes labels from a map and checks them, as NewLabels does.
func LabelsFromMap(m map[string]string) (Labels, error) {
	if len(m) == 0 {
		return nil, nil
	}
	labels := make(Labels, 0, len(m))
	for name, value := range m {
		labels = append(labels, Label{name, value})
	}
	return labels.checked()
}

// checked returns the labels sorted, checked and without those that have no value.
func (l Labels) checked() (Labels, error) {
	l.sort()
	if err := l.Validate(); err != nil {
		return nil, err
	}
	l = slices.DeleteFunc(l, func(label Label) bool { return label.Value == "" })
	if len(l) == 0 {
		return nil, nil
	}
	return l, nil
}

// Map returns the labels as a map, or nil if there are none.
func (l Labels) Map() map[string]string {
	if len(l) == 0 {
		return nil
	}
	m := make(map[string]string, len(l))
	for _, label := range l {
		m[label.Name] = label.Value
	}
	return m
}

// Get returns the value of a label, or "".
func (l Labels) Get(name string) string {
	for _, label := range l {
		if label.Name == name {
			return label.Value
		}
	}
	return ""
}

// String writes labels as Prometheus does: {mount="/",device="sda"}, and nothing
// if there are none.
func (l Labels) String() string {
	return string(l.appendTo(nil))
}

// appendTo appends the text of String to b.
func (l Labels) appendTo(b []byte) []byte {
	if len(l) == 0 {
		return b
	}
	for i, label := range l {
		b = append(b, "{,"[min(i, 1)])
		b = append(b, label.Name...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, label.Value)
	}
	return append(b, '}')
}

// MarshalJSON writes the labels as an object.
func (l Labels) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("{}"), nil
	}
	return json.Marshal(l.Map())
}

// UnmarshalJSON reads an object of strings and checks it.
func (l *Labels) UnmarshalJSON(data []byte) error {
	var m map[string]string
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	labels, err := LabelsFromMap(m)
	if err != nil {
		return err
	}
	*l = labels
	return nil
}

// Validate checks that there are at most MaxLabels, sorted and each once, that
// names are as in Prometheus (letters, digits and "_", no digit first, no "__"
// first), and that values are valid UTF-8 of at most MaxLabelValueBytes with no
// control characters and none of "<" and ">". "host" and "key" are taken: the
// master sets them.
func (l Labels) Validate() error {
	if len(l) > MaxLabels {
		return fmt.Errorf("%w: %d labels; at most %d are allowed", ErrName, len(l), MaxLabels)
	}
	for i, label := range l {
		if err := validateLabelName(label.Name); err != nil {
			return err
		}
		if i > 0 && l[i-1].Name == label.Name {
			return fmt.Errorf("%w: label %s is given twice", ErrName, Quote(label.Name))
		}
		if err := validateLabelValue(label); err != nil {
			return err
		}
	}
	return nil
}

func (l Labels) sort() {
	slices.SortFunc(l, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
}

func validateLabelName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: a label name is empty", ErrName)
	case len(name) > MaxLabelNameBytes:
		return fmt.Errorf("%w: label name %s is %d bytes long; at most %d are allowed", ErrName, Quote(name), len(name), MaxLabelNameBytes)
	case name == "host" || name == "key":
		return fmt.Errorf("%w: label name %q is set by the master; choose another", ErrName, name)
	case strings.HasPrefix(name, "__"):
		return fmt.Errorf("%w: label name %s starts with \"__\", which is reserved", ErrName, Quote(name))
	case '0' <= name[0] && name[0] <= '9':
		return fmt.Errorf("%w: label name %s starts with a digit", ErrName, Quote(name))
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '_' {
			return fmt.Errorf("%w: label name %s has %q; use letters, digits and \"_\"", ErrName, Quote(name), characterAt(name, i))
		}
	}
	return nil
}

func validateLabelValue(label Label) error {
	if len(label.Value) > MaxLabelValueBytes {
		return fmt.Errorf("%w: the value of label %q is %d bytes long; at most %d are allowed", ErrName, label.Name, len(label.Value), MaxLabelValueBytes)
	}
	for i, r := range label.Value {
		if unprintable(r) || r == '<' || r == '>' {
			return fmt.Errorf("%w: the value %s of label %q has %q at byte %d; control characters and markup are refused", ErrName, Quote(label.Value), label.Name, r, i)
		}
	}
	return nil
}

// EscapeValue returns the value with each byte of a character that the value of a
// label may not have written as \x3c. Outside names, such as those of mounts, may
// have any characters. If the value itself has "\x", its backslash is escaped too,
// which keeps different values different.
func EscapeValue(value string) string {
	bad := func(i int, r rune) bool {
		return unprintable(r) || r == '<' || r == '>' || r == '\\' && strings.HasPrefix(value[i:], `\x`)
	}
	var b []byte
	done := 0 // how much of the value is in b
	for i, r := range value {
		if !bad(i, r) {
			continue
		}
		_, size := utf8.DecodeRuneInString(value[i:])
		b = append(b, value[done:i]...)
		for _, c := range []byte(value[i : i+size]) {
			b = fmt.Appendf(b, `\x%02x`, c)
		}
		done = i + size
	}
	if done == 0 {
		return value
	}
	return string(append(b, value[done:]...))
}
