package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/plugins"
)

// checkWithin is how long the check of one file may take. It runs the initialisers of the
// script, which may loop forever.
const checkWithin = 30 * time.Second

// checkChild is the name of the hidden command that checks one file.
const checkChild = "check-child"

// Checked is the output of the child.
type Checked struct {
	Diagnostics inspectors.Diagnostics `json:"diagnostics"`
	Error       string                 `json:"error,omitempty"` // a fault without a place
}

// NewInspectorCheck makes the command `vedette inspector check`.
func NewInspectorCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check scripts for every fault that can be found without running them",
		Long: `Check scripts: their directives, syntax, imports and names, the signature of
Inspect, and the constructs that inspectors may not use. Faults are printed as
file:line:column, and make the exit status 1.`,
		Example: "  vedette inspector check disk.go\n  vedette inspector check inspectors/*.go",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("vedette inspector check needs a FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			good := true
			for _, file := range args {
				result := CheckFile(cmd.Context(), file)
				if err := PrintChecked(cmd, file, result, asJSON); err != nil {
					return err
				}
				good = good && result.Err() == nil
			}
			if !good {
				return cli.Exit(cli.ExitFailed, nil)
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line: {file, line, col, message, fix}")
	return cmd
}

// Err returns the faults that the check found as an error, or nil.
func (c Checked) Err() error {
	if c.Error != "" {
		return errors.New(c.Error)
	}
	return c.Diagnostics.Err()
}

// PrintChecked writes faults to standard error in the form of a compiler, or as JSON to standard
// output.
func PrintChecked(cmd *cobra.Command, file string, c Checked, asJSON bool) error {
	if asJSON {
		if c.Error != "" {
			c.Diagnostics = append(c.Diagnostics, inspectors.Diagnostic{File: file, Message: c.Error})
		}
		return cli.PrintLines(cmd.OutOrStdout(), c.Diagnostics)
	}
	if err := c.Err(); err != nil {
		cli.Errln(cmd.ErrOrStderr(), "%v", err)
		return nil
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", file)
	return err
}

// CheckFile checks one file in its own process, because a script can crash the process that
// builds it. Such a crash is reported as the fault.
func CheckFile(ctx context.Context, file string) Checked {
	d, err := config.FileDefinition(file)
	if err != nil {
		var diagnostics inspectors.Diagnostics
		if !errors.As(err, &diagnostics) {
			return Checked{Error: err.Error()}
		}
	}
	self, err := os.Executable()
	if err != nil {
		return Checked{Error: fmt.Sprintf("cannot find this program's own file, to check scripts in: %v", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	var stderr bytes.Buffer
	child := exec.CommandContext(ctx, self, "inspector", checkChild, file)
	child.Stderr = &stderr
	child.Env = append(os.Environ(), "GOTRACEBACK=none")
	out, err := child.Output()
	var result Checked
	if err == nil {
		err = json.Unmarshal(out, &result)
	}
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		result.Error = fmt.Sprintf("%s: the check did not end within %v; does a package variable's initialiser loop?", file, checkWithin)
	case err != nil:
		result.Error = fmt.Sprintf("%s: building the script ended its process: %s", file, firstLine(stderr.String(), err))
	}
	result.Diagnostics = append(result.Diagnostics, alerts.Check(d)...)
	return result
}

// firstLine is the first line that a process wrote before it died, or how it died.
func firstLine(stderr string, err error) string {
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return err.Error()
}

// NewCheckChild makes the hidden command that checks one file, and may crash doing so.
func NewCheckChild() *cobra.Command {
	return &cobra.Command{
		Use:    checkChild,
		Hidden: true,
		Args:   cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			debug.SetMaxStack(int(plugins.DefaultLimits().StackBytes)) // as in a script host
			return runCheckChild(cmd.OutOrStdout(), args[0])
		},
	}
}

func runCheckChild(out io.Writer, file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return json.NewEncoder(out).Encode(Checked{Error: err.Error()})
	}
	var result Checked
	if err := script.Check(file, string(source)); err != nil && !errors.As(err, &result.Diagnostics) {
		result.Error = fmt.Sprintf("%s: %v", file, err)
	}
	return json.NewEncoder(out).Encode(result)
}
