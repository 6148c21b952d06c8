package remote

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// SignFlags say who signs what goes to hosts.
type SignFlags struct {
	file string
	key  *signing.PrivateKey // nil signs nothing
}

func (f *SignFlags) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "sign-key", "", "sign the code with the private key in `FILE`, as vedette key makes it (default $"+config.VariableSignKey+")")
}

// Read reads the key, where one is given. An empty --sign-key signs nothing.
func (f *SignFlags) Read(cmd *cobra.Command) error {
	file := f.file
	if !cmd.Flags().Changed("sign-key") {
		file = os.Getenv(config.VariableSignKey)
	}
	if file == "" {
		return nil
	}
	key, err := ReadSignKey(file)
	if err != nil {
		return err
	}
	f.key = &key
	return nil
}

// ReadSignKey reads the private key that signs code from a file.
func ReadSignKey(file string) (signing.PrivateKey, error) {
	text, err := config.ReadSecret(file)
	if err != nil {
		return signing.PrivateKey{}, fmt.Errorf("cannot read the signing key: %w", err)
	}
	key, err := signing.ParsePrivate(text)
	if err != nil {
		return key, fmt.Errorf("cannot read the signing key in %q: %w; `vedette key` makes one", file, err)
	}
	return key, nil
}

// Sign signs code; nil is without a key. It does not ask a master what the
// revision is: that could have anything signed.
func (f *SignFlags) Sign(code wire.Code) []wire.Signature {
	if f.key == nil {
		return nil
	}
	return []wire.Signature{{Key: f.key.Public().ID(), Signature: f.key.Sign(wire.RevisionOf(code))}}
}

// Agree refuses to go on where the master would make another revision of code
// than was signed.
func (f *SignFlags) Agree(code wire.Code, theirs string) error {
	if ours := wire.RevisionOf(code); f.key != nil && ours != theirs {
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master would make revision %s of the code that was signed as %s; install this version of vedette on it",
			cli.ShortID(theirs), cli.ShortID(ours)))
	}
	return nil
}

// Has reports whether the signatures of a revision include ours; without a key
// there is nothing to be missed.
func (f *SignFlags) Has(code wire.Code, signatures []wire.Signature) bool {
	ours := f.Sign(code)
	return len(ours) == 0 || slices.Contains(signatures, ours[0])
}

// Signs reports whether there is a key.
func (f *SignFlags) Signs() bool { return f.key != nil }
