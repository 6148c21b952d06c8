package access

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxAnswer bounds the size of an answer to a login.
const maxAnswer = 64 << 10

// login is one run of `vedette login`.
type login struct {
	remote.Client
	name, user, passwordFile, length string

	oidc, noBrowser bool
	port            uint16
}

// NewLogin makes the command `vedette login`.
func NewLogin() *cobra.Command {
	l := &login{}
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Log in to a master, for the commands after this",
		Long: `Log in to a master with your name and your password, which the terminal does not
show, with a token from --token-file, or with --oidc at the provider of the master, in
a browser on this machine. Commands that are given no other master or
token then use this one. What is kept is a token of yours with an end, in a file that
only you can read, "vedette/contexts.json" in your configuration folder, together with
the authority of --ca. "vedette context" lists the masters that you have logged in to,
"vedette logout" makes the token worthless.`,
		Example: `  vedette login https://m:50505
  vedette login https://m:50505 --ca authority.crt --user alice --context prod
  vedette login https://m:50505 --token-file ci.token
  vedette login https://m:50505 --oidc
  vedette login https://m:50505 --oidc --no-browser --port 18000  # after: ssh -L 18000:127.0.0.1:18000 HOST`,
		Args: cli.OneArg("URL"),
		RunE: func(cmd *cobra.Command, args []string) error { return l.run(cmd, args[0]) },
	}
	l.NoContext = true
	l.Flags(cmd)
	_ = cmd.Flags().MarkHidden("master")
	cmd.Flags().StringVar(&l.user, "user", "", "log in as `NAME` (default: your name on this machine)")
	cmd.Flags().StringVar(&l.passwordFile, "password-file", "", "take the password from the one line of `FILE`; - is standard input")
	cmd.Flags().StringVar(&l.length, "for", "30d", "stay logged in for this `DURATION`, such as 12h or 90d; with --oidc the master may shorten it")
	cmd.Flags().BoolVar(&l.oidc, "oidc", false, "log in at the master's provider, in a browser")
	cmd.Flags().BoolVar(&l.noBrowser, "no-browser", false, "with --oidc, print the link and open no browser")
	cmd.Flags().Uint16Var(&l.port, "port", 0, "with --oidc, have the browser come back to `PORT` of 127.0.0.1 (default: any free one)")
	cmd.MarkFlagsMutuallyExclusive("oidc", "user")
	cmd.MarkFlagsMutuallyExclusive("oidc", "password-file")
	cmd.MarkFlagsMutuallyExclusive("oidc", "token-file")
	cmd.Flags().StringVar(&l.name, "context", "", "keep it under `NAME` (default: the host of the URL)")
	return cmd
}

func (l *login) run(cmd *cobra.Command, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return cli.Usagef("%q is no address of a master; write it as https://m:50505", address)
	}
	if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
		return cli.Usagef("a password or a token would cross the network in clear to %s; write https://", u.Host)
	}
	length, err := cli.ParseLength(l.length)
	if err != nil {
		return cli.Usagef("--for: %v", err)
	}
	contexts, err := remote.LoadContexts()
	if err == nil {
		err = contexts.Kept() // before the master makes a token that cannot be kept
	}
	if err != nil {
		return err
	}
	l.SetMaster(address)
	o, err := l.DialOptions(cmd)
	if err != nil {
		return err
	}
	x := remote.Context{URL: strings.TrimRight(address, "/")}
	if l.CA != "" {
		pem, err := os.ReadFile(l.CA)
		if err != nil {
			return fmt.Errorf("cannot read the authorities: %w", err)
		}
		x.CA = string(pem)
	}
	if l.oidc {
		l.Dialed.Header = nil // a token in the environment is not whom to log in
		err = l.byProvider(cmd, length, &x)
	} else if token := strings.TrimPrefix(o.Header.Get("Authorization"), "Bearer "); token != "" {
		err = l.byToken(cmd, token, &x)
	} else {
		err = l.byPassword(cmd, length, &x)
	}
	if err != nil {
		return err
	}
	name := cmp.Or(l.name, u.Hostname())
	if old, ok := contexts.All[name]; ok && l.name == "" && !remote.SameMaster(old.URL, x.URL) {
		name = u.Host // another master on that machine has the shorter name
	}
	before := contexts.All[name]
	contexts.All[name], contexts.Current = x, name
	if err := contexts.Save(); err != nil {
		return err
	}
	l.endBefore(cmd, name, before, x)
	_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "You are %s, with the role %s, %s. Commands now go to this master, as the context %q.\n",
		cli.Printable(x.User), cli.Printable(x.Role), until(x.EndsMS), cli.Printable(name))
	return err
}

// endBefore ends the session whose token was replaced in the context. If it cannot, it says
// so.
func (l *login) endBefore(cmd *cobra.Command, name string, before, now remote.Context) {
	if !strings.HasPrefix(before.Token, wire.LoginTokenPrefix) || before.Token == now.Token || before.Ended() {
		return
	}
	c := remote.Client{Timeout: l.Timeout}
	err := endToken(cmd, &c, &remote.Contexts{All: map[string]remote.Context{name: before}, Current: name}, name)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "The log-in before this one, at %s, is good %s: %s\n",
			cli.Printable(before.URL), until(before.EndsMS), cli.Printable(err.Error()))
	}
}

func until(endsMS int64) string {
	if endsMS == 0 {
		return "until the token ends"
	}
	return "until " + cli.Moment(endsMS)
}

// byToken asks the master who the token belongs to.
func (l *login) byToken(cmd *cobra.Command, token string, x *remote.Context) error {
	who, err := remote.CallOnce(cmd, &l.Client, wire.MasterLogin, wire.LoginParams{Token: token})
	x.Token, x.User, x.Role = token, who.Name, who.Role
	return err
}

// byPassword asks the master for a token of the user.
func (l *login) byPassword(cmd *cobra.Command, length time.Duration, x *remote.Context) error {
	if l.user == "" {
		me, err := user.Current()
		if err != nil {
			return cli.Usagef("say who you are with --user")
		}
		l.user = me.Username
	}
	password, err := cli.ReadPassword(cmd, "password-file", l.passwordFile, fmt.Sprintf("Password of %s: ", cli.Printable(l.user)), false)
	if err != nil {
		return err
	}
	var made wire.LoginAnswer
	asked := wire.LoginRequest{Name: l.user, Password: password, Token: true, ForMS: length.Milliseconds()}
	if err := askHTTP(cmd.Context(), &l.Client, http.MethodPost, wire.LoginPath, asked, &made); err != nil {
		return err
	}
	x.Token, x.User, x.Role, x.EndsMS = made.Token, made.Name, made.Role, made.EndsMS
	return nil
}

// askHTTP asks the master to log a user in or out, or how that is done.
func askHTTP(ctx context.Context, c *remote.Client, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	address, err := c.HTTPAddress(path)
	if err != nil {
		return err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return c.Explain(err)
	case response.StatusCode == http.StatusUnauthorized:
		return cli.Exit(cli.ExitRefused, fmt.Errorf("the master at %s: %s", c.URL, strings.TrimSpace(string(said))))
	case response.StatusCode >= http.StatusBadRequest:
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master at %s answered %d: %s", c.URL, response.StatusCode, strings.TrimSpace(string(said))))
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(said, into); err != nil {
		return cli.Exit(cli.ExitUnreachable, fmt.Errorf("cannot log in at %s: what answers there is no master", c.URL))
	}
	return nil
}

// NewLogout makes the command `vedette logout`.
func NewLogout() *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use:   "logout [CONTEXT]",
		Short: "Log out of a master",
		Long: `Make the token worthless that "vedette login" has got, of CONTEXT or of the current
one, and forget it. A token that you brought along yourself is only forgotten: revoke
it with "vedette token revoke".`,
		Example: "  vedette logout\n  vedette logout prod",
		Args:    cli.AtMostOneArg("CONTEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			contexts, err := remote.LoadContexts()
			if err != nil {
				return err
			}
			name := contexts.Current
			if len(args) == 1 {
				name = args[0]
			}
			x, err := find(contexts, name)
			if err != nil {
				return err
			}
			said := "is forgotten"
			if strings.HasPrefix(x.Token, wire.LoginTokenPrefix) && !x.Ended() {
				if said, err = "is worthless now", endToken(cmd, &c, contexts, name); err != nil {
					return err
				}
			}
			delete(contexts.All, name)
			if contexts.Current == name {
				contexts.Current = ""
			}
			if err := contexts.Save(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "You are logged out of %s: the token %s.\n", cli.Printable(x.URL), said)
			return err
		},
	}
	cmd.Flags().DurationVar(&c.Timeout, "timeout", 10*time.Second, "give up on an answer after this `DURATION`")
	return cmd
}

// endToken asks the master to end the session of a context. A session that has already
// ended is not an error.
func endToken(cmd *cobra.Command, c *remote.Client, contexts *remote.Contexts, name string) error {
	if err := c.Use(contexts, name); err != nil {
		return err
	}
	err := askHTTP(cmd.Context(), c, http.MethodDelete, wire.LoginPath, nil, nil)
	if err != nil && cli.Status(err) == cli.ExitRefused {
		return nil
	}
	return err
}

func find(contexts *remote.Contexts, name string) (remote.Context, error) {
	x, ok := contexts.All[name]
	switch {
	case ok:
		return x, nil
	case name == "":
		return x, errors.New("you are not logged in anywhere; log in with: vedette login URL")
	}
	return x, fmt.Errorf("there is no context %q; there are: %s", name, cmp.Or(strings.Join(contexts.Names(), ", "), "none"))
}

// NewContext makes the command `vedette context`.
func NewContext() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "context",
		Short:   "List the masters that you have logged in to, and choose one",
		Long:    `List the masters that you have logged in to with "vedette login". Commands go to the current one.`,
		Example: "  vedette context\n  vedette context use prod",
		Args:    cli.NoArgs,
		RunE:    listContexts,
	}
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the masters that you have logged in to",
		Long:    "List the masters that you have logged in to, with your role there and its end. A star marks the current one.",
		Example: "  vedette context list", Args: cli.NoArgs, RunE: listContexts,
	}, &cobra.Command{
		Use: "use CONTEXT", Short: "Have commands go to another master",
		Long:    "Have the commands after this go to the master of CONTEXT.",
		Example: "  vedette context use prod", Args: cli.OneArg("CONTEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			contexts, err := remote.LoadContexts()
			if err != nil {
				return err
			}
			x, err := find(contexts, args[0])
			if err != nil {
				return err
			}
			contexts.Current = args[0]
			if err := contexts.Save(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "Commands now go to %s.\n", cli.Printable(x.URL))
			return err
		},
	})
	return cmd
}

func listContexts(cmd *cobra.Command, _ []string) error {
	contexts, err := remote.LoadContexts()
	if err != nil {
		return err
	}
	if len(contexts.All) == 0 {
		_, err := fmt.Fprintln(cli.ToTerminal(cmd.OutOrStdout()), "You are not logged in anywhere; log in with: vedette login URL")
		return err
	}
	rows := [][]string{{" ", "CONTEXT", "MASTER", "USER", "ROLE", "GOOD"}}
	for _, name := range contexts.Names() {
		x := contexts.All[name]
		mark, good := " ", until(x.EndsMS)
		if name == contexts.Current {
			mark = "*"
		}
		if x.Ended() {
			good = "no more: log in again"
		}
		rows = append(rows, []string{mark, name, x.URL, x.User, x.Role, good})
	}
	table := cli.Table{Out: cmd.OutOrStdout()}
	for _, row := range rows {
		table.Fit(row...)
	}
	table.Squeeze(cli.TerminalWidth(cmd.OutOrStdout()))
	for _, row := range rows {
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return nil
}
