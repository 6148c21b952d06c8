package inspectors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestExecIsForRunsThatMay(t *testing.T) {
	ran := ""
	run := WithExec(t.Context(), []string{"/bin/a"}, func(_ context.Context, path string, args []string) ([]byte, error) {
		ran = path + " " + strings.Join(args, " ")
		return []byte("out"), nil
	})
	for path, want := range map[string]string{
		"/bin/b":     `cannot run "/bin/b": the script does not say //vedette:needs exec:/bin/b`,
		"a":          `cannot run "a": the script does not say //vedette:needs exec:a`,
		"/bin/./a":   `cannot run "/bin/./a": the script does not say //vedette:needs exec:/bin/./a`,
		"/bin/a\x00": "does not say",
	} {
		if _, err := Exec(run, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := Exec(t.Context(), "/bin/a"); err == nil || !strings.Contains(err.Error(), "the context is not that of a run") {
		t.Errorf("outside of a run: %v", err)
	}
	for _, args := range [][]string{{"a\x00b"}, {strings.Repeat("x", MaxExecArgBytes)}} {
		if _, err := Exec(run, "/bin/a", args...); err == nil {
			t.Errorf("arguments of %d bytes are taken", len(args[0]))
		}
	}
	if ran != "" {
		t.Errorf("%s was run", ran)
	}
	if out, err := Exec(run, "/bin/a", "b", "c"); string(out) != "out" || err != nil || ran != "/bin/a b c" {
		t.Errorf("%q, %v, ran %q", out, err, ran)
	}
}

// Programs end with the run, whatever the script does with its context.
func TestExecEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		run := WithExec(ctx, []string{"/bin/a"}, func(ctx context.Context, _ string, _ []string) ([]byte, error) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the program has no deadline")
			}
			<-ctx.Done()
			return []byte("late"), ctx.Err()
		})
		out, err := Exec(context.WithoutCancel(run), "/bin/a")
		if out != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q, %v", out, err)
		}
		shorter, stop := context.WithTimeout(WithExec(t.Context(), []string{"/bin/a"}, func(ctx context.Context, _ string, _ []string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), time.Second)
		defer stop()
		if _, err := Exec(shorter, "/bin/a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestExitErrorInWords(t *testing.T) {
	for stderr, want := range map[string]string{
		"": `"/a" ended with exit status 3`, "one\ntwo\n": `"/a" ended with exit status 3: two`, "\xff": "\"/a\" ended with exit status 3: \uFFFD",
	} {
		if got := (&ExitError{Path: "/a", Code: 3, Reason: "exit status 3", Stderr: stderr}).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
