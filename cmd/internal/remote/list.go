package remote

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
)

// List runs a list with answers of the master. A watching list connects again after a lost
// connection.
func List[T any](c *Client, cmd *cobra.Command, l *cli.List[T], ask func(*Session) ([]T, error)) error {
	if err := l.Check(); err != nil {
		return err
	}
	ctx := cmd.Context()
	if l.Watching() {
		var stop context.CancelFunc
		ctx, stop = cli.UntilStopped(cmd)
		defer stop()
		cmd.SetContext(ctx) // closing also ends a pending call
	}
	var s *Session
	hangUp := func() {
		if s != nil {
			s.Close()
			s = nil
		}
	}
	defer hangUp()
	return l.Run(ctx, cmd, func() ([]T, error) {
		if s != nil && s.Peer.Err() != nil {
			hangUp()
		}
		if s == nil {
			var err error
			if s, err = c.Open(cmd); err != nil {
				return nil, err
			}
		}
		all, err := ask(s)
		if cli.Status(err) == cli.ExitUnreachable {
			hangUp()
		}
		return all, err
	})
}

// ToFlag adds --to for lists of things on hosts.
func ToFlag(cmd *cobra.Command, to *string, what string) {
	cmd.Flags().StringVar(to, "to", "", "only "+what+" that this label `SELECTOR` selects, such as role=db or 'zone in (a,b)'")
}

// SelectorText describes the hosts of a selector.
func SelectorText(selector string) string {
	if selector == "" {
		return "every host"
	}
	return selector
}
