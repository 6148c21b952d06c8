package commands

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/signing"
)

// keyEntry is the output about a key.
type keyEntry struct {
	File   string `json:"file"`   // the file of the private key
	Key    string `json:"key"`    // the id of the public key
	Public string `json:"public"` // the public key as a configuration names it
}

func newKey() *cobra.Command {
	var e keyEntry
	var of string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make a key that signs what is pushed",
		Long: `Make an Ed25519 key, whose private half goes into a new file that only you can
read, and print the public half with the lines to add to the configuration of
hosts. Those then run nothing that a master sends without a signature by it.

Keep the file where you push from, and never on the master. ` + "`vedette push`, `apply`\nand `try`" + ` sign with it where --sign-key or $VEDETTE_SIGN_KEY names it.`,
		Example: `  vedette key --out ~/.config/vedette/signing.pem
  vedette key --of ~/.config/vedette/signing.pem
  vedette push disk.go --sign-key ~/.config/vedette/signing.pem`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (e.File == "") == (of == "") {
				return cli.Usagef("give --out FILE to make a key, or --of FILE to show one that is there")
			}
			made := of == ""
			if err := e.fill(of); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
			}
			return e.print(cmd, made)
		},
	}
	cmd.Flags().StringVar(&e.File, "out", "", "make a key, and write its private half into a new `FILE`")
	cmd.Flags().StringVar(&of, "of", "", "show the public half of the key in this `FILE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.AddCommand(newKeyRotate(), newKeyRevoke(), newKeyList())
	return cmd
}

// fill makes a key, or reads the one in the file given by --of.
func (e *keyEntry) fill(of string) error {
	var key signing.PrivateKey
	var err error
	if of != "" {
		e.File = of
		key, err = remote.ReadSignKey(of)
	} else if key, err = signing.Generate(); err == nil {
		err = writeKey(e.File, key)
	}
	if err != nil {
		return err
	}
	e.Key, e.Public = key.Public().ID(), key.Public().String()
	return nil
}

func writeKey(path string, key signing.PrivateKey) error {
	text, err := key.PEM()
	if err != nil {
		return fmt.Errorf("cannot write the key: %w", err)
	}
	return cli.WriteSecret("key", path, text)
}

func (e *keyEntry) print(cmd *cobra.Command, made bool) error {
	out := cmd.OutOrStdout()
	if made {
		fmt.Fprintf(out, "The private key is in %s. No master needs it, and none should have it.\n\n", cli.Printable(e.File))
	}
	_, err := fmt.Fprintf(out, "Add to the configuration of hosts that run only code with its signature:\n\nagent:\n  policy:\n    signers:\n"+
		"      - %s # key %s\n", e.Public, e.Key)
	return err
}
