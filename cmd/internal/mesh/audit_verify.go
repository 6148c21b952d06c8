package mesh

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// newAuditVerify makes the command "audit verify".
func newAuditVerify() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no entry was changed, removed or moved",
		Long: `Check the checksums of the audit log. Each entry has one over itself and the checksum
before, so an entry that was changed, removed or moved is found. The command names the
first such place, and exits with 1.

Entries from before there were checksums are counted, and cannot be checked. Whoever
can write the master's disk can make new checksums, or remove the newest entries: keep
the last checksum elsewhere, and look later for it in "vedette audit --json". It is for
operators.`,
		Example: "  vedette audit verify\n  vedette audit verify --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := remote.CallOnce(cmd, &c.Client, wire.AuditVerify, wire.Empty{})
			if err != nil {
				return err
			}
			if c.JSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(result)
			} else {
				err = printVerified(cmd.OutOrStdout(), result)
			}
			if err == nil && result.Fault != nil {
				err = cli.Exit(cli.ExitFailed, fmt.Errorf("the audit log is not what was written: entry %d: %s", result.Fault.Seq, cli.OneLine(result.Fault.Reason)))
			}
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object")
	c.CompleteFlags(cmd)
	return cmd
}

// printVerified says what was checked.
func printVerified(out io.Writer, r wire.AuditVerifyResult) error {
	verdict := "as they were written"
	if r.Fault != nil {
		verdict = "before the first fault"
	}
	text := fmt.Sprintf("0 entries %s\n", verdict)
	if r.Entries > 0 {
		text = fmt.Sprintf("%d entries %s: %d to %d, from %s to %s\n", r.Entries, verdict, r.First, r.Last, cli.Moment(r.FromMS), cli.Moment(r.ToMS))
	}
	if r.Without > 0 {
		text += fmt.Sprintf("%d of them, the oldest, are from before there were checksums: they cannot be checked\n", r.Without)
	}
	if r.Entries > r.Without {
		text += fmt.Sprintf("the checksum of entry %d is %s\n", r.Last, cli.OneLine(r.Sum))
	}
	_, err := io.WriteString(out, text)
	return err
}
