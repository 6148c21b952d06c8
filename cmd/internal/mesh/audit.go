package mesh

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewAudit makes the command of that name.
func NewAudit() *cobra.Command {
	var c client
	var params wire.AuditParams
	var since string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what, newest first",
		Long: `Show each change that somebody made, or tried to: when, who, from where, what, and
how it ended. It is for operators.`,
		Example: `  vedette audit
  vedette audit --subject disk --since 24h
  vedette audit --who ci --action catalog. -n 20
  vedette audit --json | jq 'select(.outcome != "ok")'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if params.Limit < 1 {
				return cli.Usagef("-n is %d; it must be above 0", params.Limit)
			}
			now := time.Now()
			if since != "" {
				d, err := parseAge(since)
				if err != nil {
					return cli.Usagef("--since: %v", err)
				}
				params.SinceMS = now.Add(-d).UnixMilli()
			}
			var result wire.AuditResult
			if err := c.call(cmd, wire.AuditList.Name, params, &result); err != nil {
				return err
			}
			if c.json {
				return cli.PrintLines(cmd.OutOrStdout(), result.Entries)
			}
			return printAudit(cmd.OutOrStdout(), result.Entries)
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&params.Who, "who", "", "only of the credential with this `NAME`")
	cmd.Flags().StringVar(&params.Action, "action", "", "only of this `METHOD`, or those that begin so, as catalog.push or rollouts.")
	cmd.Flags().StringVar(&params.Subject, "subject", "", "only of this `INSPECTOR`, rollout or host")
	cmd.Flags().StringVar(&since, "since", "", "only of the last `DURATION`, such as 24h or 7d")
	cmd.Flags().IntVarP(&params.Limit, "number", "n", 100, "show at most `N`")
	c.jsonFlag(cmd, "print one JSON object a line, one for each entry")
	c.completeFlags(cmd)
	return cmd
}

// parseAge reads a duration, which may be in days.
func parseAge(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil && n < 100_000 {
			d = time.Duration(n) * 24 * time.Hour
		}
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time back from now; write it as 30m, 24h or 7d", text)
	}
	return d, nil
}

// printAudit writes a table of entries.
func printAudit(w io.Writer, entries []wire.AuditEntry) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(w, "There is no such entry.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "WHEN\tWHO\tFROM\tACTION\tSUBJECT\tOUTCOME\tDETAIL")
	for _, e := range entries {
		when := time.UnixMilli(e.AtMS).Local().Format("2006-01-02 15:04:05")
		fmt.Fprintln(table, cli.Printable(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", when, cli.OrDash(e.Who), cli.OrDash(e.From), e.Action, cli.OrDash(e.Subject),
			cli.OrDash(oneLine(e.Outcome)), cli.OrDash(oneLine(e.Detail)))))
	}
	return table.Flush()
}
