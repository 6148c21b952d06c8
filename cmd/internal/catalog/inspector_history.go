package catalog

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorHistory makes the command `vedette inspector history`.
func NewInspectorHistory() *cobra.Command {
	var c client
	var current string
	l := cli.List[wire.HistoryEntry]{
		Columns: func(now time.Time) []cli.Column[wire.HistoryEntry] { return historyColumns(now, current) },
		Name:    func(h wire.HistoryEntry) string { return h.Revision },
	}
	cmd := &cobra.Command{
		Use:   "history NAME",
		Short: "List the changes of a pushed inspector",
		Long: `List the changes of a pushed inspector, newest first: which revision became current,
for which hosts, when, by whom, signed with which keys, and why. A deleted inspector
has a history too.`,
		Example: "  vedette inspector history disk\n  vedette inspector history disk --json | jq -r .revision",
		Args:    cli.NameAndRevisions(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.HistoryEntry, error) {
				entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: args[0]})
				if current = entry.Current; entry.Deleted {
					current = ""
				}
				return entry.History, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each change")
	return cmd
}

// signedText names the signers of a revision, or is empty.
func signedText(signers []string) string {
	if len(signers) == 0 {
		return ""
	}
	short := make([]string, len(signers))
	for i, key := range signers {
		short[i] = cli.ShortID(key)
	}
	return " (signed by " + strings.Join(short, ", ") + ")"
}

// historyColumns are the columns of a table of changes. A star marks the current revision.
func historyColumns(now time.Time, current string) []cli.Column[wire.HistoryEntry] {
	revision := func(h wire.HistoryEntry, text string) string {
		if h.Revision != "" && h.Revision == current {
			return text + " *"
		}
		return text
	}
	return []cli.Column[wire.HistoryEntry]{
		{
			Name: "revision", Cell: func(h wire.HistoryEntry) string { return revision(h, cli.ShortID(h.Revision)) },
			Exact: func(h wire.HistoryEntry) string { return revision(h, cli.OrDash(h.Revision)) },
		},
		{Name: "action", Cell: func(h wire.HistoryEntry) string { return h.Action }},
		cli.When("when", now, func(h wire.HistoryEntry) int64 { return h.AtMS }),
		{Name: "by", Cell: func(h wire.HistoryEntry) string {
			return cli.OrDash(h.Author) + approvedText(h.Approved) + signedText(h.Signers)
		}},
		{Name: "to", Cell: func(h wire.HistoryEntry) string { return remote.SelectorText(h.Selector) }},
		{Name: "why", Cell: func(h wire.HistoryEntry) string { return cli.OrDash(cli.OneLine(h.Message)) }},
	}
}
