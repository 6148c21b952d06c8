package mesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// boost is one run of `vedette boost`.
type boost struct {
	watch
	params           wire.BoostParams
	interval, length time.Duration
}

// NewBoost makes the command `vedette boost`.
func NewBoost() *cobra.Command {
	b := &boost{}
	cmd := &cobra.Command{
		Use:   "boost HOST INSPECTOR",
		Short: "Run an inspector faster while you watch it",
		Long: `Run an inspector of one host faster, up to ten times a second within its budget, and
print its samples as they come. Samples are still stored at the inspector's own
interval. The boost ends with this command, at ^C, or when the connection is lost. If
several people boost one inspector, the fastest interval wins.

Boosting is for operators.`,
		Example: "  vedette boost web-1 disk\n  vedette boost web-1 load --interval 250ms --for 1m\n  vedette boost web-1 load --json | jq .data.val",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				return errors.New("vedette boost needs a HOST and an INSPECTOR, such as web-1 disk")
			case len(args) > 2:
				return fmt.Errorf("vedette boost takes a HOST and an INSPECTOR, but got %q too", args[2])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return b.run(cmd, args[0], args[1]) },
	}
	b.Flags(cmd)
	b.linesFlag(cmd)
	b.JSONFlag(cmd, "print one JSON object a line: {path, data}")
	cmd.Flags().DurationVar(&b.interval, "interval", inspectors.MinInterval, "run it every `DURATION`")
	cmd.Flags().DurationVar(&b.length, "for", 0, "end after this `DURATION` (default: at ^C)")
	return cmd
}

func (b *boost) run(cmd *cobra.Command, host, inspector string) error {
	switch {
	case b.interval < inspectors.MinInterval || b.interval > inspectors.MaxInterval:
		return cli.Usagef("--interval is %v; it must be between %v and %v", b.interval, inspectors.MinInterval, inspectors.MaxInterval)
	case cmd.Flags().Changed("for") && b.length <= 0:
		return cli.Usagef("--for is %v; it must be above 0", b.length)
	}
	for name, err := range map[string]error{"HOST": inspectors.ValidateHost(host), "INSPECTOR": inspectors.ValidateKey(inspector)} {
		if err != nil {
			return cli.Usagef("%s: %v", name, err)
		}
	}
	b.params = wire.BoostParams{Host: host, Inspector: inspector, IntervalMS: b.interval.Milliseconds()}
	path := "metrics/" + host + "/" + inspector
	b.pattern = path + "*"
	b.of = func(e remote.Event) bool { // the pattern matches other inspectors too
		return e.Path == path || strings.HasPrefix(e.Path, path+"/")
	}
	b.subscribed = b.start
	if b.length > 0 {
		ctx, cancel := context.WithTimeout(cmd.Context(), b.length)
		defer cancel()
		cmd.SetContext(ctx)
	}
	return b.watch.run(cmd)
}

// start begins the boost on a new connection; the boost ends with the connection. On a
// later connection the agent may itself still be reconnecting, so an error is not final.
func (b *boost) start(ctx context.Context, p *rpc.Peer) error {
	_, err := wire.BoostsStart.Call(ctx, p, b.params)
	if err != nil && b.events.Connected() {
		return errors.New(err.Error())
	}
	return err
}
