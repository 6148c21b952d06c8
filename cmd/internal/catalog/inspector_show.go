package catalog

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorShow makes the command `vedette inspector show`.
func NewInspectorShow() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "show NAME [REVISION]",
		Short: "Print the source of a pushed inspector",
		Long: `Print the source of a revision of a pushed inspector, by default the current one.
A REVISION is the first 8 digits of its id, or more. For a plugin, its programs are
listed.`,
		Example: "  vedette inspector show disk\n  vedette inspector show disk 1f2e3d4c > disk.go\n  vedette inspector show disk --json",
		Args:    cli.NameAndRevisions(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.Open(cmd)
			if err != nil {
				return err
			}
			defer s.Close()
			revision, err := revisionOf(s, args[0], append(args, "")[1])
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), []wire.Revision{revision})
			}
			_, err = io.WriteString(cmd.OutOrStdout(), cli.Printable(codeText(revision.Code)))
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object, with the settings, the author, the message and the signatures")
	return cmd
}

// revisionOf returns the revision whose id starts with a text; "" is the current one.
func revisionOf(s *remote.Session, name, id string) (wire.Revision, error) {
	return remote.Call(s, wire.CatalogRevision, wire.RevisionParams{Name: name, Revision: id})
}

// codeText is the source of a script, or a list of the programs of a plugin.
func codeText(code wire.Code) string {
	if code.Plugin == nil {
		return code.Source
	}
	var b strings.Builder
	for _, arg := range code.Plugin.Args {
		fmt.Fprintf(&b, "argument %q\n", arg)
	}
	for _, platform := range slices.Sorted(maps.Keys(code.Plugin.Artefacts)) {
		a := code.Plugin.Artefacts[platform]
		fmt.Fprintf(&b, "%s sha256:%s %d bytes\n", platform, a.SHA256, a.Size)
	}
	return b.String()
}

// settingsText lists the settings of a revision.
func settingsText(code wire.Code) string {
	var b strings.Builder
	set := func(name string, value any, given bool) {
		if given {
			fmt.Fprintf(&b, "%s: %v\n", name, value)
		}
	}
	set("interval", time.Duration(code.IntervalMS)*time.Millisecond, code.IntervalMS != 0)
	set("timeout", time.Duration(code.TimeoutMS)*time.Millisecond, code.TimeoutMS != 0)
	set("isolation", code.Isolation, code.Isolation != "")
	if code.Budget != nil {
		set("budget", fmt.Sprintf("%+v", *code.Budget), true)
	}
	return b.String()
}
