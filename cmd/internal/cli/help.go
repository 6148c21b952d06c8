package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vedettehq/vedette/internal/nearest"
)

// Helpful makes a command line help people who do not know it: help ends with the exit
// statuses, the error for an unknown flag suggests one that exists, rollouts is suggested
// for rollout where that was meant, and help on an unknown command is an error, and so is an
// empty argument. It must be called after all commands are in place.
func Helpful(root *cobra.Command) {
	root.SetHelpTemplate(`{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{.UsageString}}{{if not .HasParent}}
` + ExitHelp + `
{{end}}`)
	root.SetFlagErrorFunc(flagError)
	if root.HasSubCommands() {
		root.SetHelpCommand(helpCommand())
	}
	hintAtNumbers(root)
	refuseEmpty(root)
}

// refuseEmpty makes a command, and its subcommands, refuse empty arguments. A command would
// take one for "all", or for an unknown name, when the shell has expanded an unset
// variable.
func refuseEmpty(cmd *cobra.Command) {
	validate := cmd.Args
	if validate == nil {
		validate = cobra.ArbitraryArgs
	}
	if cmd.Runnable() && (cmd.Args != nil || cmd.HasParent()) {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			for _, arg := range args {
				if strings.TrimSpace(arg) == "" {
					return fmt.Errorf("an argument of %s is empty; is a variable of the shell not set?", cmd.CommandPath())
				}
			}
			return validate(cmd, args)
		}
	}
	for _, below := range cmd.Commands() {
		refuseEmpty(below)
	}
}

// flagError adds a suggestion to the error of an unknown flag, which can be a number
// below 0.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	if name := unknown.GetSpecifiedName(); name >= "0" && name <= "9" && len(name) == 1 {
		return fmt.Errorf("%w; if that is a number below 0, write -- before it, and flags before that: -- -%s", err, unknown.GetSpecifiedShortnames())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	near := nearest.Word(unknown.GetSpecifiedName(), names)
	if near == "" {
		return err
	}
	return fmt.Errorf("%w; did you mean --%s?", err, near)
}

// helpCommand is like cobra's, but fails for an unknown command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 && about.HasSubCommands() {
				err = about.ValidateArgs(rest)
			}
			if err != nil {
				return Exit(ExitUsage, err)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range about.Commands() {
				if c.IsAvailableCommand() && strings.HasPrefix(c.Name(), begun) {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}
