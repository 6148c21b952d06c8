package rollouts

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewRollouts makes the command `vedette rollouts`.
func NewRollouts() *cobra.Command {
	var c remote.Client
	l := cli.List[wire.Rollout]{
		Columns: rolloutColumns,
		Name:    func(r wire.Rollout) string { return r.ID },
		Empty:   func() string { return "There was no rollout yet." },
	}
	var limit int
	cmd := &cobra.Command{
		Use:   "rollouts [NAME]",
		Short: "List the rollouts, newest first",
		Long: `List the rollouts of all inspectors, or of one, newest first, including those that
have ended.`,
		Example: "  vedette rollouts\n  vedette rollouts disk\n  vedette rollouts --json | jq 'select(.state == \"rolled back\")'",
		Args:    cli.AtMostOneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return cli.Usagef("-n is %d; it must be above 0", limit)
			}
			return remote.List(&c, cmd, &l, func(s *remote.Session) ([]wire.Rollout, error) {
				name := append(args, "")[0]
				result, err := remote.Call(s, wire.RolloutsList, wire.RolloutsParams{Inspector: name, Limit: limit})
				if err == nil && name != "" && len(result.Rollouts) == 0 {
					_, err = remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: name}) // the error for an unknown inspector
				}
				return result.Rollouts, err
			})
		},
	}
	c.Flags(cmd)
	cmd.Flags().IntVarP(&limit, "number", "n", 100, "show at most `N`")
	l.Flags(cmd, "print one JSON object a line, one for each rollout")
	return cmd
}

// rolloutColumns are the columns of a table of rollouts.
func rolloutColumns(now time.Time) []cli.Column[wire.Rollout] {
	return []cli.Column[wire.Rollout]{
		{Name: "id", Cell: func(r wire.Rollout) string { return r.ID }},
		{Name: "inspector", Last: true, Cell: func(r wire.Rollout) string { return r.Inspector }},
		{Name: "action", Cell: func(r wire.Rollout) string { return r.Action }},
		cli.ID("from", func(r wire.Rollout) string { return r.From }),
		cli.ID("to", func(r wire.Rollout) string { return r.To }),
		{Name: "state", Cell: func(r wire.Rollout) string { return r.State }},
		{Name: "stage", Cell: func(r wire.Rollout) string { return fmt.Sprintf("%d/%d", min(r.Stage+1, len(r.Stages)), len(r.Stages)) }},
		{Name: "by", Spare: true, Cell: func(r wire.Rollout) string { return cli.OrDash(r.Author) }},
		cli.When("started", now, func(r wire.Rollout) int64 { return r.StartedMS }),
		{Name: "why", Cell: rolloutWhy},
	}
}

// rolloutWhy says why a rollout was started, or rolled back.
func rolloutWhy(r wire.Rollout) string {
	if r.State == wire.RolloutRolledBack {
		return cli.OrDash(cli.OneLine(r.Reason))
	}
	return cli.OrDash(cli.OneLine(r.Message))
}
