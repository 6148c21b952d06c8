package check_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"unicode"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
)

// TestDeceivingCharacters puts each character that cannot be seen, one after the
// other, at a random place of comments, strings and names: the checker names it
// at its line, and the same text without it is accepted.
func TestDeceivingCharacters(t *testing.T) {
	const text = "// Package x has a comment.\npackage x\n\nimport \"fmt\"\n\n// Inspect says admin.\nfunc Inspect() (float64, error) {\n" +
		"\tname := \"admin user\" // seen\n\traw := `raw admin`\n\tfmt.Println(name, raw)\n\treturn 1, nil\n}\n"
	if faults := check.Check("t.go", text); len(faults) > 0 {
		t.Fatal(faults)
	}
	r := rand.New(rand.NewSource(rand.Int63()))
	places := []string{"comment", "admin user", "seen", "raw admin", "says"}
	tried := 0
	for c := rune(1); c <= unicode.MaxRune; c++ {
		if !unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || c == '\n' || c == '\t' {
			continue
		}
		tried++
		at := places[r.Intn(len(places))]
		cutAt := r.Intn(len(at) + 1)
		bad := strings.Replace(text, at, at[:cutAt]+string(c)+at[cutAt:], 1)
		if strings.Contains(bad, "\r\n") { // the end of a line, as other systems have it
			continue
		}
		line := 1 + strings.Count(bad[:strings.IndexRune(bad, c)], "\n")
		faults := check.Check("t.go", bad)
		if len(faults) == 0 {
			t.Errorf("%U in %q is accepted", c, at)
			continue
		}
		f := faults[0]
		if f.Line != line || f.Message == "" || !strings.Contains(f.Message, fmt.Sprintf("%U", c)) && !strings.Contains(f.Message, "illegal") {
			t.Errorf("%U in %q: %s; want line %d", c, at, f.Error(), line)
		}
	}
	if tried < 200 {
		t.Errorf("only %d characters were tried", tried)
	}
}

// TestOrdinaryCharacters holds that text of any language, and line ends of any
// system, are accepted.
func TestOrdinaryCharacters(t *testing.T) {
	for _, text := range []string{
		"// привет, 日本語, ñ, é, עברית, العربية, 😀\ns := \"größe\\u202e\"\nreturn float64(len(s)), nil",
		"s := \"a\\tb\"\r\nreturn float64(len(s)), nil\r\n",
		"\ts := `a\tb`\nreturn float64(len(s)), nil",
	} {
		if faults := check.Check("t.go", text); len(faults) > 0 {
			t.Errorf("%q: %v", text, faults)
		}
	}
}

// TestLabels holds that what the checker says of labels is what a report does
// with them, for random names.
func TestLabels(t *testing.T) {
	r := rand.New(rand.NewSource(rand.Int63()))
	parts := []string{"host", "key", "mount", "__", "_", "a", "9", "-", "é", "device", " "}
	for range 300 {
		name := ""
		for range 1 + r.Intn(2) {
			name += parts[r.Intn(len(parts))]
		}
		pairs := fmt.Sprintf("%q, %q", name, "v")
		_, err := inspectors.NewLabels(name, "v")
		for _, source := range []string{
			"r.Gauge(\"x\", 1, " + pairs + ")",
			"r.Counter(\"x_total\", 1, \"zone\", \"a\", " + pairs + ")",
			"r.Gauge(\"x\", 1, []string{" + pairs + "}...)",
			"const label = " + fmt.Sprintf("%q", name) + "\nr.Gauge(\"x\", 1, label, \"v\")",
		} {
			faults := check.Check("t.go", source)
			if (err != nil) != (len(faults) > 0) {
				t.Errorf("%s\na report says %v, the checker %v", source, err, faults)
			}
			for _, f := range faults {
				if f.Fix == "" || f.Line == 0 || f.Col == 0 {
					t.Errorf("%s: %#v", source, f)
				}
			}
		}
	}
}

// TestReservedLabels holds what is said of the labels that the master sets, and
// of what is wrong with the list itself.
func TestReservedLabels(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`r.Gauge("x", 1, "host", "a")`, `t.go:1:17: label host is reserved`},
		{`r.Counter("x_total", 1, "key", "a")`, `t.go:1:25: label key is reserved`},
		{"r.Gauge(\"x\", 1, \"mount\", \"/\",\n\t\"host\", \"b\")", `t.go:2:2: label host is reserved`},
		{`r.Gauge("x", 1, "mount")`, `t.go:1:17: a label without a value`},
		{`r.Gauge("x", 1, "a", "1", "a", "2")`, `t.go:1:27: label a is given twice`},
		{"l := inspectors.Label{Name: \"host\", Value: \"a\"}\nr.Gauge(\"x\", 1, l.Name, l.Value)", `t.go:1:29: label host is reserved`},
		{"l := []inspectors.Label{{\"host\", \"a\"}}\nr.Gauge(\"x\", float64(len(l)))", `t.go:1:26: label host is reserved`},
	} {
		faults := check.Check("t.go", c.source)
		if len(faults) == 0 || !strings.HasPrefix(faults[0].Error(), c.want) || faults[0].Fix == "" {
			t.Errorf("%s\nsays %v, want %s", c.source, faults, c.want)
		}
	}
	if faults := check.Check("t.go", "name := \"host\"[:1]\nr.Gauge(\"x\", 1, name, \"host\", \"hosts\", \"key\")"); faults != nil {
		t.Errorf("labels that are not reserved: %v", faults)
	}
}
