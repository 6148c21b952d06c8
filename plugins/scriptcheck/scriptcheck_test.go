package scriptcheck

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		os.Exit(Main(os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

func newChecker(t *testing.T) *Checker {
	t.Helper()
	c := New([]string{os.Args[0], Command})
	t.Cleanup(c.Close)
	return c
}

func scriptOf(source string) inspectors.Script {
	return inspectors.Script{File: "config.yaml", Line: 13, Indent: 6, Source: source}
}

// TestCheck holds that a script is checked at its place, and that one child
// checks what comes together.
func TestCheck(t *testing.T) {
	c := newChecker(t)
	if _, err := c.Check(t.Context(), scriptOf("return 1, nil")); err != nil {
		t.Errorf("a good script: %v", err)
	}
	first := c.child
	_, err := c.Check(t.Context(), scriptOf("x := 1\ngo func() {}()\nreturn 1, nil"))
	var faults inspectors.Diagnostics
	if !errors.As(err, &faults) || len(faults) != 2 || faults[0].Line != 13 || faults[1].Line != 14 || faults[1].Col != 7 {
		t.Errorf("got %v", err)
	}
	if c.child != first {
		t.Error("a second child was started")
	}
}

// TestDeadChild holds that a child which was killed is replaced.
func TestDeadChild(t *testing.T) {
	c := newChecker(t)
	if _, err := c.Check(t.Context(), scriptOf("return 1, nil")); err != nil {
		t.Fatal(err)
	}
	if err := c.child.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context(), scriptOf("return 1, nil")); err != nil {
		t.Error(err)
	}
}

// TestIdleChild holds that a child is ended when nothing is left to check, and
// started again when there is.
func TestIdleChild(t *testing.T) {
	c := newChecker(t)
	c.idle = time.Millisecond
	if _, err := c.Check(t.Context(), scriptOf("return 1, nil")); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "the idle child to be ended", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.child == nil
	})
	if _, err := c.Check(t.Context(), scriptOf("return 1, nil")); err != nil {
		t.Error(err)
	}
}

// TestNoAnswer holds that a script which cannot be checked is an error, and that
// a child which does not answer ends with the context.
func TestNoAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	silent := New([]string{"/bin/sleep", "60"})
	defer silent.Close()
	if _, err := silent.Check(ctx, scriptOf("return 1, nil")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent child: %v", err)
	}
	none := New([]string{"/nonexistent/vedette"})
	defer none.Close()
	if _, err := none.Check(t.Context(), scriptOf("return 1, nil")); err == nil ||
		!strings.HasPrefix(err.Error(), "cannot check config.yaml: cannot start the checker") {
		t.Errorf("no child: %v", err)
	}
	closed := New([]string{os.Args[0], Command})
	closed.Close()
	if _, err := closed.Check(t.Context(), scriptOf("return 1, nil")); err == nil {
		t.Error("a closed checker checks")
	}
}
