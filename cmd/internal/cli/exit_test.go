package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

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
		{
			"unknown command",
			[]string{"dp"},
			nil, ExitUsage,
			"unknown command \"dp\" for \"tool\"\n\nDid you mean this?\n\tdo\nRun 'tool --help' for how to use it.\n",
		},
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

// One request to stop may arrive as two signals, from the terminal and from the program
// that started the process. The second must not be taken for the impatient one that ends
// the process. The process is this test again.
func TestUntilStopped(t *testing.T) {
	if grace := os.Getenv("TEST_STOP_GRACE"); grace != "" {
		stopped(t, grace)
		return
	}
	for grace, want := range map[string]string{"1h": "clean", "0s": "signal: terminated"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestUntilStopped$")
		child.Env = append(os.Environ(), "TEST_STOP_GRACE="+grace)
		stdin, err := child.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		got := ""
		for lines.Scan() && got == "" {
			switch lines.Text() {
			case "up":
				child.Process.Signal(os.Interrupt)
			case "stopping":
				child.Process.Signal(syscall.SIGTERM)
				fmt.Fprintln(stdin, "go on")
			case "clean":
				got = "clean"
			}
		}
		if err := child.Wait(); got == "" {
			got = fmt.Sprint(err)
		}
		if got != want {
			t.Errorf("two signals, %s apart counting as one: %s, want %s", grace, got, want)
		}
	}
}

// stopped runs as the process that is stopped. Without a grace it waits until the second
// signal has its default effect, which ends it.
func stopped(t *testing.T, grace string) {
	d, err := time.ParseDuration(grace)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := untilStopped(t.Context(), d)
	defer stop()
	fmt.Println("up")
	<-ctx.Done()
	if d == 0 {
		stop()
	}
	fmt.Println("stopping")
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	if d == 0 {
		in.Scan() // until the end of the input, which does not come
	}
	fmt.Println("clean")
}
