package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// NameAndRevisions requires a name and at most so many revisions.
func NameAndRevisions(most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New(cmd.CommandPath() + " needs the NAME of an inspector, as `vedette inspectors` shows it")
		case len(args) > 1+most:
			return fmt.Errorf("%s does not know what to do with %q", cmd.CommandPath(), args[1+most])
		}
		for _, revision := range args[1:] {
			if len(revision) < ShortDigits || strings.Trim(revision, "0123456789abcdef") != "" {
				return fmt.Errorf("%q is no revision; write %d digits of its id or more, as `vedette inspector history %s` shows them", revision, ShortDigits, args[0])
			}
		}
		return nil
	}
}
