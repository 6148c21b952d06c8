package catalog

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/probe"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The change that a step makes.
const (
	changeNew    = "new"
	changeCode   = "changed"
	changeHosts  = "hosts changed" // the code is the same
	changeSigned = "to be signed"  // code and hosts are the same
	changeNone   = "unchanged"
	changeDelete = "delete"
	changeLeft   = "only on the master" // only on the master, and left there
)

// applyStep is one inspector of a plan, as --json prints it.
type applyStep struct {
	Name     string `json:"name"`
	Change   string `json:"change"`
	From     string `json:"from,omitempty"`     // revision
	Revision string `json:"revision,omitempty"` // the revision after the change
	To       string `json:"to"`                 // the selector after the change
	WasTo    string `json:"was_to,omitempty"`   // the current selector, if it is another one
	Added    int    `json:"added"`              // lines
	Removed  int    `json:"removed"`
	Nobody   string `json:"nobody,omitempty"`   // why no host is selected, if --allow-none is needed
	Drops    int    `json:"drops,omitempty"`    // hosts that would lose it
	Replaces int    `json:"replaces,omitempty"` // hosts on which it replaces a built-in inspector

	code    wire.Code
	version string // version of the entry that the plan was made with; "" if there was none
}

// steps compares the folder with the catalog.
func (a *apply) steps(cmd *cobra.Command, s *remote.Session, all []wanted) ([]applyStep, error) {
	catalog, err := remote.Call(s, wire.CatalogList, wire.Empty{})
	if err != nil {
		return nil, err
	}
	entries := make(map[string]wire.CatalogEntry)
	for _, e := range catalog.Inspectors {
		entries[e.Name] = e
	}
	var steps []applyStep
	good := true
	for _, w := range all {
		checked, err := remote.Call(s, wire.CatalogCheck, wire.CheckParams{Code: w.code, Selector: &w.selector})
		if err != nil {
			return nil, err
		}
		if len(checked.Diagnostics) > 0 {
			good = false
			if err := probe.PrintChecked(cmd, w.code.File, fromMaster(checked), a.JSON); err != nil {
				return nil, err
			}
			continue
		}
		if err := a.Agree(w.code, checked.Revision); err != nil {
			return nil, err
		}
		entry, there := entries[w.code.Name]
		delete(entries, w.code.Name)
		step, err := a.stepOf(s, w, entry, there, checked.Revision)
		if err != nil {
			return nil, err
		}
		step.Nobody, step.Drops, step.Replaces = checked.Nobody, checked.Drops, checked.Replaces
		steps = append(steps, step)
	}
	if !good {
		return nil, cli.Exit(cli.ExitCheck, nil)
	}
	for _, e := range catalog.Inspectors {
		if _, left := entries[e.Name]; left {
			step := applyStep{Name: e.Name, Change: changeLeft, From: e.Current, To: e.Selector, version: e.Version}
			if a.prune {
				step.Change = changeDelete
			}
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// stepOf compares an inspector of the folder with its entry in the catalog.
func (a *apply) stepOf(s *remote.Session, w wanted, entry wire.CatalogEntry, there bool, revision string) (applyStep, error) {
	step := applyStep{Name: w.code.Name, Change: changeNew, Revision: revision, To: w.selector, code: w.code}
	var from wire.Revision
	if there {
		step.From, step.version = entry.Current, entry.Version
		if entry.Selector != w.selector {
			step.WasTo, step.Change = remote.SelectorText(entry.Selector), changeHosts
		} else {
			step.Change = changeNone
		}
		same := entry.Current == revision
		if same && !a.Signs() {
			return step, nil
		}
		var err error
		if from, err = revisionOf(s, w.code.Name, entry.Current); err != nil {
			return step, err
		}
		switch {
		case !same:
			step.Change = changeCode
		case step.Change == changeNone && !a.Has(w.code, from.Signatures, w.selector):
			step.Change = changeSigned
			return step, nil
		default:
			return step, nil
		}
	}
	step.Added, step.Removed = lineCounts(unified("from", "to", codeText(from.Code), codeText(w.code)))
	return step, nil
}

// countChanges counts the steps that change something.
func countChanges(steps []applyStep) int {
	n := 0
	for _, s := range steps {
		if s.Change != changeNone && s.Change != changeLeft {
			n++
		}
	}
	return n
}

// planText is the plan for people: a line for each step, and the number of changes.
func planText(steps []applyStep, prune bool) string {
	var b strings.Builder
	width, left := 0, 0
	for _, s := range steps {
		width = max(width, len(s.Name))
	}
	for _, s := range steps {
		sign := map[string]string{changeNew: "+", changeCode: "~", changeHosts: "~", changeSigned: "~", changeDelete: "-"}[s.Change]
		fmt.Fprintf(&b, "%1s %-*s  %s\n", sign, width, s.Name, stepText(s))
		if s.Change == changeLeft {
			left++
		}
	}
	if n := countChanges(steps); n == 0 {
		b.WriteString("nothing is to be done")
	} else {
		b.WriteString(cli.Counted(n, "change", "changes"))
	}
	if left > 0 && !prune {
		fmt.Fprintf(&b, "; --prune would delete what is only on the master")
	}
	b.WriteByte('\n')
	return b.String()
}

// stepText describes what a step does.
func stepText(s applyStep) string {
	text := s.Change
	switch s.Change {
	case changeNew, changeCode:
		text = fmt.Sprintf("%s %s, +%d -%d lines", s.Change, cli.ShortID(s.Revision), s.Added, s.Removed)
		if s.Change == changeNew || s.WasTo != "" {
			text += ", to " + remote.SelectorText(s.To)
		}
	case changeHosts:
		text = "same code, to " + remote.SelectorText(s.To)
	case changeSigned:
		text = "same code and hosts, signed"
	case changeDelete:
		text = "deleted: it is only on the master"
	}
	if s.WasTo != "" {
		text += " (was to " + s.WasTo + ")"
	}
	switch {
	case s.Nobody != "":
		text += "; " + nobodyText(s.Nobody, s.Drops)
	case s.Drops > 0:
		text += fmt.Sprintf("; %s it", cli.Counted(s.Drops, "host drops", "hosts drop"))
	}
	if replaces := builtInText(s.Name, s.Replaces > 0, s.Replaces); replaces != "" && s.Change != changeNone {
		text += "; " + replaces
	}
	return text
}
