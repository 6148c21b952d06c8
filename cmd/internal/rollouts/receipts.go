package rollouts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// receipts is one run of `vedette receipts`.
type receipts struct {
	remote.Client
	list   cli.List[wire.HostReceipt]
	failed bool
	result wire.ReceiptsResult // the last answer
}

// NewReceipts makes the command `vedette receipts`.
func NewReceipts() *cobra.Command {
	r := &receipts{}
	cmd := &cobra.Command{
		Use:   "receipts NAME",
		Short: "Show how far a pushed inspector is on each of its hosts",
		Long: `Show how far the current revision of a pushed inspector is on each host that it
is for: pending, received, verified, loaded, healthy; or failed, or refused by
the host's own configuration, with the reason. RUNNING is the revision that goes
on where the current one failed.

Exit status 8 tells that it failed, or was refused, on some host.`,
		Example: "  vedette receipts disk\n  vedette receipts disk --failed\n  vedette receipts disk --watch\n" +
			"  vedette receipts disk --json | jq 'select(.state == \"failed\") | .host'",
		Args: cli.NameAndRevisions(0),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
	}
	r.list = cli.List[wire.HostReceipt]{
		Columns: receiptColumns,
		Name:    func(h wire.HostReceipt) string { return h.Host },
		Empty:   func() string { return receiptsLine(r.result) },
		After: func(w io.Writer, _ []wire.HostReceipt, _ time.Time) error {
			_, err := fmt.Fprintf(w, "\n%s\n", cli.Printable(receiptsLine(r.result)))
			return err
		},
	}
	r.Flags(cmd)
	cmd.Flags().BoolVar(&r.failed, "failed", false, "show only hosts where it failed or was refused")
	r.list.Flags(cmd, "print one JSON object a line, one for each host")
	return cmd
}

func (r *receipts) run(cmd *cobra.Command, name string) error {
	if r.list.Watching() && cli.TerminalWidth(cmd.OutOrStdout()) == 0 {
		return r.follow(cmd, name) // events miss no state in between
	}
	err := remote.List(&r.Client, cmd, &r.list, func(s *remote.Session) ([]wire.HostReceipt, error) {
		result, err := remote.Call(s, wire.CatalogReceipts, wire.CatalogParams{Name: name})
		return r.take(result), err
	})
	if err == nil && r.result.Summary.Failed+r.result.Summary.Refused > 0 {
		return cli.Exit(cli.ExitRollout, nil)
	}
	return err
}

// take stores the counts, and returns the receipts to show.
func (r *receipts) take(result wire.ReceiptsResult) []wire.HostReceipt {
	if r.failed {
		result.Receipts = slices.DeleteFunc(result.Receipts, func(h wire.HostReceipt) bool { return !unwell(h) })
	}
	r.result = result
	return result.Receipts
}

// unwell reports whether a host failed or refused an inspector.
func unwell(h wire.HostReceipt) bool {
	return h.State == wire.ReceiptFailed || h.State == wire.ReceiptRefused
}

// receiptColumns are the columns of a table of receipts.
func receiptColumns(now time.Time) []cli.Column[wire.HostReceipt] {
	return []cli.Column[wire.HostReceipt]{
		{Name: "host", Last: true, Cell: func(h wire.HostReceipt) string { return h.Host }},
		{Name: "state", Cell: func(h wire.HostReceipt) string { return h.State }},
		cli.ID("revision", func(h wire.HostReceipt) string { return h.Revision }),
		cli.ID("running", func(h wire.HostReceipt) string { return h.Running }),
		cli.Since(now, func(h wire.HostReceipt) int64 { return h.AtMS }),
		{Name: "reason", Cell: func(h wire.HostReceipt) string {
			return cli.OrDash(strings.ReplaceAll(receiptReason(h), "\n", "; "))
		}},
	}
}

// receiptsLine counts the hosts of an inspector by state.
func receiptsLine(result wire.ReceiptsResult) string {
	s := result.Summary
	if result.Revision == "" {
		return result.Inspector + " has no current revision, so no host runs it"
	}
	return fmt.Sprintf("%s %s: %d healthy, %d failed, %d refused, %d pending of %d hosts",
		result.Inspector, cli.ShortID(result.Revision), s.Healthy, s.Failed, s.Refused, s.Pending, s.Hosts)
}

// follow prints the receipts on each new connection, and then each that changes.
func (r *receipts) follow(cmd *cobra.Command, name string) error {
	if err := r.list.Check(); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	table := &cli.Table{Out: out}
	e := &remote.Events{Client: &r.Client, Pattern: "receipts/*/" + name}
	e.Subscribed = func(ctx context.Context, p *rpc.Peer) error {
		result, err := wire.CatalogReceipts.Call(ctx, p, wire.CatalogParams{Name: name})
		if err != nil {
			return err
		}
		var text bytes.Buffer // in one write, because events are printed meanwhile
		if err := r.list.Write(&text, r.take(result), time.Now()); err != nil {
			return err
		}
		_, err = out.Write(text.Bytes())
		return err
	}
	e.Show = func(e remote.Event) error {
		var h wire.HostReceipt
		if json.Unmarshal(e.Data, &h) != nil || h.Inspector != name || r.failed && !unwell(h) {
			return nil
		}
		if !r.list.ForPeople() {
			return r.list.Write(out, []wire.HostReceipt{h}, time.Now())
		}
		return table.Row(cli.Clock(time.UnixMilli(h.AtMS)), h.Host, h.State, cli.ShortID(h.Revision), strings.ReplaceAll(receiptReason(h), "\n", "; "))
	}
	return e.Run(cmd)
}
