package catalog

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorDiff makes the command `vedette inspector diff`.
func NewInspectorDiff() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "diff NAME [REVISION [REVISION]]",
		Short: "Compare two revisions of a pushed inspector",
		Long: `Compare two revisions of a pushed inspector, as a unified diff. With one REVISION
it is compared with the current one; without any, the current one is compared with
the one before it. Settings that differ are shown too.`,
		Example: "  vedette inspector diff disk\n  vedette inspector diff disk 1f2e3d4c\n  vedette inspector diff disk 1f2e3d4c 5a6b7c8d",
		Args:    cli.NameAndRevisions(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to, err := c.revisionPair(cmd, args)
			if err != nil {
				return err
			}
			text := revisionDiff(from, to)
			if c.JSON {
				added, removed := lineCounts(text)
				return cli.PrintLines(cmd.OutOrStdout(), []diffLine{{from.Name, from.ID, to.ID, added, removed, text}})
			}
			_, err = io.WriteString(cmd.OutOrStdout(), coloured(cli.Printable(text), cli.Colours(cmd.OutOrStdout())))
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object: {name, from, to, added, removed, diff}")
	return cmd
}

// diffLine is a comparison as --json prints it.
type diffLine struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	To      string `json:"to"`
	Added   int    `json:"added"`
	Removed int    `json:"removed"`
	Diff    string `json:"diff"`
}

// revisionPair returns the two revisions that the arguments name.
func (c *client) revisionPair(cmd *cobra.Command, args []string) (from, to wire.Revision, err error) {
	s, err := c.Open(cmd)
	if err != nil {
		return from, to, err
	}
	defer s.Close()
	name := args[0]
	first, second := append(args, "", "")[1], append(args, "", "")[2]
	if first == "" {
		entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: name})
		if err != nil {
			return from, to, err
		}
		if first = previous(entry); first == "" {
			return from, to, errors.New(name + " has one revision only; there is nothing to compare it with")
		}
		second = entry.Current
	}
	if from, err = revisionOf(s, name, first); err != nil {
		return from, to, err
	}
	to, err = revisionOf(s, name, second)
	return from, to, err
}

// previous is the revision before the current one, or "".
func previous(entry wire.CatalogEntry) string {
	for _, h := range entry.History {
		if h.Revision != "" && h.Revision != entry.Current {
			return h.Revision
		}
	}
	return ""
}

// revisionDiff compares two revisions, or returns "" where they are the same.
func revisionDiff(from, to wire.Revision) string {
	header := func(r wire.Revision) string {
		if r.ID == "" {
			return "nothing"
		}
		return r.Name + " " + cli.ShortID(r.ID)
	}
	return unified(header(from), header(to), settingsText(from.Code), settingsText(to.Code)) +
		unified(header(from), header(to), codeText(from.Code), codeText(to.Code))
}

// unified makes a unified diff of two texts.
func unified(fromName, toName, from, to string) string {
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: lines(from), B: lines(to), FromFile: fromName, ToFile: toName, Context: 3,
	})
	if err != nil {
		return fmt.Sprintf("cannot compare: %v\n", err) // writing to a buffer cannot fail
	}
	return text
}

// lines splits a text into lines that keep their line ends.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")[:strings.Count(strings.TrimSuffix(text, "\n"), "\n")+1]
}

// lineCounts counts the lines that a unified diff adds and removes.
func lineCounts(diff string) (added, removed int) {
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
		case strings.HasPrefix(line, "+"):
			added++
		case strings.HasPrefix(line, "-"):
			removed++
		}
	}
	return added, removed
}

// coloured colours the lines of a unified diff.
func coloured(diff string, on bool) string {
	if !on {
		return diff
	}
	var b strings.Builder
	for line := range strings.Lines(diff) {
		colour := ""
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
			colour = "1"
		case strings.HasPrefix(line, "@@"):
			colour = "36"
		case strings.HasPrefix(line, "+"):
			colour = "32"
		case strings.HasPrefix(line, "-"):
			colour = "31"
		}
		if colour != "" {
			line = "\x1b[" + colour + "m" + strings.TrimSuffix(line, "\n") + "\x1b[m\n"
		}
		b.WriteString(line)
	}
	return b.String()
}
