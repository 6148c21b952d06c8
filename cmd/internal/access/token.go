package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// TokenCommands makes the commands that work on the tokens of a running master.
func TokenCommands() []*cobra.Command {
	return []*cobra.Command{newTokenCreate(), newTokenList(), newTokenRevoke()}
}

func newTokenCreate() *cobra.Command {
	var c remote.Client
	var params wire.TokenParams
	var length, file string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token on the running master",
		Long: `Make a token on the running master, which takes it at once: no configuration changes,
and nothing is started again. The master stores only its checksum, so the token itself
is shown only once. It is for admins.

An agent's token stands for one host. A viewer may look, an operator may change
what runs, an admin may also change who may do what. A viewer or an operator may be
bound to the hosts that a selector selects: it sees and changes nothing of the others.`,
		Example: `  vedette token create --host pi-7
  vedette token create --role operator --name ci --for 90d --out ci.token
  vedette token create --role viewer --name wall
  vedette token create --role operator --name dba --hosts role=db`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if length != "" {
				d, err := cli.ParseLength(length)
				if err != nil {
					return cli.Usagef("--for: %v", err)
				}
				params.ForMS = d.Milliseconds()
			}
			made, err := remote.CallOnce(cmd, &c, wire.TokensCreate, params)
			if err != nil {
				return err
			}
			if file != "" {
				if err := cli.WriteSecret("token", file, []byte(made.Token+"\n")); err != nil {
					return fmt.Errorf("%w; the token %q is of no use now: revoke it", err, made.Info.Name)
				}
				made.Token = ""
			}
			if c.JSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			return printCreated(cmd.OutOrStdout(), &made, file)
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Role, "role", config.RoleAgent, "its `ROLE`: agent, viewer, operator or admin")
	cmd.Flags().StringVar(&params.Host, "host", "", "the `HOST` that an agent's token stands for")
	cmd.Flags().StringVar(&params.Hosts, "hosts", "", "bind a viewer or operator to the hosts of this `SELECTOR`, such as role=db (default: all)")
	cmd.Flags().StringVar(&params.Name, "name", "", "the `NAME` of its owner (default: the host)")
	cmd.Flags().StringVar(&length, "for", "", "let it be good for this `DURATION`, such as 24h or 90d (default: until it is revoked)")
	cmd.Flags().StringVar(&file, "out", "", "write the token into a new `FILE` that only you can read, instead of printing it")
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

func printCreated(w io.Writer, made *wire.TokenCreated, file string) error {
	if file != "" {
		fmt.Fprintf(w, "The token is in %s.\n\n", cli.Printable(file))
	} else {
		fmt.Fprintf(w, "The token, shown this once:\n\n  %s\n\n", cli.Printable(made.Token))
	}
	_, err := fmt.Fprintf(cli.ToTerminal(w), "It is for %s, and good %s. Take it back with: vedette token revoke %q\n",
		cli.Printable(tokenFor(&made.Info)), tokenEnd(&made.Info, time.Now()), cli.Printable(made.Info.Name))
	return err
}

func tokenFor(t *wire.TokenInfo) string {
	if t.Host != "" {
		return "the agent of host " + t.Host
	}
	if t.Hosts != "" {
		return "the " + t.Role + " " + t.Name + " of the hosts with " + t.Hosts
	}
	return "the " + t.Role + " " + t.Name
}

func tokenEnd(t *wire.TokenInfo, now time.Time) string {
	switch {
	case t.EndsMS == 0:
		return "until it is revoked"
	case t.Ended:
		return "no more: it has ended"
	}
	end := time.UnixMilli(t.EndsMS)
	return fmt.Sprintf("until %s (%s)", end.Local().Format("2006-01-02 15:04"), end.Sub(now).Round(time.Minute))
}

func newTokenList() *cobra.Command {
	var c remote.Client
	l := cli.List[wire.TokenInfo]{
		Columns: tokenColumns,
		Name:    func(t wire.TokenInfo) string { return t.Name },
		Empty:   func() string { return "There is no token; make one with `vedette token create`." },
	}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens of the running master",
		Long: `List the tokens of the running master, with their roles and their ends. It does not
show the tokens themselves, which no master knows. It is for operators.`,
		Example: "  vedette token list\n  vedette token list --json | jq 'select(.ends_ms == null)'",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c, cmd, &l, func(s *remote.Session) ([]wire.TokenInfo, error) {
				result, err := remote.Call(s, wire.TokensList, wire.Empty{})
				return result.Tokens, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each token")
	return cmd
}

func tokenColumns(now time.Time) []cli.Column[wire.TokenInfo] {
	return []cli.Column[wire.TokenInfo]{
		{Name: "name", Last: true, Cell: func(t wire.TokenInfo) string { return t.Name }},
		{Name: "role", Cell: func(t wire.TokenInfo) string { return t.Role }},
		{Name: "host", Cell: func(t wire.TokenInfo) string { return cli.OrDash(cmp.Or(t.Host, t.Hosts)) }},
		{Name: "made by", Cell: func(t wire.TokenInfo) string {
			if t.Source == wire.TokenOfConfiguration {
				return t.Source
			}
			return cli.OrDash(t.By)
		}},
		{Name: "good", By: func(t wire.TokenInfo) float64 { return float64(t.EndsMS) }, Cell: func(t wire.TokenInfo) string {
			if t.Source == wire.TokenOfConfiguration {
				return "while it is there"
			}
			return tokenEnd(&t, now)
		}},
	}
}

func newTokenRevoke() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:   "revoke TOKEN",
		Short: "Revoke a token at once",
		Long: `Revoke the token of that name. The master refuses it from then on, and closes the
connections that were made with it. It is for admins.`,
		Example: "  vedette token revoke ci",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("vedette token revoke needs the name of one token; `vedette token list` has them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := remote.CallOnce(cmd, &c, wire.TokensRevoke, wire.TokenRevokeParams{Name: args[0]}); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "The token %q is revoked.\n", cli.Printable(args[0]))
			return err
		},
	}
	c.Flags(cmd)
	return cmd
}
