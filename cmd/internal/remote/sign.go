package remote

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// SignFlags say who signs code that goes to hosts, and what the signature says.
type SignFlags struct {
	file        string
	prefix      string // the prefix of the flags about the signature
	from, until string
	number      int64
	key         *signing.PrivateKey // nil if nothing is signed
	statement   signing.Statement   // without Use and Selector
}

// Flags adds the flag that names the key, and those for signatures of code that hosts keep.
func (f *SignFlags) Flags(cmd *cobra.Command) { f.FlagsWith(cmd, "sign-") }

// FlagsWith is Flags with a prefix for the names of the latter.
func (f *SignFlags) FlagsWith(cmd *cobra.Command, prefix string) {
	f.KeyFlag(cmd)
	f.prefix = prefix
	cmd.Flags().StringVar(&f.from, prefix+"from", "", "sign it for no earlier than this `TIME`, such as 2026-12-01T08:00:00Z, or a length from now, such as 2h")
	cmd.Flags().StringVar(&f.until, prefix+"until", "", "sign it for hosts that begin with it before this `TIME`, or within a length from now, such as 30d")
	cmd.Flags().Int64Var(&f.number, prefix+"number", 0, "give the signature this `NUMBER` (default: the time in milliseconds)")
}

// KeyFlag adds the flag that names the key.
func (f *SignFlags) KeyFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "sign-key", "", "sign the code with the private key in `FILE`, as vedette key makes it (default $"+config.VariableSignKey+")")
}

// Read reads the key, where one is given. An empty --sign-key signs nothing.
func (f *SignFlags) Read(cmd *cobra.Command) error {
	file := f.file
	if !cmd.Flags().Changed("sign-key") {
		file = os.Getenv(config.VariableSignKey)
	}
	if file == "" {
		for _, flag := range []string{"from", "until", "number"} {
			if flag = f.prefix + flag; f.prefix != "" && cmd.Flags().Changed(flag) {
				return cli.Usagef("--%s is given without a key; give --sign-key FILE too", flag)
			}
		}
		return nil
	}
	if err := f.read(cmd, time.Now()); err != nil {
		return err
	}
	key, err := ReadSignKey(file)
	if err != nil {
		return err
	}
	f.key = &key
	return nil
}

// read parses the flags about the signature.
func (f *SignFlags) read(cmd *cobra.Command, now time.Time) error {
	from, err := MomentOf("--"+f.prefix+"from", f.from, now)
	if err != nil {
		return err
	}
	until, err := MomentOf("--"+f.prefix+"until", f.until, now)
	if err != nil {
		return err
	}
	switch {
	case f.number < 0 || cmd.Flags().Changed(f.prefix+"number") && f.number == 0:
		return cli.Usagef("--%snumber is %d; it must be above 0", f.prefix, f.number)
	case until != 0 && until <= now.UnixMilli():
		return cli.Usagef("--%suntil is %s, which is over; give a time to come, or a length such as 30d", f.prefix, f.until)
	case until != 0 && until <= from:
		return cli.Usagef("--%suntil is not later than --%sfrom", f.prefix, f.prefix)
	}
	f.statement = signing.Statement{Number: f.number, FromMS: from, UntilMS: until}
	if f.number == 0 {
		f.statement.Number = now.UnixMilli()
	}
	return nil
}

// MomentOf parses a time, or a duration from now, into milliseconds; 0 is none.
func MomentOf(flag, text string, now time.Time) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if length, err := cli.ParseLength(text); err == nil {
		return now.Add(length).UnixMilli(), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.UnixMilli() > 0 {
		return at.UnixMilli(), nil
	}
	return 0, cli.Usagef("%s %q is no time; write it as 2026-12-01T08:00:00Z, or as a length from now, such as 30d or 2h", flag, text)
}

// SignKeyFile is the file of the signing key that --sign-key or the environment names.
func SignKeyFile(flag string) (string, error) {
	if flag == "" {
		flag = os.Getenv(config.VariableSignKey)
	}
	if flag == "" {
		return "", cli.Usagef("no key is given; give --sign-key FILE, as vedette key makes it")
	}
	return flag, nil
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

// Sign signs code for the hosts of a selector, and returns nil without a key. It computes
// the revision itself, because a master that is asked could have anything signed.
func (f *SignFlags) Sign(code wire.Code, selector string) []wire.Signature {
	return f.sign(code, signing.UseRun, selector)
}

// SignTrial signs code that the hosts of a selector may try but not keep.
func (f *SignFlags) SignTrial(code wire.Code, selector string, length time.Duration) []wire.Signature {
	now := time.Now()
	f.statement = signing.Statement{Number: now.UnixMilli(), UntilMS: now.Add(length + trialSlack).UnixMilli()}
	return f.sign(code, signing.UseTry, selector)
}

// trialSlack is how long after its signature a trial may begin, beside its length, because
// the clocks of hosts differ.
const trialSlack = 10 * time.Minute

func (f *SignFlags) sign(code wire.Code, use, selector string) []wire.Signature {
	if f.key == nil {
		return nil
	}
	statement := f.statement
	statement.Use, statement.Selector = use, selector
	return []wire.Signature{wire.Sign(*f.key, wire.RevisionOf(code), statement)}
}

// SignBack signs code again that we have signed before, for the same hosts, valid from now
// on and with the number of the other signatures. It expires when the earlier signature
// does, or sooner if the flags say so.
func (f *SignFlags) SignBack(code wire.Code, before wire.Signature) []wire.Signature {
	back := *f
	back.statement.FromMS = 0
	if until := before.UntilMS; until > 0 && (back.statement.UntilMS == 0 || until < back.statement.UntilMS) {
		back.statement.UntilMS = until
	}
	return back.sign(code, signing.UseRun, before.Selector)
}

// Agree fails if the master's revision of the code is not the one that was signed.
func (f *SignFlags) Agree(code wire.Code, theirs string) error {
	if ours := wire.RevisionOf(code); f.key != nil && ours != theirs {
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master would make revision %s of the code that was signed as %s; install this version of vedette on it",
			cli.ShortID(theirs), cli.ShortID(ours)))
	}
	return nil
}

// Has reports whether a revision has a signature by our key for the hosts of the selector.
// Without a key it is true. If the flags ask for something special, it is false, so that
// the code is signed again.
func (f *SignFlags) Has(code wire.Code, signatures []wire.Signature, selector string) bool {
	if f.key == nil {
		return true
	}
	if f.from != "" || f.until != "" || f.number != 0 {
		return false
	}
	return slices.ContainsFunc(signatures, func(s wire.Signature) bool {
		return s.Use == signing.UseRun && s.Selector == selector && (s.UntilMS == 0 || s.UntilMS > time.Now().UnixMilli()) && f.Ours(code, s)
	})
}

// Ours reports whether a signature of code is by our key.
func (f *SignFlags) Ours(code wire.Code, s wire.Signature) bool {
	public := f.key.Public()
	return s.Key == public.ID() && public.VerifyCode(wire.RevisionOf(code), s.Statement(), s.Signature)
}

// Number is the number of the signatures that are made.
func (f *SignFlags) Number() int64 { return f.statement.Number }

// Signs reports whether there is a key.
func (f *SignFlags) Signs() bool { return f.key != nil }
