package access

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// HostCommands makes the commands about which hosts belong to the mesh.
func HostCommands() []*cobra.Command {
	return []*cobra.Command{
		newMembers(),
		newMember("approve HOST", wire.HostsApprove, "Let in a host that waits", `Let in a host that has come with a join token and waits for approval. Compare its
key with the one that the host has: "vedette hosts members" shows it. It is for
operators.`, "  vedette hosts approve web-1", "Host %q is let in.\n"),
		newMember("revoke HOST", wire.HostsRevoke, "Cut off a host that has joined", `Make the certificates of a host worthless: its connections are closed, and it gets
no other certificate. Nobody gets its name but a host with a join token for it,
"vedette join-token --host HOST". Tokens are revoked with "vedette token revoke". It
is for operators.`, "  vedette hosts revoke web-1", "Host %q is revoked.\n"),
	}
}

func newMembers() *cobra.Command {
	var c remote.Client
	l := cli.List[wire.Member]{
		Columns: memberColumns,
		Name:    func(m wire.Member) string { return m.Host },
		Empty:   func() string { return "No host has joined; `vedette join-token` makes the line to paste on one." },
		After:   printClaims,
	}
	var waiting bool
	cmd := &cobra.Command{
		Use:   "members",
		Short: "List the hosts that have joined, wait, or were revoked",
		Long: `List the hosts that have joined with a join token, wait until an operator lets them
in, or were revoked. Attempts to take the name of one of them, which were refused
since the master started, are named below.`,
		Example: "  vedette hosts members\n  vedette hosts members --waiting",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c, cmd, &l, func(s *remote.Session) ([]wire.Member, error) {
				result, err := remote.Call(s, wire.HostsMembers, wire.Empty{})
				if !waiting || err != nil {
					return result.Members, err
				}
				left := []wire.Member{}
				for _, m := range result.Members {
					if m.State == wire.MemberWaiting {
						left = append(left, m)
					}
				}
				return left, nil
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each host")
	cmd.Flags().BoolVar(&waiting, "waiting", false, "only hosts that wait for approval")
	return cmd
}

func memberColumns(now time.Time) []cli.Column[wire.Member] {
	return []cli.Column[wire.Member]{
		{Name: "host", Last: true, Cell: func(m wire.Member) string { return m.Host }},
		{Name: "state", Cell: func(m wire.Member) string { return m.State }},
		{Name: "key", Cell: func(m wire.Member) string { return m.Key[:min(len(m.Key), 16)] }, Exact: func(m wire.Member) string { return m.Key }},
		{Name: "token", Cell: func(m wire.Member) string { return m.Token }},
		{Name: "from", Spare: true, Cell: func(m wire.Member) string { return cli.OrDash(m.From) }},
		cli.When("joined", now, func(m wire.Member) int64 { return m.JoinedMS }),
		{Name: "certificate", By: func(m wire.Member) float64 { return float64(m.EndsMS) }, Cell: func(m wire.Member) string {
			if m.EndsMS == 0 || m.State != wire.MemberJoined {
				return "-"
			}
			return "until " + cli.Moment(m.EndsMS)
		}},
		{Name: "by", Spare: true, Cell: func(m wire.Member) string { return cli.OrDash(m.By) }},
	}
}

// printClaims lists the hosts whose names somebody else has tried to join under.
func printClaims(w io.Writer, members []wire.Member, now time.Time) error {
	var lines []string
	for _, m := range members {
		if m.Claim != nil {
			lines = append(lines, fmt.Sprintf("%s: somebody at %s claims this name, %s, and is refused\n    %s",
				m.Host, m.Claim.From, cli.Ago(now, m.Claim.AtMS), m.Claim.Why))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", cli.Printable(strings.Join(lines, "\n")))
	return err
}

// newMember makes a command that does something with one host.
func newMember(use string, method wire.Method[wire.MemberParams, wire.Member], short, long, example, done string) *cobra.Command {
	var c remote.Client
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: cli.OneArg("HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := remote.CallOnce(cmd, &c, method, wire.MemberParams{Host: args[0]})
			if err != nil {
				return err
			}
			if c.JSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(m)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), done, cli.Printable(m.Host))
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print the host as one JSON object")
	return cmd
}

// NewAuthority makes the command `vedette authority`.
func NewAuthority() *cobra.Command {
	var c remote.Client
	show := func(cmd *cobra.Command, method wire.Method[wire.Empty, wire.AuthorityResult]) error {
		result, err := remote.CallOnce(cmd, &c, method, wire.Empty{})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(result)
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "The authority is %s, since %s and until %s.\n", cli.Printable(result.Fingerprint), cli.Moment(result.SinceMS), cli.Moment(result.EndsMS))
		for _, old := range result.Old {
			fmt.Fprintf(out, "Certificates by %s, which it has replaced, are still taken.\n", cli.Printable(old))
		}
		return nil
	}
	cmd := &cobra.Command{
		Use:     "authority",
		Short:   "Show the authority that certifies hosts",
		Long:    "Show the fingerprint of the master's authority, and since when it certifies hosts.",
		Example: "  vedette authority\n  vedette authority rotate",
		Args:    cli.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return show(cmd, wire.AuthorityShow) },
	}
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Put a new authority in place of the old one",
		Long: `Put a new authority in place of the one that certifies hosts. The old key signs the
new authority once, and is gone. Hosts notice nothing: they get a certificate of the
new one when they next renew theirs, also those that are away meanwhile. Join tokens
that were made before stay good. It is for admins.`,
		Example: "  vedette authority rotate",
		Args:    cli.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return show(cmd, wire.AuthorityRotate) },
	}
	for _, each := range []*cobra.Command{cmd, rotate} {
		c.Flags(each)
		c.JSONFlag(each, "print one JSON object")
	}
	cmd.AddCommand(rotate)
	return cmd
}
