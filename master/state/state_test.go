package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/state/statetest"
)

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

func TestBoltOutlivesTheProcess(t *testing.T) {
	statetest.RunPersistent(t, func(t *testing.T, dir string) state.Store { return open(t, filepath.Join(dir, state.FileName)) })
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
	if _, err := state.Open(path); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "import the last export") {
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
