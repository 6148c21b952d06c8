package commands

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/access"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
)

// tokenBytes is the number of random bytes in a token.
const tokenBytes = 32

// newEntry is the output of the command: the token, and its entry in the master's
// configuration.
type newEntry struct {
	Token  string `json:"token,omitempty"`
	File   string `json:"file,omitempty"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Host   string `json:"host,omitempty"`
	Hosts  string `json:"hosts,omitempty"`
	SHA256 string `json:"sha256"`
}

func newToken() *cobra.Command {
	var e newEntry
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make a token for an agent or a person",
		Long: `Make a token at random, and print it with the lines to add to the master's
configuration. The master stores only its checksum, so the token itself is shown only
once. Where the master runs, "vedette token create" makes one that it takes at once.

An agent's token stands for one host: it can report for that host and nothing
else. A viewer may look, an operator may change what runs, an admin may also
change who may do what. A viewer or operator may be bound to the hosts that a
selector selects.`,
		Example: `  vedette token --host web-1
  vedette token --host web-1 --out /etc/vedette/token
  vedette token --role admin --name alice
  vedette token create --role viewer --name wall --for 90d
  vedette token revoke wall`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.make(); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
			}
			return e.print(cmd)
		},
	}
	cmd.Flags().StringVar(&e.Role, "role", config.RoleAgent, "its `ROLE`: agent, viewer, operator or admin")
	cmd.Flags().StringVar(&e.Host, "host", "", "the `HOST` that an agent's token stands for")
	cmd.Flags().StringVar(&e.Hosts, "hosts", "", "bind a viewer or operator to the hosts of this `SELECTOR`, such as role=db (default: all)")
	cmd.Flags().StringVar(&e.Name, "name", "", "the `NAME` of its owner (default: the host)")
	cmd.Flags().StringVar(&e.File, "out", "", "write the token into a new `FILE` that only you can read, instead of printing it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.AddCommand(access.TokenCommands()...)
	return cmd
}

func (e *newEntry) make() error {
	if e.Name == "" {
		e.Name = e.Host
	}
	switch e.Role {
	case config.RoleAgent:
		if e.Host == "" {
			return cli.Usagef("an agent's token stands for one host; say which with --host")
		}
		if e.Hosts != "" {
			return cli.Usagef("an agent's token stands for its one host; leave out --hosts")
		}
		if err := inspectors.ValidateHost(e.Host); err != nil {
			return cli.Exit(cli.ExitUsage, err)
		}
	case config.RoleViewer, config.RoleOperator, config.RoleAdmin:
		if e.Host != "" {
			return cli.Usagef("only an agent's token stands for a host; leave out --host")
		}
		if e.Name == "" {
			return cli.Usagef("say whose token it is with --name")
		}
	default:
		return cli.Usagef("there is no role %q; use agent, viewer, operator or admin", e.Role)
	}
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("cannot make a token: %w", err)
	}
	token := "vedette_" + base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(token))
	e.SHA256 = hex.EncodeToString(sum[:])
	if e.File == "" {
		e.Token = token
		return nil
	}
	return cli.WriteSecret("token", e.File, []byte(token+"\n"))
}

func (e *newEntry) print(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	if e.File == "" {
		fmt.Fprintf(out, "The token, shown this once:\n\n  %s\n\n", e.Token)
	} else {
		fmt.Fprintf(out, "The token is in %s.\n\n", e.File)
	}
	fmt.Fprintf(out, "Add to the master's configuration:\n\nmaster:\n  tokens:\n    - name: %s\n      role: %s\n", strconv.Quote(e.Name), e.Role)
	if e.Host != "" {
		fmt.Fprintf(out, "      host: %s\n", e.Host)
	}
	if e.Hosts != "" {
		fmt.Fprintf(out, "      hosts: %s\n", strconv.Quote(e.Hosts))
	}
	_, err := fmt.Fprintf(out, "      sha256: %s\n", e.SHA256)
	return err
}
