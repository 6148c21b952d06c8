// Package rulefile reads files of rules in Prometheus' format. Prometheus' own code decides
// what is a fault; this package adds the line and the column where that code names only the
// rule, as it does for labels, annotations and their templates.
package rulefile

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/config"
)

// Read reads a file. The error has every fault.
func Read(name string, syntax parser.Parser, log *slog.Logger) (*rulefmt.RuleGroups, error) {
	groups, errs := rulefmt.ParseFile(name, false, model.UTF8Validation, syntax, log.With("file", name))
	if len(errs) == 0 {
		return groups, nil
	}
	if groups == nil {
		errs = errs[:1] // Prometheus decodes a file twice, and the strict one, which has every fault, is the first
	}
	var places document
	// Its faults are in errs already, in Prometheus' words.
	doc, _ := config.ReadDocument(name, &places)
	for i, err := range errs {
		if doc != nil {
			errs[i] = places.located(doc, name, err)
		}
	}
	return nil, fmt.Errorf("cannot use a file of rules: %w", errors.Join(errs...))
}

// document is the part of a file that places are looked up in.
type document struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
	Rules  []rule            `yaml:"rules"`
}

type rule struct {
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// located returns a fault with its place, if it had none.
func (d *document) located(doc *config.Document, name string, err error) error {
	text := strings.TrimPrefix(err.Error(), name+": ")
	if text == "" || '0' <= text[0] && text[0] <= '9' {
		return err
	}
	for i, g := range d.Groups {
		at := fmt.Sprintf("groups[%d]", i)
		paths := pathsOf(at, g.Labels, nil, text)
		if fault, is := errors.AsType[*rulefmt.Error](err); is {
			if fault.Group != g.Name || fault.Rule > len(g.Rules) {
				continue
			}
			at = fmt.Sprintf("%s.rules[%d]", at, fault.Rule-1)
			r := g.Rules[fault.Rule-1]
			paths = append(pathsOf(at, r.Labels, r.Annotations, fault.Err.Error()), at)
		}
		for _, path := range paths {
			if place := doc.Place(path); strings.HasPrefix(place, name+":") {
				return fmt.Errorf("%s: %s", place, text)
			}
		}
	}
	return err
}

// pathsOf returns the labels and annotations that the text of a fault names.
func pathsOf(at string, labels, annotations map[string]string, text string) (paths []string) {
	find := func(below string, list map[string]string, what string) {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if strings.HasPrefix(text, fmt.Sprintf("%s %q: ", what, name)) || text == fmt.Sprintf("invalid %s name: %s", what, name) ||
				text == fmt.Sprintf("invalid %s value: %s", what, list[name]) {
				paths = append(paths, fmt.Sprintf("%s.%s[%s]", at, below, name))
			}
		}
	}
	find("labels", labels, "label")
	find("annotations", annotations, "annotation")
	return paths
}
