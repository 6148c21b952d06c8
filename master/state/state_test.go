package state_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/state/statetest"
)

// writerVariable names the file that the test binary, run again, writes to until
// it is killed.
const writerVariable = "STATE_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		write(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string) state.Store {
	t.Helper()
	s, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMemory(t *testing.T) {
	statetest.Run(t, func(*testing.T) state.Store { return state.NewMemory() })
}

func TestBolt(t *testing.T) {
	statetest.Run(t, func(t *testing.T) state.Store { return open(t, filepath.Join(t.TempDir(), state.FileName)) })
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), state.FileName)
	s := open(t, path)
	version, err := s.Put(t.Context(), "a/b", []byte("x"), state.None)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), "log", []byte("y")); err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(path)
	if !errors.Is(err, state.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second one opens it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if e, err := again.Get(t.Context(), "a/b"); err != nil || e.Version != version {
		t.Errorf("%v %v", e, err)
	}
	if seq, err := again.Append(t.Context(), "log", nil); err != nil || seq != 2 {
		t.Errorf("the log goes on with %d, %v", seq, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestBadFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), state.FileName)
	if err := os.WriteFile(path, []byte(strings.Repeat("not a state\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(path); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "import the last export") {
		t.Errorf("a file of something else: %v", err)
	}
	newer := filepath.Join(t.TempDir(), state.FileName)
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(newer, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte{99}) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(newer); !errors.Is(err, state.ErrNewer) {
		t.Errorf("a file of a newer version: %v", err)
	}
}

// write appends to a log and sets an entry to the same, together, and prints the
// number when both are acknowledged.
func write(path string) {
	s, err := state.Open(path)
	for err == nil {
		var e state.Entry
		if e, err = s.Get(context.Background(), "a/last"); errors.Is(err, state.ErrNotFound) {
			err = nil
		}
		next := 1
		if e.Version != state.None {
			_, _ = fmt.Sscan(string(e.Value), &next)
			next++
		}
		if err == nil {
			err = s.Apply(context.Background(), state.Put("a/last", fmt.Append(nil, next), e.Version), state.Append("log", fmt.Append(nil, next)))
		}
		if err == nil {
			fmt.Println(next)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// What was acknowledged outlives a kill, and so does the order of the log.
func TestKill(t *testing.T) {
	path, acknowledged := filepath.Join(t.TempDir(), state.FileName), 0
	for range 10 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), writerVariable+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 40 {
				_ = cmd.Process.Kill()
			}
			_, _ = fmt.Sscan(lines.Text(), &acknowledged)
		}
		_ = cmd.Wait()
		s := open(t, path)
		e, err := s.Get(t.Context(), "a/last")
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for r, err := range s.Scan(t.Context(), "log", 0) {
			if last++; err != nil || string(r.Value) != fmt.Sprint(last) {
				t.Fatalf("record %d is %s, %v", last, r.Value, err)
			}
		}
		if fmt.Sprint(last) != string(e.Value) || last < acknowledged || acknowledged == 0 {
			t.Fatalf("%d were acknowledged; the log has %d and the entry says %s", acknowledged, last, e.Value)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	for name, s := range map[string]state.Store{"memory": state.NewMemory(), "bolt": open(b, filepath.Join(b.TempDir(), state.FileName))} {
		b.Run(name, func(b *testing.B) {
			version := state.None
			if e, err := s.Get(b.Context(), "a/b"); err == nil {
				version = e.Version
			}
			for i := 0; b.Loop(); i++ {
				value := fmt.Appendf(nil, "%p %d", b, i)
				if err := s.Apply(b.Context(), state.Put("a/b", value, version), state.Append("log", value)); err != nil {
					b.Fatal(err)
				}
				version = state.VersionOf(value)
			}
		})
	}
}
