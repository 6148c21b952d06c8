package config

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Every bound of every setting is kept: numbers on each side of it, chosen at
// random, are accepted or refused with the file, the line and the setting.
func TestEverySettingKeepsItsRange(t *testing.T) {
	for _, s := range Settings() {
		if s.Min == "" && s.Max == "" {
			continue
		}
		t.Run(s.Path, func(t *testing.T) {
			low, high := int64(1), int64(math.MaxInt32)
			if s.Min != "" {
				low = s.bound(s.Min)
				refused(t, s, low-1)
				for range 5 {
					refused(t, s, rand.Int64N(low)-s.belowZero(low)) // one of them may be 0
				}
			}
			if s.Max != "" {
				high = s.bound(s.Max)
				refused(t, s, high+1)
				for range 5 {
					refused(t, s, high+1+rand.Int64N(high))
				}
			}
			for range 5 {
				accepted(t, s, low+rand.Int64N(max(high-low, 1)))
			}
			accepted(t, s, low)
			if s.Max != "" {
				accepted(t, s, high)
			}
		})
	}
}

// belowZero keeps a number that is too small from being 0 where that has a meaning.
func (s Setting) belowZero(low int64) int64 {
	if s.Zero != "" || s.Type == reflect.TypeFor[Bytes]() {
		return 0
	}
	return rand.Int64N(low)
}

func refused(t *testing.T, s Setting, n int64) {
	t.Helper()
	if n == 0 && s.Zero != "" || n < 0 && s.Type == reflect.TypeFor[Bytes]() {
		return
	}
	line, path, err := loadWith(t, s, written(s, n))
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("vedette.yaml:%d:", line)) || !strings.Contains(err.Error(), path+": ") {
		t.Errorf("%s of %d gives %v; it must name %s on line %d", s.Path, n, err, path, line)
	}
}

func accepted(t *testing.T, s Setting, n int64) {
	t.Helper()
	if _, path, err := loadWith(t, s, written(s, n)); err != nil && strings.Contains(err.Error(), path+": ") {
		if strings.HasSuffix(s.Path, ".timeout") || strings.HasSuffix(s.Path, ".out_of_order") {
			return // bounded by another setting too
		}
		t.Errorf("%s of %d gives %v", s.Path, n, err)
	}
}

// A text that is none of the choices is refused in the same way.
func TestEverySettingKeepsItsChoices(t *testing.T) {
	for _, s := range Settings() {
		for _, word := range s.OneOf {
			if _, path, err := loadWith(t, s, word); err != nil && strings.Contains(err.Error(), path+": ") {
				t.Errorf("%s of %s gives %v", s.Path, word, err)
			}
		}
		if s.OneOf == nil {
			continue
		}
		for range 5 {
			word := "x" + strconv.FormatUint(rand.Uint64(), 36)
			if line, path, err := loadWith(t, s, word); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("vedette.yaml:%d:", line)) ||
				!strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), s.OneOf[0]) {
				t.Errorf("%s of %s gives %v; it must name %s on line %d, and the choices", s.Path, word, err, path, line)
			}
		}
	}
}

// written is a number as a file has it.
func written(s Setting, n int64) string {
	if s.Type == reflect.TypeFor[time.Duration]() {
		return time.Duration(n).String()
	}
	return strconv.FormatInt(n, 10)
}

// loadWith loads a file that has nothing but one setting, and tells its line and
// its path there.
func loadWith(t *testing.T, s Setting, value string) (line int, path string, err error) {
	t.Helper()
	var text strings.Builder
	indent := ""
	parts := strings.Split(s.Path, ".")
	for i, part := range parts {
		name, index, _ := strings.Cut(part, "[")
		line++
		fmt.Fprintf(&text, "%s%s:", indent, name)
		if i == len(parts)-1 {
			fmt.Fprintf(&text, " %s\n", value)
			break
		}
		text.WriteString("\n")
		indent = strings.TrimSuffix(indent, "- ") + "  "
		if strings.HasSuffix(indent, "-   ") {
			indent = strings.Replace(indent, "- ", "  ", 1)
		}
		switch index {
		case "N]":
			indent += "- "
		case "NAME]":
			line++
			fmt.Fprintf(&text, "%ssome:\n", indent)
			indent += "  "
		}
	}
	file := filepath.Join(t.TempDir(), "vedette.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(LoadOptions{Path: file, Dir: t.TempDir(), Environ: []string{"HOME=/home/me"}})
	return line, strings.NewReplacer("[N]", "[0]", "[NAME]", "[some]").Replace(s.Path), err
}

// Every variable gives the setting whose field names it, and no other.
func TestEveryVariableGivesItsSetting(t *testing.T) {
	text := map[string]string{"agent.master": "https://m:1", "master.listen": "127.0.0.1:7", "log.level": "warn", "log.format": "json"}
	seen := make(map[string]bool)
	for _, s := range Settings() {
		if s.Env == "" {
			continue
		}
		if seen[s.Env] {
			t.Errorf("%s is the variable of two settings", s.Env)
		}
		seen[s.Env] = true
		value := text[s.Path]
		if value == "" {
			value = "some"
		}
		c, err := Load(LoadOptions{Dir: t.TempDir(), Environ: []string{s.Env + "=" + value}, For: PartMaster})
		if err != nil {
			t.Errorf("%s=%s: %v", s.Env, value, err)
			continue
		}
		for _, other := range Settings() {
			if given := c.Origin(other.Path).kind == fromEnv; given != (other.Path == s.Path) {
				t.Errorf("with %s, that the environment gives %s is %t", s.Env, other.Path, given)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d settings have a variable", len(seen))
	}
}

// The tags of the fields are ones that there are, and can be read; a default keeps
// its range.
func TestTagsOfSettings(t *testing.T) {
	known := []string{"yaml", "name", "default", "absent", "required", "min", "max", "zero", "one", "env", "path", "private"}
	key := regexp.MustCompile(`(\w+):"(?:[^"\\]|\\.)*"`)
	var walk func(in reflect.Type)
	walk = func(in reflect.Type) {
		for f := range in.Fields() {
			for _, m := range key.FindAllStringSubmatch(string(f.Tag), -1) {
				if !slices.Contains(known, m[1]) {
					t.Errorf("%v.%s has the tag %s, which nothing reads", in, f.Name, m[1])
				}
			}
			if inner, _ := elements(f.Type); inner != nil {
				walk(inner)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	for _, s := range Settings() {
		v := reflect.New(s.Type).Elem()
		if s.Default != "" {
			mustSet(v, s.Default)
			if message := s.fault(v); message != "" && s.Zero == "" {
				t.Errorf("the default of %s: %s", s.Path, message)
			}
		}
		if s.Type.Kind() == reflect.Bool && s.Default == "" {
			t.Errorf("%s does not say its default", s.Path)
		}
	}
}

// The bounds of tags are those that other packages keep.
func TestBoundsOfOtherPackages(t *testing.T) {
	settings := make(map[string]Setting)
	for _, s := range Settings() {
		settings[s.Path] = s
	}
	const budget = "inspectors[NAME].budget."
	for path, want := range map[string][2]int64{
		"inspectors[NAME].interval": {int64(inspectors.MinInterval), int64(inspectors.MaxInterval)},
		"inspectors[NAME].timeout":  {0, int64(inspectors.MaxInterval)},
		budget + "cpu":              {int64(inspectors.MinCPUBudget), int64(inspectors.MaxInterval)},
		budget + "heap":             {inspectors.MinHeapBudget, inspectors.MaxHeapBudget},
		budget + "output":           {inspectors.MinOutputBudget, inspectors.MaxOutputBudget},
		budget + "series":           {1, inspectors.MaxSeriesBudget},
	} {
		s := settings[path]
		var got [2]int64
		for i, text := range []string{s.Min, s.Max} {
			if text != "" {
				got[i] = s.bound(text)
			}
		}
		if got != want {
			t.Errorf("%s is between %v, and inspectors keeps %v", path, got, want)
		}
	}
	h := Default(nil).Master.History
	if h.MaxSeries != DefaultMaxSeries || h.MaxSeriesPerHost != DefaultMaxSeriesPerHost {
		t.Errorf("the defaults of series are %d and %d", h.MaxSeries, h.MaxSeriesPerHost)
	}
	roles := settings["master.tokens[N].role"].OneOf
	if !slices.Equal(roles, []string{RoleAgent, RoleViewer, RoleOperator, RoleAdmin}) {
		t.Errorf("the roles are %v", roles)
	}
	isolations := settings["inspectors[NAME].isolation"].OneOf
	if !slices.Equal(isolations, []string{string(inspectors.IsolationShared), string(inspectors.IsolationOwn)}) {
		t.Errorf("the isolations are %v", isolations)
	}
}
