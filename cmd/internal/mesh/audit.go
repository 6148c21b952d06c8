package mesh

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewAudit makes the command `vedette audit`.
func NewAudit() *cobra.Command {
	var c client
	l := cli.List[wire.AuditEntry]{
		Columns: auditColumns,
		Name:    func(e wire.AuditEntry) string { return fmt.Sprint(e.Seq) },
		Empty:   func() string { return "There is no such entry." },
	}
	var params wire.AuditParams
	var since string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what, newest first",
		Long: `Show each change that somebody made, or tried to make: when, who, from where, what,
and the outcome. It is for operators.`,
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
				d, err := cli.ParseLength(since)
				if err != nil {
					return cli.Usagef("--since: %v", err)
				}
				params.SinceMS = now.Add(-d).UnixMilli()
			}
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.AuditEntry, error) {
				result, err := remote.Call(s, wire.AuditList, params)
				return result.Entries, err
			})
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Who, "who", "", "only of the credential with this `NAME`")
	cmd.Flags().StringVar(&params.Action, "action", "", "only of this `METHOD`, or those that begin so, such as catalog.push or rollouts.")
	cmd.Flags().StringVar(&params.Subject, "subject", "", "only of this `INSPECTOR`, rollout or host")
	cmd.Flags().StringVar(&since, "since", "", "only of the last `DURATION`, such as 24h or 7d")
	cmd.Flags().IntVarP(&params.Limit, "number", "n", 100, "show at most `N`")
	l.Flags(cmd, "print one JSON object a line, one for each entry")
	c.CompleteFlags(cmd)
	cmd.AddCommand(newAuditVerify())
	return cmd
}

// auditColumns are the columns of a table of the audit log. Times are exact, because people
// read the log beside other logs.
func auditColumns(time.Time) []cli.Column[wire.AuditEntry] {
	return []cli.Column[wire.AuditEntry]{
		{Name: "when", Whole: true, Cell: func(e wire.AuditEntry) string { return cli.Moment(e.AtMS) }},
		{Name: "who", Cell: func(e wire.AuditEntry) string { return cli.OrDash(e.Who) }},
		{Name: "from", Spare: true, Cell: auditFrom, Exact: func(e wire.AuditEntry) string { return cli.OrDash(e.From) }},
		{Name: "action", Whole: true, Cell: func(e wire.AuditEntry) string { return e.Action }},
		{Name: "subject", Last: true, Cell: func(e wire.AuditEntry) string { return cli.OrDash(e.Subject) }},
		{Name: "outcome", Below: true, Cell: func(e wire.AuditEntry) string { return cli.OrDash(cli.OneLine(e.Outcome)) }},
		{Name: "detail", Below: true, Cell: func(e wire.AuditEntry) string { return cli.OrDash(cli.OneLine(e.Detail)) }},
	}
}

// auditFrom is the address of the caller, without the port.
func auditFrom(e wire.AuditEntry) string {
	if at, err := netip.ParseAddrPort(e.From); err == nil {
		return at.Addr().String()
	}
	return cli.OrDash(e.From)
}
