package rulefile

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// faulty are lines that Prometheus refuses without a place. Each takes a name.
var faulty = map[string][]string{
	"labels":      {"%s: '{{ $value | nosuch }}'", "%s: '{{ $labels.'", "__name__: %s"},
	"annotations": {"%s: 'is {{ $value | nosuch }}'", "%s: '{{ if }}'", "'%s': >\n            folded {{ end }}", `"": %s`},
}

// A fault of a label, an annotation or a template is told with the line that it is in,
// wherever that is.
func TestFaultsHaveLines(t *testing.T) {
	for range 60 {
		kind := []string{"labels", "annotations"}[rand.IntN(2)]
		lines := []string{"# rules", "groups:"}
		groups := 1 + rand.IntN(3)
		badGroup, badRule, place := rand.IntN(groups), rand.IntN(3), 0
		for g := range groups {
			lines = append(lines, fmt.Sprintf("- name: 'group %d'", g), "  rules:")
			for r := range 3 {
				lines = append(lines, "", "  - alert: Same", "    expr: up == 0")
				for _, block := range []string{"labels", "annotations"} {
					lines = append(lines, "    "+block+":", "      fine: '{{ $value | humanize }}'")
					if g != badGroup || r != badRule || block != kind {
						continue
					}
					lines = append(lines, make([]string, rand.IntN(3))...)
					place = len(lines) + 1
					lines = append(lines, strings.Split("      "+fmt.Sprintf(faulty[kind][rand.IntN(len(faulty[kind]))], "x"), "\n")...)
				}
			}
		}
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(file, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		want := fmt.Sprintf(`%s:%d:`, file, place)
		rule := fmt.Sprintf(`group "group %d", rule %d, "Same": `, badGroup, badRule+1)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), rule) {
			t.Fatalf("%s\ngives %v, want %s", strings.Join(lines, "\n"), err, want)
		}
	}
}

// A fault keeps the place that Prometheus has found, and a file without faults has none.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"groups: [{name: g, rules: [{alert: A, expr: up}]}]":                             "",
		"groups:\n- name: g\n  rules:\n  - alert: A\n    expr: sum(\n":                   "rules.yaml: 5:11: group \"g\", rule 1, \"A\": could not parse expression",
		"groups:\n- name: g\n  nosuch: 1\n":                                              "line 3: field nosuch not found",
		"groups:\n- name: g\n  labels: {__name__: x}\n  rules: []\n":                     "rules.yaml:3:22: invalid label name: __name__",
		"groups:\n- name: g\n  rules:\n  - {record: a, expr: up, labels: {__name__: b}}": "rules.yaml:4:46: group \"g\", rule 1, \"a\": invalid label name: __name__",
	} {
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		groups, err := Read(file, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		switch {
		case want == "" && (err != nil || len(groups.Groups) != 1):
			t.Errorf("%s gives %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s\ngives %v, want %s", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.yaml"), nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there gives %v", err)
	}
}

// A fault that Prometheus finds twice, as it does where a file is no YAML, is told once, and
// a second document in a file, whose rules are ignored, is logged with the name of the file.
func TestFaultsAreToldOnce(t *testing.T) {
	read := func(text string) (told, logged string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		if _, err := Read(file, parser.NewParser(parser.Options{}), slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			told = err.Error()
		}
		return told, log.String()
	}
	for _, text := range []string{"groups: [", "groups: {{", "groups:\n\t- name: g", "- a\n- b: ]", "groups: 7"} {
		told, _ := read(text)
		seen := make(map[string]bool)
		for _, line := range strings.Split(strings.TrimPrefix(told, "cannot use a file of rules: "), "\n") {
			if seen[line] {
				t.Errorf("%q: told twice: %s", text, told)
			}
			seen[line] = true
		}
		if told == "" {
			t.Errorf("%q is taken", text)
		}
	}
	const one = "groups: [{ name: g, rules: [{ alert: A, expr: up }] }]\n"
	if told, logged := read(one + "---\n" + one); told != "" || !strings.Contains(logged, "rules.yaml") {
		t.Errorf("two documents: %s, logged %s", told, logged)
	}
}
