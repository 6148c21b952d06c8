package catalog

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// backFlags say whether a push also signs the revision that it replaces.
type backFlags struct {
	none bool
	only string // the only revision that may be signed, or ""
}

func (b *backFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&b.none, "no-back", false, "do not sign what is current again: a host that has run the new code does not go back to it")
}

// onlyFlag adds the flag --back.
func (b *backFlags) onlyFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.only, "back", "", "push nothing unless the revision that is signed to go back to is this `REVISION`")
}

// read checks the flags.
func (b *backFlags) read(f *remote.SignFlags) error {
	switch {
	case b.only != "" && b.none:
		return cli.Usagef("--back and --no-back exclude each other; give one of them")
	case b.only != "" && !f.Signs():
		return cli.Usagef("--back is given without a key; give --sign-key FILE too")
	case b.only != "" && len(b.only) < 8:
		return cli.Usagef("--back %q is too short; give the first 8 digits of the revision, or all", b.only)
	}
	return nil
}

// wayBack is the revision that a push replaces, signed with the number of the push, so that
// hosts may return to it.
type wayBack struct {
	params wire.PushParams
	number int64  // the number of its previous signature
	why    string // it is not signed; the other fields are then empty
}

// signFor signs the code to be pushed for its hosts. It also returns the way back, or nil
// if hosts need none or must have none.
func signFor(s *remote.Session, f *remote.SignFlags, b backFlags, params *wire.PushParams) (*wayBack, error) {
	if !f.Signs() {
		return nil, nil
	}
	selector := ""
	if params.Selector != nil {
		selector = *params.Selector
	}
	name := params.Code.Name
	entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: name})
	switch {
	case remote.IsNotFound(err) || err == nil && entry.Deleted:
		if b.only != "" {
			return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("nothing was pushed: %s has no revision to go back to, and --back wants %s", name, b.only))
		}
		params.Signatures = f.Sign(params.Code, selector)
		return nil, nil
	case err != nil:
		return nil, err
	case params.Selector == nil:
		selector = entry.Selector
	}
	from, err := honest(s, name, entry.Current)
	if err != nil {
		return nil, err
	}
	if from.ID == wire.RevisionOf(params.Code) {
		if !f.Has(params.Code, from.Signatures, selector) {
			params.Signatures = f.Sign(params.Code, selector)
		}
		return nil, nil
	}
	params.Signatures = f.Sign(params.Code, selector)
	if b.none {
		return nil, nil
	}
	back := wayBackTo(f, from, time.Now())
	if wrong := !strings.HasPrefix(from.ID, b.only); b.only != "" && (wrong || back.why != "") {
		why := back.why
		if wrong {
			why = "the master says that it is " + cli.ShortID(from.ID)
		}
		return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("nothing was pushed: %s is not what hosts would go back to: %s", b.only, why))
	}
	back.params.Version = &entry.Version
	return &back, nil
}

// wayBackTo signs a revision that the master names, which could be any revision. So it
// signs it only if this key has signed it before, to be run, and that signature has not
// expired.
func wayBackTo(f *remote.SignFlags, from wire.Revision, now time.Time) wayBack {
	ours := func(g wire.Signature) bool { return f.Ours(from.Code, g) }
	at := slices.IndexFunc(from.Signatures, ours)
	if at < 0 {
		return wayBack{why: "this key has not signed it"}
	}
	switch g := from.Signatures[at]; {
	case g.Use == signing.UseTry:
		return wayBack{why: "this key has signed it for a trial alone"}
	case g.UntilMS > 0 && g.UntilMS < now.UnixMilli():
		return wayBack{why: "this key has signed it until " + cli.Moment(g.UntilMS)}
	case g.Number > f.Number():
		return wayBack{why: fmt.Sprintf("this key has signed it with number %d, which is higher than that of the push", g.Number)}
	default:
		return wayBack{params: wire.PushParams{Code: from.Code, Signatures: f.SignBack(from.Code, g)}, number: g.Number}
	}
}

// signBack sends the master the new signature of the current revision, so that hosts may
// return to it, and prints which revision that is.
func (c *client) signBack(cmd *cobra.Command, s *remote.Session, name string, back *wayBack) error {
	switch {
	case back == nil:
		return nil
	case back.why != "":
		cli.Errln(cmd.ErrOrStderr(), "note: a host that has run the new code of %s does not go back to the revision before: %s", name, back.why)
		return nil
	}
	result, err := remote.Call(s, wire.CatalogPush, back.params)
	if err != nil || c.JSON {
		return err
	}
	_, err = io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(fmt.Sprintf("%s %s, which this key has signed %s, is signed with the same number, so that hosts may go back to it\n",
		name, cli.ShortID(result.Revision), numberText(back.number))))
	return err
}

// numberText describes the number of a signature, which is a time unless somebody has set
// another number.
func numberText(number int64) string {
	switch at := time.UnixMilli(number); {
	case number == 0:
		return "before, without a number"
	case at.Year() >= 2020 && at.Year() < 2200:
		return "at " + cli.Moment(number)
	}
	return fmt.Sprintf("with number %d", number)
}
