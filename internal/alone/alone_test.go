package alone

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Each of these is run by TestOutcomes, in one more process.
const outcome = "VEDETTE_TEST_OUTCOME"

func TestOneOutcome(t *testing.T) {
	want := os.Getenv(outcome)
	if want == "" {
		t.Skip("TestOutcomes runs it")
	}
	t.Run("in a subtest", func(t *testing.T) {
		Test(t, func(t *testing.T) {
			if os.Getenv(env) != t.Name() {
				t.Error("it is no process of its own")
			}
			switch want {
			case "fail":
				t.Error("the reason")
			case "skip":
				t.Skip("the reason")
			case "exit":
				println("the reason")
				os.Exit(3)
			}
		})
	})
}

// What becomes of the test there becomes of it here, with what it said.
func TestOutcomes(t *testing.T) {
	for want, marker := range map[string]string{"pass": "--- PASS: ", "fail": "--- FAIL: ", "skip": "--- SKIP: ", "exit": "--- FAIL: "} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestOneOutcome$", "-test.v")
		cmd.Env = append(os.Environ(), outcome+"="+want)
		out, err := cmd.CombinedOutput()
		if failed := err != nil; failed != (marker == "--- FAIL: ") || !strings.Contains(string(out), "    "+marker+"TestOneOutcome/in_a_subtest") {
			t.Errorf("%s: %v\n%s", want, err, out)
		}
		if want != "pass" && !strings.Contains(string(out), "the reason") {
			t.Errorf("%s: it does not say why:\n%s", want, out)
		}
	}
}
