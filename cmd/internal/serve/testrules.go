package serve

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/master/alert/ruletest"
)

// NewTestRules makes the command `vedette alerts test-rules`, which needs no running
// master.
func NewTestRules() *cobra.Command {
	return &cobra.Command{
		Use:   "test-rules FILE…",
		Short: "Test rules and alerts of inspectors on samples that you write",
		Long: `Run files of tests in the format of "promtool test rules". Each gives samples, and says
which alerts fire at a time and what expressions give. No master is needed.

A file names rules in rule_files, relative to its folder: files in Prometheus' format,
and inspectors (.go), whose rules are their //vedette:alert lines. Without rule_files,
disk.test.yaml tests the alerts of disk.go beside it.

The exit status is 1 if an expectation does not hold.`,
		Example: `  vedette alerts test-rules disk.test.yaml
  vedette alerts test-rules rules/*.test.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("name a FILE of tests, such as: vedette alerts test-rules disk.test.yaml")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := cli.UntilStopped(cmd)
			defer stop()
			failed := 0
			for _, path := range args {
				result, err := ruletest.Run(ctx, path)
				for _, f := range result.Failures {
					fmt.Fprintln(cmd.OutOrStdout(), f)
				}
				switch {
				case ctx.Err() != nil:
					return ctx.Err()
				case err != nil:
					failed++
					fmt.Fprintln(cmd.OutOrStdout(), err)
				case len(result.Failures) > 0:
					failed++
				default:
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s passed\n", path, cli.Counted(result.Tests, "test", "tests"))
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %s failed", failed, cli.Counted(len(args), "file", "files"))
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
	}
}
