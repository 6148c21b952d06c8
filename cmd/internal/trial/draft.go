package trial

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// readDraft reads and checks the script in a file. It does not set the interval.
func readDraft(file string) (wire.Code, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return wire.Code{}, fmt.Errorf("cannot read the script: %w", err)
	}
	d, err := config.FileDefinition(file)
	if err != nil {
		return wire.Code{}, err
	}
	if faults := check.Definition(d); len(faults) > 0 {
		return wire.Code{}, faults
	}
	return wire.Code{Name: d.Name, File: filepath.Base(file), Source: string(source)}, nil
}

// converse connects to the master, calls talk with the events of trials in order, and
// closes the connection. ctx ends when the command is stopped; dialing also fails after the
// timeout of a call.
func (c *client) converse(cmd *cobra.Command, talk func(ctx, dialing context.Context, peer *rpc.Peer, events <-chan wire.TrialEvent) error) error {
	o, err := c.DialOptions(cmd)
	if err != nil {
		return err
	}
	events := make(chan wire.TrialEvent, 256)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyTrial.Name, rpc.Method(func(ctx context.Context, e wire.TrialEvent) (wire.Empty, error) {
		select {
		case events <- e:
		case <-ctx.Done():
		}
		return wire.Empty{}, nil
	}))
	o.Handler = mux
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	dialing, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	peer, err := rpc.Dial(dialing, c.URL, o)
	if err != nil {
		return c.Explain(err)
	}
	defer peer.Wait()
	defer peer.Close(rpc.CloseNormal, "")
	return talk(ctx, dialing, peer, events)
}
