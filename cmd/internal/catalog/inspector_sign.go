package catalog

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorSign makes the command `vedette inspector sign`.
func NewInspectorSign() *cobra.Command {
	var c client
	var f remote.SignFlags
	var to, file string
	plan := rollouts.PlanFlags{}
	cmd := &cobra.Command{
		Use:   "sign NAME",
		Short: "Sign what is pushed already",
		Long: `Sign the current revision of a pushed inspector, for hosts that want a signature:
as the second step after a push from the page, or as the second of two signers. Its
hosts get the signature at once, without a rollout.

The signature says for which hosts it is, from when until when a host may begin with
the code, and has a number: a host that has run code with a higher one of the same
key refuses it. Read the code before you sign it, or give it with --file: then
nothing is signed if the code on the master differs.`,
		Example: `  vedette inspector sign disk --sign-key signing.pem
  vedette inspector sign disk --sign-key signing.pem --file disk.go --to role=db --until 30d`,
		Args: cli.OneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.Read(cmd); err != nil {
				return err
			}
			if !f.Signs() {
				return cli.Usagef("no key is given; give --sign-key FILE, as vedette key makes it")
			}
			var selector *string
			if cmd.Flags().Changed("to") {
				selector = &to
			}
			return c.sign(cmd, args[0], file, selector, &f, &plan)
		},
	}
	c.Flags(cmd)
	f.FlagsWith(cmd, "")
	cmd.Flags().StringVar(&to, "to", "", "sign it for hosts with the labels of this `SELECTOR` (default: the selector of the inspector)")
	cmd.Flags().StringVar(&file, "file", "", "sign only if the code is that of this `FILE`")
	cmd.Flags().BoolVar(&plan.NoWait, "no-wait", false, "do not wait until the hosts have decided")
	cmd.Flags().DurationVar(&plan.Wait, "wait", rollouts.WaitDefault, "wait for the hosts this `DURATION` at most")
	c.JSONFlag(cmd, "print one JSON object a line, as `push` does")
	return cmd
}

// sign signs the current revision of an inspector.
func (c *client) sign(cmd *cobra.Command, name, file string, selector *string, f *remote.SignFlags, plan *rollouts.PlanFlags) error {
	s, err := c.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: name})
	if err != nil {
		return err
	}
	if entry.Deleted {
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("inspector %q is deleted; there is nothing to sign", name))
	}
	revision, err := honest(s, name, entry.Current)
	if err != nil {
		return err
	}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot read the script: %w", err)
		}
		if string(text) != revision.Source {
			return cli.Exit(cli.ExitCheck, fmt.Errorf("nothing was signed: revision %s on the master is not the code in %q; look at vedette inspector show %s",
				cli.ShortID(revision.ID), file, name))
		}
	}
	if selector == nil {
		selector = &entry.Selector
	}
	params := wire.PushParams{Code: revision.Code, Version: &entry.Version, Signatures: f.Sign(revision.Code, *selector)}
	result, err := remote.Call(s, wire.CatalogPush, params)
	if err != nil {
		return err
	}
	if !c.JSON {
		text := fmt.Sprintf("%s %s is signed for %s, with number %d; its hosts get the signature\n",
			name, cli.ShortID(result.Revision), remote.SelectorText(*selector), f.Number())
		if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(text)); err != nil {
			return err
		}
	}
	return rollouts.Finish(cmd, &c.Client, name, result, plan)
}

// honest gets a revision from the master, to be signed. It fails if the code does not have
// the revision's id.
func honest(s *remote.Session, name, id string) (wire.Revision, error) {
	revision, err := revisionOf(s, name, id)
	if err != nil {
		return revision, err
	}
	if ours := wire.RevisionOf(revision.Code); ours != revision.ID || !strings.HasPrefix(ours, id) || revision.Name != name {
		return revision, cli.Exit(cli.ExitAnswer, fmt.Errorf("nothing was signed: the master calls revision %s of %s what is %s of %s",
			cli.ShortID(revision.ID), name, cli.ShortID(ours), revision.Name))
	}
	return revision, nil
}
