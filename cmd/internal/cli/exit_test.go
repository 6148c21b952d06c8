package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExitStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		err    error
		status int
		stderr string
	}{
		{"good", []string{"do"}, nil, ExitOK, ""},
		{"failed", []string{"do"}, errors.New("no luck"), ExitFailed, "no luck\n"},
		{"its own status", []string{"do"}, Exit(ExitRefused, errors.New("no")), ExitRefused, "no\n"},
		{"wrapped", []string{"do"}, fmt.Errorf("a: %w", Exit(ExitUnreachable, errors.New("b"))), ExitUnreachable, "a: b\n"},
		{"told already", []string{"do"}, Exit(ExitFailed, nil), ExitFailed, ""},
		{"used wrongly", []string{"do"}, Usagef("write %d", 1), ExitUsage, "write 1\nRun 'tool do --help' for how to use it.\n"},
		{"unknown flag", []string{"do", "--x"}, nil, ExitUsage, "unknown flag: --x\nRun 'tool do --help' for how to use it.\n"},
		{"unknown command", []string{"dp"}, nil, ExitUsage, "unknown command \"dp\" for \"tool\"\n\nDid you mean this?\n\tdo\nRun 'tool --help' for how to use it.\n"},
		{"escape codes", []string{"do"}, errors.New("a\x1b[31mb\u202e"), ExitFailed, "a?[31mb?\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := &cobra.Command{Use: "tool", SuggestionsMinimumDistance: 2}
			root.AddCommand(&cobra.Command{Use: "do", Args: NoArgs, RunE: func(*cobra.Command, []string) error { return tt.err }})
			var stderr bytes.Buffer
			root.SetErr(&stderr)
			root.SetArgs(tt.args)
			if status := Main(root); status != tt.status || stderr.String() != tt.stderr {
				t.Errorf("got status %d and %q, want %d and %q", status, stderr.String(), tt.status, tt.stderr)
			}
		})
	}
}

func TestGroup(t *testing.T) {
	for _, tt := range []struct{ args, stdout, stderr string }{
		{"things", "Usage:", ""},
		{"things lst", "", "unknown command \"lst\" for \"tool things\"\n\nDid you mean this?\n\tlist\n"},
		{"things xyzzy", "", "unknown command \"xyzzy\" for \"tool things\"\n"},
	} {
		root := &cobra.Command{Use: "tool"}
		things := Group(&cobra.Command{Use: "things"})
		things.AddCommand(&cobra.Command{Use: "list", Run: func(*cobra.Command, []string) {}})
		root.AddCommand(things)
		var stdout, stderr bytes.Buffer
		root.SetOut(&stdout)
		root.SetErr(&stderr)
		root.SetArgs(strings.Fields(tt.args))
		Main(root)
		if !strings.Contains(stdout.String(), tt.stdout) || !strings.HasPrefix(stderr.String(), tt.stderr) {
			t.Errorf("%s: got %q and %q", tt.args, stdout.String(), stderr.String())
		}
	}
}

// One request to stop may come as two signals, from the terminal and from
// whoever started the process; it must not be taken for the impatient second.
func TestUntilStopped(t *testing.T) {
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	ctx, stop := UntilStopped(cmd)
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if err := self.Signal(syscall.SIGTERM); err != nil { // would end this test
		t.Fatal(err)
	}
}
