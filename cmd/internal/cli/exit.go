// Package cli has what the commands of both binaries share: their exit statuses, how they
// are stopped, the settings that their flags give, tables and terminals, and the version.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	ExitOK          = 0  // done, also after ^C
	ExitFailed      = 1  // the command could not do what it was asked
	ExitUsage       = 2  // the command line is wrong
	ExitUnreachable = 3  // the master cannot be reached
	ExitRefused     = 4  // the master does not know the caller, or does not let it
	ExitAnswer      = 5  // the master answered with an error
	ExitIncomplete  = 6  // done in part: a program that the rest needs is missing
	ExitCheck       = 7  // the check found faults in the code, so nothing was pushed
	ExitRollout     = 8  // rolled back, or not well on some host
	ExitWaiting     = 9  // the end was not awaited: it took too long, ^C, or a second person has to approve it first
	ExitPending     = 10 // a dry run found changes
)

// ExitHelp explains the statuses at the end of a help text.
const ExitHelp = `Exit status:
  0  done, also after ^C
  1  failed
  2  the command line is wrong
  3  the master cannot be reached
  4  the master does not know who asks, or does not allow it
  5  the master answered with an error
  6  done in part: a program that the rest needs is missing
  7  the check found faults in the code, so nothing was pushed
  8  what was pushed was rolled back, or is not well on some host
  9  the end of a rollout was not awaited: it took too long, ^C, or a second person
     has to approve it first
  10 a dry run found changes`

// exitError is an error with the exit status of the process.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

// Exit makes an error that ends the process with a status. If err is nil, the command has
// already printed what went wrong.
func Exit(status int, err error) error {
	if err == nil {
		err = errTold
	}
	return &exitError{status, err}
}

// Status returns the exit status of an error.
func Status(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.status
	}
	return ExitFailed
}

// errTold is the error of a command that has already printed what went wrong.
var errTold = errors.New("")

// Usagef makes an error about the command line.
func Usagef(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Main runs a command line and returns the exit status. It prints errors on standard error;
// those about the command line with a hint to the help.
func Main(root *cobra.Command) int {
	running := false
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentPreRun = func(*cobra.Command, []string) { running = true }
	cmd, err := root.ExecuteContextC(context.Background())
	if err == nil {
		return ExitOK
	}
	status := ExitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		status = exit.status
	} else if !running {
		status = ExitUsage
	}
	if !errors.Is(err, errTold) {
		// Faults of a file begin with its name and have many lines.
		errs := root.ErrOrStderr()
		fmt.Fprintln(ToTerminal(errs), Printable(strings.TrimSpace(err.Error())))
	}
	if status == ExitUsage {
		fmt.Fprintf(root.ErrOrStderr(), "Run '%s --help' for how to use it.\n", cmd.CommandPath())
	}
	return status
}

// oneStop is the time within which further signals belong to the same request to stop: the
// terminal and the program that started this one may each send one.
const oneStop = 500 * time.Millisecond

// UntilStopped returns a context that ends at ^C or a request to terminate. A second ^C
// ends the process at once.
func UntilStopped(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return untilStopped(cmd.Context(), oneStop)
}

func untilStopped(parent context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, stop) // signals have their default effect again
	})
	return ctx, stop
}

// Printable replaces characters that could steer a terminal: control and format characters,
// except line ends and tabs.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// Group makes a command that only has subcommands: by itself it shows its help, and an
// unknown word is an error.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.DisableFlagsInUseLine = true // its only flag is --help
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			message += "\n\nDid you mean this?\n\t" + strings.Join(near, "\n\t")
		}
		return errors.New(message)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.SuggestionsMinimumDistance = 2
	cmd.Annotations = map[string]string{groupMark: ""}
	return cmd
}

// groupMark is the annotation of commands that only have subcommands.
const groupMark = "vedette/group"

func isGroup(cmd *cobra.Command) bool {
	_, is := cmd.Annotations[groupMark]
	return is
}

// NoArgs refuses arguments, and names the one that was not understood.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, but got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// OneArg requires one argument, which name stands for.
func OneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s needs %s", cmd.CommandPath(), name)
		case len(args) > 1:
			return fmt.Errorf("%s takes one argument, %s, but got %q too", cmd.CommandPath(), name, args[1])
		}
		return nil
	}
}

// AtMostOneArg allows one argument, which name stands for. The hints say what to do if
// there are more.
func AtMostOneArg(name string, hints ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("%s takes one %s, but got %q too%s", cmd.CommandPath(), name, args[1], strings.Join(hints, ""))
		}
		return nil
	}
}

// Errln writes a line for people to standard error, apart from the output of a command.
func Errln(w io.Writer, format string, args ...any) {
	fmt.Fprintln(ToTerminal(w), Printable(fmt.Sprintf(format, args...)))
}
