package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// meant knows a command line well enough to say what was probably meant by one that is
// refused: `vedette rollout show X` by `vedette rollouts show X`.
type meant struct {
	args  map[*cobra.Command]cobra.PositionalArgs // as the commands check them
	words map[string]bool                         // names of subcommands, such as show
}

// hintAtNumbers adds what was probably meant to errors of commands whose first argument is
// a subcommand of the command of the other number, as rollout is to rollouts, or of other
// commands.
func hintAtNumbers(root *cobra.Command) {
	m := meant{args: make(map[*cobra.Command]cobra.PositionalArgs), words: make(map[string]bool)}
	for _, cmd := range root.Commands() {
		m.note(cmd)
	}
}

func (m *meant) note(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		m.words[below.Name()] = true
		m.note(below)
	}
	check := cmd.Args
	if check == nil || !cmd.Runnable() {
		return
	}
	m.args[cmd] = check
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		return hinted(check(cmd, args), m.otherNumber(cmd, args), m.superfluous(cmd, args))
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return hinted(run(cmd, args), m.otherNumber(cmd, args))
		}
	}
}

// hinted adds the first of the given command lines to an error.
func hinted(err error, lines ...string) error {
	if err == nil || errors.Is(err, errTold) {
		return err
	}
	for _, line := range lines {
		if line != "" {
			return fmt.Errorf("%w; did you mean `%s`?", err, line)
		}
	}
	return err
}

// otherNumber is the command line that begins with the other number of a command, and has
// the first argument as its subcommand, or "".
func (m *meant) otherNumber(cmd *cobra.Command, args []string) string {
	if len(args) == 0 {
		return ""
	}
	for _, other := range others(cmd) {
		for _, below := range other.Commands() {
			if below.IsAvailableCommand() && isCalled(below, args[0]) {
				return commandLine(below, args[1:])
			}
		}
	}
	return ""
}

// superfluous is the command line without its first argument, if that is the name of a
// subcommand elsewhere: `vedette hosts X` for `vedette hosts show X`.
func (m *meant) superfluous(cmd *cobra.Command, args []string) string {
	if len(args) == 0 || !m.words[args[0]] {
		return ""
	}
	for _, one := range append([]*cobra.Command{cmd}, others(cmd)...) {
		if check := m.args[one]; check != nil && !isGroup(one) && check(one, args[1:]) == nil {
			return commandLine(one, args[1:])
		}
	}
	return ""
}

// others returns the siblings whose name is that of a command in the other number.
func others(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sibling := range cmd.Parent().Commands() {
		if sibling != cmd && sibling.IsAvailableCommand() && isOtherNumber(cmd, sibling) {
			list = append(list, sibling)
		}
	}
	return list
}

func isOtherNumber(a, b *cobra.Command) bool {
	for _, one := range append(a.Aliases, a.Name()) {
		if isCalled(b, one+"s") || strings.HasSuffix(one, "s") && isCalled(b, one[:len(one)-1]) {
			return true
		}
	}
	return false
}

func isCalled(cmd *cobra.Command, name string) bool { return cmd.Name() == name || cmd.HasAlias(name) }

// commandLine is the line that runs a command.
func commandLine(cmd *cobra.Command, args []string) string {
	line := cmd.CommandPath()
	for _, arg := range args {
		if strings.ContainsAny(arg, " \t\n\"'`$*?[]{}()<>|&;\\") {
			arg = strconv.Quote(arg)
		}
		line += " " + arg
	}
	return line
}
