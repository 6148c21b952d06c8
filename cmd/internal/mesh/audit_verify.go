package mesh

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// newAuditVerify makes the command "audit verify".
func newAuditVerify() *cobra.Command {
	var c client
	var was string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no entry was changed, removed or moved",
		Long: `Check the checksums of the audit log. Each entry has one over itself and the checksum
before, so an entry that was changed, removed or moved is found. The command names the
first such place, and exits with 1.

Entries from before there were checksums are counted, and cannot be checked. Whoever
can write the master's disk can make new checksums, or remove the newest entries: keep
the number and the checksum of the last line elsewhere, and give them later with --was,
which compares the entry of that number with it. It is for operators.`,
		Example: "  vedette audit verify\n  vedette audit verify --was 4711:9f86d081884c7d65\n  vedette audit verify --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			noted, err := parseNoted(was)
			if err != nil {
				return err
			}
			result, err := remote.CallOnce(cmd, &c.Client, wire.AuditVerify, noted)
			if err != nil {
				return err
			}
			if c.JSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(result)
			} else {
				err = printVerified(cmd.OutOrStdout(), result, noted)
			}
			if err == nil && result.Fault != nil {
				err = cli.Exit(cli.ExitFailed, fmt.Errorf("the audit log is not what was written: entry %d: %s", result.Fault.Seq, cli.OneLine(result.Fault.Reason)))
			}
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object")
	cmd.Flags().StringVar(&was, "was", "", "compare with `SEQ:SUM`, the number and the checksum of an entry that were noted elsewhere")
	c.CompleteFlags(cmd)
	return cmd
}

// parseNoted parses the number and the checksum of an entry.
func parseNoted(was string) (wire.AuditVerifyParams, error) {
	if was == "" {
		return wire.AuditVerifyParams{}, nil
	}
	number, sum, _ := strings.Cut(was, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 || len(sum) < 16 || len(sum) > 64 || strings.Trim(strings.ToLower(sum), "0123456789abcdef") != "" {
		return wire.AuditVerifyParams{}, cli.Usagef("--was is %q; write the number of the entry, a colon and its checksum, of which 16 digits are enough, such as 4711:9f86d081884c7d65", was)
	}
	return wire.AuditVerifyParams{Seq: seq, Sum: sum}, nil
}

// printVerified says what was checked.
func printVerified(out io.Writer, r wire.AuditVerifyResult, noted wire.AuditVerifyParams) error {
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
	if r.Noted {
		text += fmt.Sprintf("entry %d is the one that was noted\n", noted.Seq)
	}
	_, err := io.WriteString(cli.ToTerminal(out), text)
	return err
}
