package commands

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// untilDefault is how long the previous key stays valid without --until.
const untilDefault = "30d"

// lineFlags are the flags of commands that add a statement to a line of keys.
type lineFlags struct {
	remote.Client
	file string // the file of the key that signs
}

func (f *lineFlags) flags(cmd *cobra.Command) {
	f.Client.Flags(cmd)
	f.JSONFlag(cmd, "print the line of keys as one JSON object")
	cmd.Flags().StringVar(&f.file, "sign-key", "", "the `FILE` with the key that holds the line (default $"+config.VariableSignKey+")")
}

// key reads the key that signs.
func (f *lineFlags) key() (signing.PrivateKey, error) {
	file, err := remote.SignKeyFile(f.file)
	if err != nil {
		return signing.PrivateKey{}, err
	}
	return remote.ReadSignKey(file)
}

// line gets the line of a key from the master, and verifies it. A key without a line begins
// one.
func (f *lineFlags) line(s *remote.Session, id string) (*signing.Line, error) {
	result, err := remote.Call(s, wire.KeysList, wire.Empty{})
	if err != nil {
		return nil, err
	}
	for _, given := range result.Lines {
		line, err := given.Read()
		if err != nil {
			return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("nothing was signed: the master has a line of keys that is not one: %w", err))
		}
		if line.Has(id) {
			return line, nil
		}
	}
	return &signing.Line{}, nil
}

// say adds a statement to the line of the signing key, here and on the master.
func (f *lineFlags) say(cmd *cobra.Command, key signing.PrivateKey, make func(*signing.Line) (signing.Succession, error)) (*signing.Line, error) {
	s, err := f.Open(cmd)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	line, err := f.line(s, key.Public().ID())
	if err != nil {
		return nil, err
	}
	said, err := make(line)
	if err != nil {
		return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("nothing was signed: %w", err))
	}
	given, err := remote.Call(s, wire.KeysAdd, wire.KeyAddParams{Statement: wire.SaidOf(said)})
	if err == nil && f.JSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(given)
	}
	return line, err
}

func newKeyRotate() *cobra.Command {
	var f lineFlags
	var next, out, from, until string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Have a new key follow the one that signs",
		Long: `Sign, with the key that signs code now, that a new key follows it, and give that to
the master for the hosts. A host that names the old key in its configuration takes
code by the new one from then on, and remembers that. It begins with no code by the
old key after --until; what it runs by then goes on.

Nobody but the holder of the newest key can say which one follows. The first such
statement that a host sees counts. After a theft, be faster than the thief, or
replace the key in the configuration of the hosts.`,
		Example: `  vedette key rotate --sign-key signing.pem --out next.pem
  vedette key rotate --sign-key signing.pem --next next.pem --until 7d`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (next == "") == (out == "") {
				return cli.Usagef("give --out FILE to make the new key, or --next FILE with one that is there")
			}
			times, err := rotateTimes(from, until, time.Now())
			if err != nil {
				return err
			}
			old, err := f.key()
			if err != nil {
				return err
			}
			fresh, err := signing.Generate()
			if next != "" {
				fresh, err = remote.ReadSignKey(next)
			}
			if err != nil {
				return err
			}
			written := false
			_, err = f.say(cmd, old, func(l *signing.Line) (signing.Succession, error) {
				said, err := old.Follow(l, fresh, times[0], times[1])
				if err == nil && out != "" { // before anybody trusts the line
					err = writeKey(out, fresh)
					written = err == nil
				}
				return said, err
			})
			switch {
			case err != nil && written:
				cli.Errln(cmd.ErrOrStderr(), "the new key is in %s all the same; try again with --next %s", out, out)
				return err
			case err != nil || f.JSON:
				return err
			}
			e := keyEntry{File: cmp.Or(out, next), Key: fresh.Public().ID(), Public: fresh.Public().String()}
			return printRotated(cmd.OutOrStdout(), old.Public(), &e, times[1])
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "make the new key, and write its private half into a new `FILE`")
	cmd.Flags().StringVar(&next, "next", "", "the new key is the one in this `FILE`")
	cmd.Flags().StringVar(&from, "from", "", "let the new key count from this `TIME`, or a length from now (default: at once)")
	cmd.Flags().StringVar(&until, "until", untilDefault, "let hosts begin with code by the old key until this `TIME`, or a length from now; '' is for ever")
	return cmd
}

// rotateTimes reads when the new key becomes valid, and when the old one ends. Mistakes
// must be found here, because nothing can take a statement back.
func rotateTimes(from, until string, now time.Time) (times [2]time.Time, _ error) {
	for i, flag := range []struct{ name, text string }{{"--from", from}, {"--until", until}} {
		ms, err := remote.MomentOf(flag.name, flag.text, now)
		if err != nil {
			return times, err
		}
		if ms != 0 {
			times[i] = time.UnixMilli(ms)
		}
	}
	switch begin, end := times[0], times[1]; {
	case !end.IsZero() && !end.After(now):
		return times, cli.Usagef("--until is %s, which is over; give a time to come, or a length such as 30d", until)
	case !end.IsZero() && end.Before(begin):
		return times, cli.Usagef("--until is earlier than --from, so that no key would count in between")
	}
	return times, nil
}

// printRotated says what to do next.
func printRotated(out io.Writer, old signing.PublicKey, e *keyEntry, until time.Time) error {
	text := fmt.Sprintf("Key %s follows %s; hosts that name %s take code by it as soon as they are told.\n", e.Key, old.ID(), old.ID())
	if !until.IsZero() {
		text += fmt.Sprintf("They begin with no code by %s after %s.\n", old.ID(), cli.Moment(until.UnixMilli()))
	}
	text += fmt.Sprintf("\nSign with --sign-key %s from now on, and sign what runs already:\n\n  vedette inspector sign NAME --sign-key %s\n\n"+
		"Hosts to come need the new key in their configuration:\n\n      - %s # key %s\n", e.File, e.File, e.Public, e.Key)
	_, err := io.WriteString(out, cli.Printable(text))
	return err
}

func newKeyRevoke() *cobra.Command {
	var f lineFlags
	cmd := &cobra.Command{
		Use:   "revoke KEY",
		Short: "Have a key count for nothing any more",
		Long: `Sign, with the newest key of a line, that another key of the line is revoked, or that
key itself, and give that to the master for the hosts. They stop code that the
revoked key has signed, and take none by it again. KEY is its id, as "vedette key list"
shows it.

If the newest key revokes itself, the line has ended: no key can follow it, and the
hosts need another in their configuration.`,
		Example: "  vedette key revoke 56475aa75463474c --sign-key next.pem",
		Args:    cli.OneArg("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := f.key()
			if err != nil {
				return err
			}
			_, err = f.say(cmd, key, func(l *signing.Line) (signing.Succession, error) {
				revoked, known := l.Key(args[0])
				if args[0] == key.Public().ID() {
					revoked, known = key.Public(), true
				}
				if !known {
					return signing.Succession{}, fmt.Errorf("the key %q is not in the line of %s; `vedette key list` shows it", args[0], key.Public().ID())
				}
				return key.Revoke(l, revoked)
			})
			if err != nil || f.JSON {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Key %s is revoked; hosts stop what it has signed as soon as they are told.\n", cli.Printable(args[0]))
			return err
		},
	}
	f.flags(cmd)
	return cmd
}

// lineRow is a key of a line, as the list shows it.
type lineRow struct {
	Line    string `json:"line"` // the id of the first key of the line
	Key     string `json:"key"`
	Public  string `json:"public"`
	State   string `json:"state"` // newest, replaced or revoked
	FromMS  int64  `json:"from_ms,omitempty"`
	UntilMS int64  `json:"until_ms,omitempty"`
}

func newKeyList() *cobra.Command {
	var c remote.Client
	l := cli.List[lineRow]{
		Columns: lineColumns,
		Name:    func(r lineRow) string { return r.Key },
		Empty: func() string {
			return "No key has replaced another; `vedette key rotate` replaces one."
		},
	}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys that have followed others, or are revoked",
		Long: `List the lines of keys that the master has, each in the order in which they followed
one another. Keys that hosts name, and that nothing was ever said of, are not there.`,
		Example: "  vedette key list\n  vedette key list --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c, cmd, &l, func(s *remote.Session) ([]lineRow, error) {
				result, err := remote.Call(s, wire.KeysList, wire.Empty{})
				if err != nil {
					return nil, err
				}
				return lineRows(result)
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each key")
	return cmd
}

func lineRows(lines wire.KeyLines) ([]lineRow, error) {
	rows := []lineRow{}
	for _, given := range lines.Lines {
		line, err := given.Read()
		if err != nil {
			return nil, cli.Exit(cli.ExitAnswer, fmt.Errorf("the master has a line of keys that is not one: %w", err))
		}
		ids := line.IDs()
		for i, id := range ids {
			key, _ := line.Key(id)
			said, state := line.Of(id), "followed"
			switch {
			case said.Revoked:
				state = "revoked"
			case i == len(ids)-1:
				state = "newest"
			}
			rows = append(rows, lineRow{ids[0], id, key.String(), state, said.FromMS, said.UntilMS})
		}
	}
	return slices.Clip(rows), nil
}

func lineColumns(time.Time) []cli.Column[lineRow] {
	bound := func(ms int64) string {
		if ms == 0 {
			return "-"
		}
		return cli.Moment(ms)
	}
	return []cli.Column[lineRow]{
		{Name: "line", Spare: true, Cell: func(r lineRow) string { return r.Line }},
		{Name: "key", Whole: true, Cell: func(r lineRow) string { return r.Key }},
		{Name: "state", Cell: func(r lineRow) string { return r.State }},
		{Name: "from", Cell: func(r lineRow) string { return bound(r.FromMS) }, By: func(r lineRow) float64 { return float64(r.FromMS) }},
		{Name: "until", Cell: func(r lineRow) string { return bound(r.UntilMS) }, By: func(r lineRow) float64 { return float64(r.UntilMS) }},
		{Name: "public", Wide: true, Cell: func(r lineRow) string { return r.Public }},
	}
}
