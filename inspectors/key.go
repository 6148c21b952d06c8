package inspectors

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of names, in bytes. They keep a path of the largest legal host and key
// well under what any consumer (a file name, a URL, a Prometheus label) takes.
const (
	MaxKeyBytes        = 200
	MaxSegmentBytes    = 64
	MaxHostBytes       = 253 // RFC 1035, section 2.3.4
	MaxLabelNameBytes  = 64
	MaxLabelValueBytes = 512
	MaxLabels          = 16
)

// ErrName is wrapped by every error that refuses a key, a host name or a label,
// so that a caller can tell a bad name from a failed measurement.
var ErrName = errors.New("bad name")

// SplitKey returns the chart and the item of a key: "load/average-1" is item
// "average-1" of chart "load". A key of one segment is a separate chart with an
// empty item.
func SplitKey(key string) (chart, item string) {
	chart, item, _ = strings.Cut(key, "/")
	return chart, item
}

// JoinKey appends a name to a key. An empty name gives the key itself.
func JoinKey(key, name string) string {
	if name == "" {
		return key
	}
	return key + "/" + name
}

// MetricName returns the name under which a key is stored: every byte that a
// Prometheus metric name cannot have becomes "_", and a name that would start with
// a digit gets one in front. load/average-1 is load_average_1. Keys with the same
// name are told apart by the label "key".
func MetricName(key string) string {
	var b strings.Builder
	b.Grow(len(key) + 1)
	if key == "" || '0' <= key[0] && key[0] <= '9' {
		b.WriteByte('_')
	}
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			b.WriteByte(c)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// ValidateKey checks a key: one or more segments of ASCII letters, digits and
// "_", "-", ".", ":" joined by "/", none of them starting with "-", "." or ":",
// at most MaxSegmentBytes each and MaxKeyBytes in all.
func ValidateKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: key is empty; write chart/item, such as load/average-1", ErrName)
	}
	if len(key) > MaxKeyBytes {
		return fmt.Errorf("%w: key %s is %d bytes long; at most %d are allowed", ErrName, Quote(key), len(key), MaxKeyBytes)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if err := validateSegment(segment); err != nil {
			return fmt.Errorf("%w: key %s: %v", ErrName, Quote(key), err)
		}
	}
	return nil
}

// ValidateHost checks the name of a host: ASCII letters, digits, "-", "_" and
// ".", starting with a letter or digit, at most MaxHostBytes.
func ValidateHost(host string) error {
	switch {
	case host == "":
		return fmt.Errorf("%w: host name is empty", ErrName)
	case len(host) > MaxHostBytes:
		return fmt.Errorf("%w: host name %s is %d bytes long; at most %d are allowed", ErrName, Quote(host), len(host), MaxHostBytes)
	case !isAlphanumeric(host[0]):
		return fmt.Errorf("%w: host name %s must start with a letter or a digit", ErrName, Quote(host))
	}
	for i := range len(host) {
		if c := host[i]; !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("%w: host name %s has %q at byte %d; use letters, digits, \"-\", \"_\" and \".\"", ErrName, Quote(host), characterAt(host, i), i)
		}
	}
	return nil
}

func validateSegment(s string) error {
	switch {
	case s == "":
		return errors.New("a segment is empty; write chart/item with one \"/\" between")
	case len(s) > MaxSegmentBytes:
		return fmt.Errorf("segment %s is %d bytes long; at most %d are allowed", Quote(s), len(s), MaxSegmentBytes)
	case s[0] == '-' || s[0] == '.' || s[0] == ':':
		return fmt.Errorf("segment %s must start with a letter, a digit or \"_\"", Quote(s))
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '_' && c != '-' && c != '.' && c != ':' {
			return fmt.Errorf("%q is not allowed; use letters, digits, \"_\", \"-\", \".\" and \":\"", characterAt(s, i))
		}
	}
	return nil
}

// characterAt returns the character that begins at a byte of a text.
func characterAt(text string, i int) rune {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return r
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// unprintable reports runes that must not reach a terminal, a page or a log:
// control and format characters, and bytes that are not valid UTF-8.
func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
