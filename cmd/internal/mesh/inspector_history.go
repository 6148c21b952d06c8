package mesh

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorHistory makes the command of that name.
func NewInspectorHistory() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "history NAME",
		Short: "List the changes of a pushed inspector",
		Long: `List what was done to a pushed inspector, newest first: which revision was made
current, for which hosts, when, by whom, with the keys that have signed it, and why. A deleted one has a history too.`,
		Example: "  vedette inspector history disk\n  vedette inspector history disk --json | jq -r .revision",
		Args:    nameAndRevisions(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			var entry wire.CatalogEntry
			if err := c.call(cmd, wire.CatalogGet.Name, wire.CatalogParams{Name: args[0]}, &entry); err != nil {
				return err
			}
			if c.json {
				return cli.PrintLines(cmd.OutOrStdout(), entry.History)
			}
			return printHistory(cmd.OutOrStdout(), entry, time.Now())
		},
	}
	c.flags(cmd)
	c.jsonFlag(cmd, "print one JSON object a line, one for each change")
	return cmd
}

// signedText tells who has signed a revision, if anybody has.
func signedText(signers []string) string {
	if len(signers) == 0 {
		return ""
	}
	short := make([]string, len(signers))
	for i, key := range signers {
		short[i] = shortID(key)
	}
	return " (signed by " + strings.Join(short, ", ") + ")"
}

// printHistory writes a table of changes. A star is the current revision.
func printHistory(w io.Writer, entry wire.CatalogEntry, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "REVISION\tACTION\tWHEN\tBY\tTO\tWHY")
	current := !entry.Deleted
	for _, h := range entry.History {
		revision := shortID(h.Revision)
		if current && h.Revision == entry.Current {
			revision, current = revision+" *", false
		}
		fmt.Fprintln(table, cli.Printable(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", revision, h.Action, cli.Ago(now, h.AtMS), cli.OrDash(h.Author)+signedText(h.Signers), selectorText(h.Selector), cli.OrDash(oneLine(h.Message)))))
	}
	return table.Flush()
}
