package ruletest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/master/alert/rulefile"
)

// ruleFile is a file of rules, or an inspector that has some.
type ruleFile struct {
	name   string
	groups *rulefmt.RuleGroups
}

// ruleFiles gives the rules of files, by name. It implements rules.GroupLoader.
type ruleFiles struct {
	list   []ruleFile
	syntax parser.Parser
}

// Load implements rules.GroupLoader.
func (l ruleFiles) Load(name string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	for _, f := range l.list {
		if f.name == name {
			return f.groups, nil
		}
	}
	return nil, []error{fmt.Errorf("there is no file of rules %q", name)}
}

// Parse implements rules.GroupLoader.
func (l ruleFiles) Parse(query string) (parser.Expr, error) { return l.syntax.ParseExpr(query) }

// readRules reads the rules that a file of tests names, relative to its folder. If it
// names none, they are those of the inspector beside it.
func readRules(path string, f *file, syntax parser.Parser) (ruleFiles, error) {
	found := ruleFiles{syntax: syntax}
	names, err := ruleNames(path, f.RuleFiles)
	var faults []error
	for _, name := range names {
		groups, err := readGroups(name, syntax)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		found.list = append(found.list, ruleFile{name, groups})
	}
	return found, errors.Join(append(faults, err)...)
}

// ruleNames are the names of the files of rules, each once.
func ruleNames(path string, patterns []string) (names []string, err error) {
	if len(patterns) == 0 {
		if probe := probeBeside(path); probe != "" {
			names = []string{probe}
		}
		return names, nil
	}
	seen := make(map[string]bool)
	var faults []error
	for _, pattern := range patterns {
		where := pattern
		if !filepath.IsAbs(where) {
			where = filepath.Join(filepath.Dir(path), where)
		}
		matches, err := filepath.Glob(where)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("cannot use the pattern %q of rule_files in %s: %w", pattern, path, err))
		case len(matches) == 0:
			faults = append(faults, fmt.Errorf("cannot find a file %q, which rule_files in %s names; the name is relative to the folder of that file", pattern, path))
		}
		for _, name := range matches {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names, errors.Join(faults...)
}

// probeBeside is disk.go for disk.test.yaml if it exists, else "".
func probeBeside(path string) string {
	for _, end := range []string{".test.yaml", ".test.yml"} {
		if stem, ok := strings.CutSuffix(path, end); ok {
			if _, err := os.Stat(stem + ".go"); err == nil {
				return stem + ".go"
			}
		}
	}
	return ""
}

// readGroups reads the rules of a file in Prometheus' format, or of an inspector.
func readGroups(name string, syntax parser.Parser) (*rulefmt.RuleGroups, error) {
	if filepath.Ext(name) == ".go" {
		return probeGroups(name)
	}
	return rulefile.Read(name, syntax, slog.New(slog.DiscardHandler))
}

func probeGroups(name string) (*rulefmt.RuleGroups, error) {
	d, err := config.FileDefinition(name)
	if err != nil {
		return nil, err
	}
	said, err := d.Script.Directives()
	if err != nil {
		return nil, err
	}
	list, faults := alerts.Rules(alerts.Probe{Name: d.Name, Said: said})
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("cannot test the alerts of %q: it has none; add a line //vedette:alert", name)
	}
	return &rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: d.Name, Rules: list}}}, nil
}
