package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/internal/nearest"
)

// setText sets a single value from its text in the file, the environment or a
// flag. The error says what is wrong and what to write.
func setText(v reflect.Value, text string) error {
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		d, err := parseDuration(text)
		*p = d
		return err
	case *Bytes:
		n, err := parseBytes(text)
		*p = n
		return err
	case *slog.Level:
		return setLevel(p, text)
	case *Library:
		return setLibrary(p, text)
	case *Components:
		*p = splitList(text)
		return nil
	case *string:
		*p = text
		return nil
	case *bool:
		return setBool(p, text)
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%s is not a whole number", quote(text))
		}
		*p = n
		return nil
	}
	return errors.New("cannot be given as a single value")
}

// A duration may be given in days (15d), which time.ParseDuration does not
// know.
const (
	day     = 24 * time.Hour
	maxDays = 100_000
)

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && -maxDays <= n && n <= maxDays {
			return time.Duration(n) * day, nil
		}
	}
	if _, e := strconv.ParseFloat(text, 64); e == nil {
		return 0, fmt.Errorf("%s has no unit; write %ss for seconds", text, text)
	}
	if squeezed := strings.ReplaceAll(text, " ", ""); squeezed != text {
		if _, e := time.ParseDuration(squeezed); e == nil {
			return 0, fmt.Errorf("%s has a space in it; write %s", quote(text), squeezed)
		}
	}
	return 0, fmt.Errorf("%s is not a duration; write a number and a unit such as 500ms, 10s or 1m30s", quote(text))
}

// setLevel takes the four levels, and the names that other loggers use for them,
// so that an environment made for those works.
func setLevel(level *slog.Level, text string) error {
	switch strings.ToLower(text) {
	case "trace", "debug":
		*level = slog.LevelDebug
	case "info":
		*level = slog.LevelInfo
	case "warn", "warning":
		*level = slog.LevelWarn
	case "error", "fatal":
		*level = slog.LevelError
	default:
		return fmt.Errorf("%s is not a level; write debug, info, warn or error", quote(text))
	}
	return nil
}

func setLibrary(l *Library, text string) error {
	switch text {
	case "all":
		*l = Library{All: true}
	case "none":
		*l = Library{}
	default:
		*l = Library{Names: splitList(text)}
	}
	return nil
}

func setBool(b *bool, text string) error {
	switch text {
	case "true", "1":
		*b = true
	case "false", "0":
		*b = false
	default:
		return fmt.Errorf("%s is neither true nor false", quote(text))
	}
	return nil
}

// splitList splits "a, b,c".
func splitList(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// byteUnit is a unit of a size.
type byteUnit struct {
	name string
	size Bytes
}

// byteUnits are the units of a size, the largest of each kind first.
func byteUnits() []byteUnit {
	return []byteUnit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

func parseBytes(text string) (Bytes, error) {
	number, unit := text, Bytes(1)
	for _, u := range byteUnits() {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil || strings.HasPrefix(number, "+"):
		return 0, fmt.Errorf("%s is not a size; write a whole number of bytes, or one with a unit such as 512MiB or 10GiB", quote(text))
	case n < 0:
		return 0, fmt.Errorf("%s is below 0", quote(text))
	case n > math.MaxInt64/int64(unit):
		return 0, fmt.Errorf("%s is too large", quote(text))
	}
	return Bytes(n) * unit, nil
}

// String writes a size exactly, in the largest unit of 1024 that allows it.
func (b Bytes) String() string {
	for _, u := range byteUnits() {
		if strings.HasSuffix(u.name, "iB") && b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// short writes a duration without the parts that are zero: 24h, not 24h0m0s. Two
// or more whole days are written as days.
func short(d time.Duration) string {
	if d >= 2*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// didYouMean completes a message with a suggestion, if there is one.
func didYouMean(word string, candidates []string) string {
	if s := nearest.Word(word, candidates); s != "" {
		return "; did you mean " + s + "?"
	}
	return ""
}
