package mesh

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// list runs a list with what ask gets from the master. One that watches makes
// another connection when the one that it has is lost.
func list[T any](c *client, cmd *cobra.Command, l *cli.List[T], ask func(*session) ([]T, error)) error {
	if err := l.Check(); err != nil {
		return err
	}
	ctx := cmd.Context()
	if l.Watching() {
		var stop context.CancelFunc
		ctx, stop = cli.UntilStopped(cmd)
		defer stop()
		cmd.SetContext(ctx) // it ends what waits for an answer too
	}
	var s *session
	hangUp := func() {
		if s != nil {
			s.close()
			s = nil
		}
	}
	defer hangUp()
	return l.Run(ctx, cmd, func() ([]T, error) {
		if s != nil && s.peer.Err() != nil {
			hangUp()
		}
		if s == nil {
			var err error
			if s, err = c.open(cmd); err != nil {
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

// get calls a method by its row.
func get[P, R any](s *session, m wire.Method[P, R], params P) (R, error) {
	var result R
	err := s.call(m.Name, params, &result)
	return result, err
}

// toFlag adds --to, for lists of what is on hosts.
func toFlag(cmd *cobra.Command, to *string, what string) {
	cmd.Flags().StringVar(to, "to", "", "only "+what+" that this label `SELECTOR` selects, such as role=db or 'zone in (a,b)'")
}
