package probe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// ExecFlag adds the flag that stands for agent.policy.exec where there is no
// configuration.
func ExecFlag(cmd *cobra.Command, programs *[]string) {
	cmd.Flags().StringArrayVar(programs, "allow-exec", nil, "let the script run the program `PATH`; may be repeated")
	_ = cmd.MarkFlagFilename("allow-exec")
}

// CheckPrograms says what is wrong with the values of that flag.
func CheckPrograms(programs []string) error {
	for _, path := range programs {
		if _, err := inspectors.ParseNeeds("exec:" + path); err != nil || strings.ContainsAny(path, " \t\n") {
			return cli.Usagef("--allow-exec %q is not a program that a script can name; write its absolute and plain path, as /usr/bin/uptime", path)
		}
	}
	return nil
}

// allowExec makes a pool run the programs.
func allowExec(programs []string) func(*plugins.PoolOptions) {
	return func(o *plugins.PoolOptions) { o.Policy.Programs = programs }
}

// explainPolicy adds the flag to an error that names a configuration.
func explainPolicy(err error) error {
	if errors.Is(err, inspectors.ErrPolicy) {
		return fmt.Errorf("%w; here, name it with --allow-exec", err)
	}
	return err
}
