package commands

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// errorOf runs a command line with a master that cannot be reached.
func errorOf(t *testing.T, line string) string {
	t.Helper()
	root := New()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(strings.Fields(line)[1:])
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	err := root.ExecuteContext(t.Context())
	if err == nil {
		t.Errorf("%q is no error", line)
		return ""
	}
	return err.Error()
}

// Whatever subcommand is asked of a command whose singular or plural has it, the error
// names the right command.
func TestOtherNumbersAreSuggested(t *testing.T) {
	t.Setenv("VEDETTE_MASTER", "http://127.0.0.1:1")
	names := func(cmd *cobra.Command) []string { return append([]string{cmd.Name()}, cmd.Aliases...) }
	tried := 0
	var walk func(parent *cobra.Command)
	walk = func(parent *cobra.Command) {
		for _, one := range parent.Commands() {
			walk(one)
			for _, other := range parent.Commands() {
				for _, name := range names(one) {
					if !slices.Contains(names(other), name+"s") && !slices.Contains(names(other), strings.TrimSuffix(name, "s")) || one == other {
						continue
					}
					for _, below := range other.Commands() {
						if own, _, _ := one.Find([]string{below.Name()}); own != one || !below.IsAvailableCommand() {
							continue // it has one of that name
						}
						for _, rest := range []string{"", " X"} {
							tried++
							line := parent.CommandPath() + " " + name + " " + below.Name() + rest
							want := "did you mean `" + below.CommandPath() + rest + "`?"
							if got := errorOf(t, line); !strings.HasSuffix(got, want) {
								t.Errorf("%q says %q, want %q at its end", line, got, want)
							}
						}
					}
				}
			}
		}
	}
	walk(New())
	if tried < 20 {
		t.Errorf("only %d command lines were tried", tried)
	}
}

func TestWordsTooManyAreLeftOut(t *testing.T) {
	t.Setenv("VEDETTE_MASTER", "http://127.0.0.1:1")
	for line, want := range map[string]string{
		"vedette hosts show X":     "did you mean `vedette hosts X`?",
		"vedette host show X":      "did you mean `vedette hosts X`?",
		"vedette rollout list":     "did you mean `vedette rollouts`?",
		"vedette alerts list":      "did you mean `vedette alerts`?",
		"vedette rollouts show *":  "did you mean `vedette rollout show \"*\"`?",
		"vedette rollouts one two": `but got "two" too`,
		"vedette rollout strange":  `unknown command "strange" for "vedette rollout"`,
	} {
		if got := errorOf(t, line); !strings.HasSuffix(got, want) {
			t.Errorf("%q says %q, want %q at its end", line, got, want)
		}
	}
}
