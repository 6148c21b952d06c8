package probe

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors/library"
)

// listed is one built-in inspector, as --json prints it.
type listed struct {
	Name       string `json:"name"`
	IntervalMS int64  `json:"interval_ms"`
	TimeoutMS  int64  `json:"timeout_ms"`
	Source     string `json:"source,omitempty"`
}

// NewInspectorList makes the command of that name.
func NewInspectorList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the built-in inspectors",
		Example: "  vedette inspector list\n  vedette inspector list --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []listed
			for _, d := range library.Definitions() {
				l := listed{Name: d.Name, IntervalMS: d.Interval.Milliseconds(), TimeoutMS: d.Timeout.Milliseconds()}
				if d.Script != nil {
					l.Source = d.Script.Source
				}
				all = append(all, l)
			}
			if asJSON {
				return cli.PrintLines(cmd.OutOrStdout(), all)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tINTERVAL\tTIMEOUT")
			for _, d := range library.Definitions() {
				fmt.Fprintf(table, "%s\t%v\t%v\n", d.Name, d.Interval, d.Timeout)
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line, with the source")
	return cmd
}
