package rollouts

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// ProposedError reports that a change waits for a second person.
type ProposedError struct{ id string }

func (e *ProposedError) Error() string {
	return "another person has to approve it: vedette approve " + e.id
}

// Waiting returns the error of a command whose change waits for a second person. Its status
// is 0 if the command was not to wait for the end.
func Waiting(proposal string, noWait bool) error {
	err := &ProposedError{proposal}
	if noWait {
		return cli.Exit(cli.ExitOK, err)
	}
	return cli.Exit(cli.ExitWaiting, err)
}

// Finish waits for the end of a rollout, unless --no-wait is given, and reports it on the
// output and in the exit status.
func Finish(cmd *cobra.Command, c *remote.Client, name string, result wire.PushResult, f *PlanFlags) error {
	if c.JSON {
		if err := cli.PrintLines(cmd.OutOrStdout(), []pushLine{{Event: "pushed", Pushed: &result}}); err != nil {
			return err
		}
	}
	return Await(cmd, c, name, result, f)
}

// Await is Finish without the first line of --json.
func Await(cmd *cobra.Command, c *remote.Client, name string, result wire.PushResult, f *PlanFlags) error {
	if result.Proposal != "" {
		return Waiting(result.Proposal, f.NoWait)
	}
	if f.NoWait {
		if !c.JSON && result.Signed {
			fmt.Fprintln(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable("look at it with: vedette receipts "+name))
		}
		if !c.JSON && result.Rollout != "" {
			fmt.Fprintln(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable("look at it with: vedette rollout show "+result.Rollout))
		}
		return nil
	}
	if result.Signed {
		if err := untilDecided(cmd, c, name, f.Wait); err != nil {
			return err
		}
	}
	var rollout *wire.Rollout
	if result.Rollout != "" {
		ctx, stop := cli.UntilStopped(cmd)
		defer stop()
		ctx, cancel := context.WithTimeout(ctx, f.Wait)
		defer cancel()
		r, err := follow(ctx, cmd, c, name, result.Rollout, newProgress(cmd.OutOrStdout(), c.JSON))
		if err != nil {
			return err
		}
		rollout = &r
	}
	return conclude(cmd, c, name, rollout)
}

// conclude prints how a rollout ended, with the receipts, and returns an error with the
// exit status.
func conclude(cmd *cobra.Command, c *remote.Client, name string, rollout *wire.Rollout) error {
	if rollout != nil && !rollout.Ended() && !c.JSON {
		return cli.Exit(cli.ExitWaiting, fmt.Errorf("stopped waiting; the rollout goes on: vedette rollout show %s", rollout.ID))
	}
	receipts, err := remote.CallOnce(cmd, c, wire.CatalogReceipts, wire.CatalogParams{Name: name})
	if remote.IsNotFound(err) {
		receipts, err = wire.ReceiptsResult{Inspector: name}, nil
	}
	if err != nil {
		return err
	}
	outcome := outcomeOf(rollout, receipts)
	if c.JSON {
		err = cli.PrintLines(cmd.OutOrStdout(), []pushLine{{Event: "end", Outcome: outcome, Rollout: rollout, Receipts: &receipts}})
	} else {
		err = printOutcome(cmd.OutOrStdout(), name, rollout, receipts)
	}
	if status := outcomeStatus(outcome); err == nil && status != cli.ExitOK {
		return cli.Exit(status, nil)
	}
	return err
}
