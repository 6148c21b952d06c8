package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewUsers makes the command `vedette users`.
func NewUsers() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List, make and change the people who may log in",
		Long: `The people who may log in to the page and with "vedette login": their names, their
roles, and their passwords, of which the master keeps an Argon2id hash. A viewer may
look, an operator may change what runs, an admin may also change who may do what.
Without a command it lists them. It is for admins, except for one's own password and
one's own sessions.`,
		Example: `  vedette users
  vedette users add alice --role operator
  vedette users passwd`,
		Args: cli.NoArgs,
	}
	list := newUsersList()
	cmd.RunE = list.RunE
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, newUsersAdd(), newUsersRole(), newUsersPasswd(), newUsersLink(), newUsersLogout(), newUsersRemove())
	return cmd
}

func newUsersList() *cobra.Command {
	var c remote.Client
	l := cli.List[wire.UserInfo]{
		Columns: userColumns,
		Name:    func(u wire.UserInfo) string { return u.Name },
		Empty:   func() string { return "There is no user; make one with `vedette users add USER`." },
	}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the users",
		Long: `List the users of the running master: their roles, whether they have chosen a
password, and their sessions. It is for admins.`,
		Example: "  vedette users list\n  vedette users list --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c, cmd, &l, func(s *remote.Session) ([]wire.UserInfo, error) {
				result, err := remote.Call(s, wire.UsersList, wire.Empty{})
				return result.Users, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each user")
	return cmd
}

func userColumns(now time.Time) []cli.Column[wire.UserInfo] {
	return []cli.Column[wire.UserInfo]{
		{Name: "name", Last: true, Cell: func(u wire.UserInfo) string { return u.Name }},
		{Name: "role", Cell: func(u wire.UserInfo) string { return u.Role }},
		{Name: "hosts", Cell: func(u wire.UserInfo) string { return cmp.Or(u.Hosts, "all") }},
		{Name: "password", By: func(u wire.UserInfo) float64 { return float64(u.ChangedMS) }, Cell: func(u wire.UserInfo) string {
			switch {
			case u.Provider != "":
				return "at " + hostOf(u.Provider)
			case u.LinkMS != 0:
				return "link until " + cli.Moment(u.LinkMS)
			case u.ChangedMS != 0:
				return "set " + cli.Ago(now, u.ChangedMS)
			}
			return "none"
		}},
		{Name: "sessions", By: func(u wire.UserInfo) float64 { return float64(u.Sessions) }, Cell: func(u wire.UserInfo) string { return fmt.Sprint(u.Sessions) }},
		cli.When("used", now, func(u wire.UserInfo) int64 { return u.UsedMS }),
		{Name: "made by", Cell: func(u wire.UserInfo) string {
			if u.Provider != "" {
				return hostOf(u.By)
			}
			return cli.OrDash(u.By)
		}},
	}
}

// hostOf returns the host of an address, or the address if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host
}

func newUsersAdd() *cobra.Command {
	var c remote.Client
	var params wire.UserParams
	var file string
	cmd := &cobra.Command{
		Use:   "add USER",
		Short: "Make a user",
		Long: `Make a user, and print a link with which the user chooses a password: it is good
once, for three days. With --password-file the user has that password instead. It is
for admins.`,
		Example: `  vedette users add alice --role operator
  pwgen 20 1 | tee bob.password | vedette users add bob --password-file -`,
		Args: cli.OneArg("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			params.Name = args[0]
			if file != "" {
				var err error
				if params.Password, err = cli.ReadPassword(cmd, "password-file", file, "", false); err != nil {
					return err
				}
			}
			made, err := remote.CallOnce(cmd, &c, wire.UsersAdd, params)
			if err != nil {
				return err
			}
			return printMade(cmd, &c, &made, "is made")
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Role, "role", config.RoleViewer, "the `ROLE`: viewer, operator or admin")
	hostsFlag(cmd, &params.Hosts)
	passwordFlag(cmd, &file)
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

func hostsFlag(cmd *cobra.Command, hosts *string) {
	cmd.Flags().StringVar(hosts, "hosts", "", "bind a viewer or operator to the hosts of this `SELECTOR`, such as role=db (default: all)")
}

func passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", "take the password from the one line of `FILE`; - is standard input")
}

// printMade prints a user, and the link if there is one.
func printMade(cmd *cobra.Command, c *remote.Client, made *wire.UserMade, what string) error {
	out := cmd.OutOrStdout()
	if c.JSON {
		return json.NewEncoder(out).Encode(made)
	}
	name := cli.Printable(made.User.Name)
	if made.Link == "" {
		_, err := fmt.Fprintf(out, "User %q %s, with the role %s%s.\n", name, what, cli.Printable(made.User.Role), ofHosts(made.User.Hosts))
		return err
	}
	return printLink(out, name, reachable(c.URL)+wire.LinkFragment+made.Link, made.User.LinkMS)
}

// ofHosts says which hosts a role is for, if it is not for all.
func ofHosts(selector string) string {
	if selector == "" {
		return ""
	}
	return " for the hosts with " + cli.Printable(selector)
}

func printLink(w io.Writer, name, link string, endsMS int64) error {
	_, err := fmt.Fprintf(w, "Whoever opens this chooses the password of %q, once, until %s:\n\n  %s\n", name, cli.Moment(endsMS), cli.Printable(link))
	return err
}

func newUsersRole() *cobra.Command {
	var c remote.Client
	var hosts string
	cmd := &cobra.Command{
		Use:   "role USER ROLE",
		Short: "Give a user another role",
		Long: `Give a user another role: viewer, operator or admin. Pages that the user has open
connect again, with what the new role allows. Without --hosts the role is for all
hosts. It is for admins, and not for their own.`,
		Example: "  vedette users role alice admin\n  vedette users role bob operator --hosts role=db",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("%s needs USER and ROLE", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := remote.CallOnce(cmd, &c, wire.UsersRole, wire.UserRoleParams{Name: args[0], Role: args[1], Hosts: hosts})
			if err != nil {
				return err
			}
			return printMade(cmd, &c, &wire.UserMade{User: u}, "is changed")
		},
	}
	c.Flags(cmd)
	hostsFlag(cmd, &hosts)
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

func newUsersPasswd() *cobra.Command {
	var c remote.Client
	var file, oldFile string
	cmd := &cobra.Command{
		Use:   "passwd [USER]",
		Short: "Change a password",
		Long: `Change your own password, for which the old one is asked, or as an admin that of
USER. The terminal does not show what you type. The user's other sessions end.`,
		Example: `  vedette users passwd
  vedette users passwd alice
  vedette users passwd alice --password-file new.txt`,
		Args: cli.AtMostOneArg("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p wire.UserPasswordParams
			var err error
			if len(args) == 1 {
				p.Name = args[0]
			}
			if p.Name == "" || oldFile != "" {
				if p.Old, err = cli.ReadPassword(cmd, "old-password-file", oldFile, "Old password: ", false); err != nil {
					return err
				}
			}
			if p.Password, err = cli.ReadPassword(cmd, "password-file", file, "New password: ", true); err != nil {
				return err
			}
			if _, err := remote.CallOnce(cmd, &c, wire.UsersPasswd, p); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "The password is changed; the other sessions have ended.")
			return err
		},
	}
	c.Flags(cmd)
	passwordFlag(cmd, &file)
	cmd.Flags().StringVar(&oldFile, "old-password-file", "", "take the old password from the one line of `FILE`; - is standard input")
	return cmd
}

func newUsersLink() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:   "link USER",
		Short: "Make a link for choosing a password",
		Long: `Make a link with which a user who has forgotten the password chooses another. It works
once, within three days, and replaces the link before it. The old password stays valid
until the link is used. It is for admins.`,
		Example: "  vedette users link alice",
		Args:    cli.OneArg("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			made, err := remote.CallOnce(cmd, &c, wire.UsersLink, wire.UserNameParams{Name: args[0]})
			if err != nil {
				return err
			}
			return printMade(cmd, &c, &made, "is changed")
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

func newUsersLogout() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:   "logout [USER]",
		Short: "End the sessions of a user",
		Long: `End all of your own other sessions, in browsers and of "vedette login", or as an
admin those of USER.`,
		Example: "  vedette users logout\n  vedette users logout alice",
		Args:    cli.AtMostOneArg("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p wire.UserNameParams
			if len(args) == 1 {
				p.Name = args[0]
			}
			result, err := remote.CallOnce(cmd, &c, wire.UsersLogout, p)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s ended.\n", cli.Counted(result.Sessions, "session has", "sessions have"))
			return err
		},
	}
	c.Flags(cmd)
	return cmd
}

func newUsersRemove() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:     "remove USER",
		Short:   "Remove a user",
		Long:    `Remove a user, whose sessions end at once. It is for admins.`,
		Example: "  vedette users remove alice",
		Args:    cli.OneArg("USER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := remote.CallOnce(cmd, &c, wire.UsersRemove, wire.UserNameParams{Name: args[0]}); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "User %q is removed.\n", cli.Printable(args[0]))
			return err
		},
	}
	c.Flags(cmd)
	return cmd
}
