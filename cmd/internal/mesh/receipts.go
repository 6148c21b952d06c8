package mesh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// receipts is one run of the command of that name.
type receipts struct {
	client
	failed, watch bool
}

// NewReceipts makes the command of that name.
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
		Example: "  vedette receipts disk\n  vedette receipts disk --failed\n  vedette receipts disk --watch\n  vedette receipts disk --json | jq 'select(.state == \"failed\") | .host'",
		Args:    nameAndRevisions(0),
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&r.failed, "failed", false, "show only hosts where it failed or was refused")
	cmd.Flags().BoolVar(&r.watch, "watch", false, "go on with a line for each change, until ^C")
	r.jsonFlag(cmd, "print one JSON object a line, one for each host")
	return cmd
}

func (r *receipts) run(cmd *cobra.Command, name string) error {
	if r.watch {
		return r.follow(cmd, name)
	}
	var result wire.ReceiptsResult
	if err := r.call(cmd, wire.CatalogReceipts.Name, wire.CatalogParams{Name: name}, &result); err != nil {
		return err
	}
	if err := r.print(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	if result.Summary.Failed+result.Summary.Refused > 0 {
		return cli.Exit(cli.ExitRollout, nil)
	}
	return nil
}

func (r *receipts) print(w io.Writer, result wire.ReceiptsResult) error {
	if r.failed {
		result.Receipts = slices.DeleteFunc(result.Receipts, func(h wire.HostReceipt) bool { return !unwell(h) })
	}
	if r.json {
		return cli.PrintLines(w, result.Receipts)
	}
	return printReceipts(w, result, time.Now())
}

// unwell reports whether a host did not do well with an inspector.
func unwell(h wire.HostReceipt) bool {
	return h.State == wire.ReceiptFailed || h.State == wire.ReceiptRefused
}

// printReceipts writes a table of hosts and a line that counts them all.
func printReceipts(w io.Writer, result wire.ReceiptsResult, now time.Time) error {
	if len(result.Receipts) > 0 {
		table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(table, "HOST\tSTATE\tREVISION\tRUNNING\tSINCE\tREASON")
		for _, h := range result.Receipts {
			fmt.Fprintln(table, cli.Printable(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", h.Host, h.State, shortID(h.Revision), shortID(h.Running),
				cli.Ago(now, h.AtMS), cli.OrDash(strings.ReplaceAll(receiptReason(h), "\n", "; ")))))
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	s := result.Summary
	_, err := fmt.Fprintln(w, cli.Printable(fmt.Sprintf("%s %s: %d healthy, %d failed, %d refused, %d pending of %d hosts",
		result.Inspector, shortID(result.Revision), s.Healthy, s.Failed, s.Refused, s.Pending, s.Hosts)))
	return err
}

// follow shows the receipts on each connection, and then each that changes.
func (r *receipts) follow(cmd *cobra.Command, name string) error {
	w := &watch{client: r.client, pattern: "receipts/*/" + name}
	w.subscribed = func(ctx context.Context, p *rpc.Peer) error {
		result, err := wire.CatalogReceipts.Call(ctx, p, wire.CatalogParams{Name: name})
		if err != nil {
			return err
		}
		var text bytes.Buffer // in one piece: events are printed meanwhile
		if err := r.print(&text, result); err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(text.Bytes())
		return err
	}
	w.replace = func(e event) (bool, error) {
		var h wire.HostReceipt
		if json.Unmarshal(e.Data, &h) != nil || h.Inspector != name || r.failed && !unwell(h) {
			return true, nil
		}
		if r.json {
			return true, cli.PrintLines(w.out, []wire.HostReceipt{h})
		}
		return true, w.table.Row(cli.Clock(time.UnixMilli(h.AtMS)), h.Host, h.State, shortID(h.Revision), strings.ReplaceAll(receiptReason(h), "\n", "; "))
	}
	return w.run(cmd)
}
