package access

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// joinToken is one run of `vedette join-token`.
type joinToken struct {
	remote.Client
	params       wire.JoinTokenParams
	role, length string
	labels       []string
	address      string
}

// NewJoinToken makes the command `vedette join-token`.
func NewJoinToken() *cobra.Command {
	j := &joinToken{}
	cmd := &cobra.Command{
		Use:   "join-token",
		Short: "Make a token with which hosts join",
		Long: `Make a join token on the running master, and print the one line to paste on each host.
The token pins the master's authority, lets in a limited number of hosts for a limited
time, and is good for nothing else. It is for admins.

A host's name belongs to the host that took it first. With --host the token is for
that one host, even if it was revoked or has lost its key.`,
		Example: `  vedette join-token
  vedette join-token --labels role=db,site=berlin --uses 50 --for 24h
  vedette join-token --host web-1
  vedette join-token --approve --uses 1000 --for 7d`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return j.make(cmd) },
	}
	j.Flags(cmd)
	cmd.Flags().StringVar(&j.role, "role", config.RoleAgent, "the `ROLE` of the hosts; agent is the only one")
	cmd.Flags().StringSliceVar(&j.labels, "labels", nil, "write the labels `KEY=VALUE,…` into the configuration of the hosts")
	cmd.Flags().StringVar(&j.params.Host, "host", "", "let in this `HOST` alone, also in place of one that has joined under its name")
	cmd.Flags().StringVar(&j.params.Name, "name", "", "the `NAME` by which it is listed and revoked (default: one is made up)")
	cmd.Flags().IntVar(&j.params.Uses, "uses", 1, "let at most `N` hosts join with it")
	cmd.Flags().StringVar(&j.length, "for", "24h", "let it be good for this `DURATION`, such as 24h or 7d")
	cmd.Flags().BoolVar(&j.params.Approve, "approve", false, "have each host wait until `vedette hosts approve` lets it in")
	cmd.Flags().StringVar(&j.address, "url", "", "the `URL` under which hosts reach the master (default: the one of this command, with the name of this machine for loopback)")
	j.JSONFlag(cmd, "print one JSON object")
	return cmd
}

func (j *joinToken) make(cmd *cobra.Command) error {
	if j.role != config.RoleAgent {
		return cli.Usagef("only agents join; people and pipelines get theirs with `vedette token create --role %s`", j.role)
	}
	if j.params.Uses < 1 {
		return cli.Usagef("--uses is %d; it must be at least 1", j.params.Uses)
	}
	length, err := cli.ParseLength(j.length)
	if err != nil {
		return cli.Usagef("--for: %v", err)
	}
	j.params.ForMS = length.Milliseconds()
	for _, label := range j.labels {
		name, value, ok := strings.Cut(label, "=")
		if !ok || name == "" || value == "" {
			return cli.Usagef("--labels: %q is not a label; write KEY=VALUE", label)
		}
		if j.params.Labels == nil {
			j.params.Labels = make(map[string]string)
		}
		j.params.Labels[name] = value
	}
	made, err := remote.CallOnce(cmd, &j.Client, wire.TokensJoin, j.params)
	if err != nil {
		return err
	}
	if j.JSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
	}
	return j.print(cmd.OutOrStdout(), &made)
}

func (j *joinToken) print(w io.Writer, made *wire.JoinTokenCreated) error {
	if j.address == "" {
		j.address = reachable(j.URL)
	}
	whom := cli.Counted(made.Info.Uses, "host", "hosts")
	if made.Info.Host != "" {
		whom = "host " + made.Info.Host
	}
	fmt.Fprintf(w, "Run this on each host:\n\n  vedette-agent join %s --token %s", cli.Printable(j.address), cli.Printable(made.Token))
	if made.Info.Host != "" {
		fmt.Fprintf(w, " --host %s", cli.Printable(made.Info.Host))
	}
	_, err := fmt.Fprintf(cli.ToTerminal(w), "\n\nIt lets in %s, and is good %s. Take it back with: vedette token revoke %q\n",
		cli.Printable(whom), tokenEnd(&made.Info, time.Now()), cli.Printable(made.Info.Name))
	return err
}

// reachable returns the master's address as other machines reach it: with the name of this
// machine in place of a loopback address. A master without TLS listens on loopback only, so
// its address stays as it is.
func reachable(master string) string {
	u, err := url.Parse(master)
	if err != nil || u.Scheme != "https" || !config.IsLoopback(u.Hostname()) {
		return master
	}
	name, err := os.Hostname()
	if err != nil {
		return master
	}
	u.Host = net.JoinHostPort(name, u.Port())
	return strings.TrimSuffix(u.String(), "/")
}
