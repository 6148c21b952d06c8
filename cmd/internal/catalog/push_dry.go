package catalog

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// foretold is what a push would do, as --dry-run --json prints it.
type foretold struct {
	Event    string         `json:"event"` // plan
	Name     string         `json:"name"`
	From     string         `json:"from,omitempty"` // current revision, or ""
	Revision string         `json:"revision"`
	To       string         `json:"to"`               // the selector after the push
	WasTo    *string        `json:"was_to,omitempty"` // the current selector, if it is another one
	Change   string         `json:"change"`
	Hosts    int            `json:"hosts"`
	Selected []string       `json:"selected,omitempty"` // the first of these hosts
	Refusals []wire.Refusal `json:"refusals,omitempty"`
	Drops    int            `json:"drops,omitempty"`
	Diff     string         `json:"diff,omitempty"`
}

// foretell prints what a push would do, and changes nothing.
func (p *push) foretell(cmd *cobra.Command, s *remote.Session, params wire.PushParams, checked wire.CheckResult) error {
	f := foretold{
		Event: "plan", Name: params.Code.Name, Revision: checked.Revision, Change: changeNew,
		Hosts: checked.Hosts, Selected: checked.Selected, Refusals: checked.Refusals, Drops: checked.Drops,
	}
	if params.Selector != nil {
		f.To = *params.Selector
	}
	to := wire.Revision{ID: checked.Revision, Code: params.Code}
	var from wire.Revision
	entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: f.Name})
	switch {
	case remote.IsNotFound(err):
	case err != nil:
		return err
	default:
		if f.From = entry.Current; entry.Deleted {
			f.From = ""
		} else if params.Selector == nil {
			f.To = entry.Selector
		} else if entry.Selector != f.To {
			f.WasTo = &entry.Selector
		}
	}
	if f.From != "" {
		if from, err = revisionOf(s, f.Name, f.From); err != nil {
			return err
		}
		f.Change = p.changeOf(f, params.Code, from)
	}
	if f.From != f.Revision {
		f.Diff = revisionDiff(from, to)
	}
	if err := p.printForetold(cmd.OutOrStdout(), f); err != nil {
		return err
	}
	if f.Change != changeNone {
		return cli.Exit(cli.ExitPending, nil)
	}
	return nil
}

// changeOf returns the kind of change that a push would make.
func (p *push) changeOf(f foretold, code wire.Code, from wire.Revision) string {
	switch {
	case f.From != f.Revision:
		return changeCode
	case f.WasTo != nil:
		return changeHosts
	case !p.Has(code, from.Signatures, f.To):
		return changeSigned
	}
	return changeNone
}

func (p *push) printForetold(w io.Writer, f foretold) error {
	if p.JSON {
		return cli.PrintLines(w, []foretold{f})
	}
	if _, err := io.WriteString(w, coloured(cli.Printable(f.Diff), cli.Colours(w))); err != nil {
		return err
	}
	_, err := io.WriteString(cli.ToTerminal(w), cli.Printable(foretoldText(f)))
	return err
}

// foretoldText says what a push would do.
func foretoldText(f foretold) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", f.Name, cli.ShortID(f.Revision))
	switch f.Change {
	case changeNone:
		b.WriteString(" is current already; nothing would be done\n")
		return b.String()
	case changeNew:
		b.WriteString(" is new, and")
	case changeHosts:
		b.WriteString(" is current already for other hosts, and")
	case changeSigned:
		b.WriteString(" is current already, would get a signature, and")
	default:
		fmt.Fprintf(&b, " replaces %s, and", cli.ShortID(f.From))
	}
	fmt.Fprintf(&b, " would go to %s: %s", remote.SelectorText(f.To), cli.Counted(f.Hosts, "host", "hosts"))
	if f.WasTo != nil {
		fmt.Fprintf(&b, " (now %s)", remote.SelectorText(*f.WasTo))
	}
	b.WriteByte('\n')
	if f.Drops > 0 {
		fmt.Fprintf(&b, "%s it\n", cli.Counted(f.Drops, "host would drop", "hosts would drop"))
	}
	b.WriteString(refusalsText(f.Refusals, f.Hosts))
	return b.String()
}

// namesShown is how many hosts are named for each reason to refuse code.
const namesShown = 5

// refusalsText names the hosts that would refuse code, grouped by reason, or is "".
func refusalsText(refusals []wire.Refusal, hosts int) string {
	if len(refusals) == 0 {
		return ""
	}
	names := make(map[string][]string)
	var reasons []string
	for _, r := range refusals {
		if names[r.Reason] == nil {
			reasons = append(reasons, r.Reason)
		}
		names[r.Reason] = append(names[r.Reason], r.Host)
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(names[b]) - len(names[a]) })
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s will refuse it:\n", len(refusals), cli.Counted(hosts, "host", "hosts"))
	for _, reason := range reasons {
		some := names[reason]
		text := strings.Join(some[:min(len(some), namesShown)], ", ")
		if more := len(some) - namesShown; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		fmt.Fprintf(&b, "  %s: %s\n", text, strings.ReplaceAll(strings.TrimSpace(reason), "\n", "\n    "))
	}
	return b.String()
}
