package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/vedettehq/vedette/internal/damage"
)

func mustOpen(t testing.TB, dir string) *store {
	t.Helper()
	s, err := Open(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*store)
}

// exported is all that a store holds, or the error.
func exported(s Store) (string, error) {
	var out bytes.Buffer
	err := s.Export(context.Background(), &out)
	return out.String(), err
}

func TestFileIsOfOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, err := Open(filepath.Join(dir, FileName))
	want := fmt.Sprintf("cannot open the state %q: another process has it open: is another master running with this folder?", filepath.Join(dir, FileName))
	if !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
}

func TestOpenFaults(t *testing.T) {
	const help = "; move the file away and import the last export"
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	change := func(f func(*bbolt.Tx) error) {
		t.Helper()
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, dir)
		if err := errors.Join(s.engine.(*boltEngine).db.Update(f), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		make func()
		is   error
		want string
	}{
		{"newer", func() {
			change(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keySchema, []byte{schema + 1}) })
		}, ErrNewer, ": it was made by a newer version: its schema is 3, this one's is 2"},
		{"newer without what this one needs", func() {
			change(func(tx *bbolt.Tx) error {
				return errors.Join(tx.Bucket(bucketMeta).Put(keySchema, []byte{schema + 1}), tx.DeleteBucket(bucketLogs))
			})
		}, ErrNewer, ": it was made by a newer version: its schema is 3, this one's is 2"},
		{"a part is missing", func() {
			change(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketLogs) })
		}, ErrDamaged, ": it is damaged: a part is missing" + help},
		{"no schema", func() {
			change(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keySchema) })
		}, ErrDamaged, ": it is damaged: its description is missing" + help},
		{"short", func() { _ = os.WriteFile(path, []byte("hello"), 0o600) }, ErrDamaged, ": it is damaged: it has 5 bytes" + help},
		{"text", func() { _ = os.WriteFile(path, []byte(strings.Repeat("hello", 10_000)), 0o600) }, ErrDamaged, ": it is damaged: invalid database" + help},
		{"folder", func() { _ = errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, nil, fmt.Sprintf(": open %s: is a directory", path)},
	} {
		tt.make()
		_, err := Open(filepath.Join(dir, FileName))
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: got %v", tt.name, err)
			continue
		}
		if want := fmt.Sprintf("cannot open the state %q", path) + tt.want; err.Error() != want {
			t.Errorf("%s: got\n%v\nwant\n%s", tt.name, err, want)
		}
	}
}

// A file that was damaged in any way never ends the process nor has it wait for
// ever: what cannot be read is an error that says so.
func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range 300 {
		value := []byte(strings.Repeat(fmt.Sprint(i, " "), 20))
		if err := s.Apply(t.Context(), Put(fmt.Sprint("kind/", i), value, None), Append("audit", value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	damaged := 0
	for i := range 150 {
		bad := damage.Any(rng, i, content)
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, FileName), bad, 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := useDamaged(t, path); errors.Is(err, ErrDamaged) {
			damaged++
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "import the last export") {
				t.Errorf("the error is %v", err)
			}
		} else if err != nil {
			t.Logf("%d: %v", i, err)
		}
	}
	if damaged < 20 {
		t.Errorf("only %d of 150 files were found to be damaged", damaged)
	}
}

// useDamaged does with a store what can be done, and returns its first error.
func useDamaged(t *testing.T, dir string) error {
	s, err := Open(filepath.Join(dir, FileName))
	if err != nil {
		return err
	}
	entries, err := s.List(t.Context(), "")
	for _, e := range entries {
		if i := strings.TrimPrefix(e.Key, "kind/"); string(e.Value) != strings.Repeat(i+" ", 20) {
			t.Errorf("%s is read as %q", e.Key, e.Value)
		}
	}
	for r, scanErr := range s.Scan(t.Context(), "audit", 0) {
		if err = errors.Join(err, scanErr); scanErr == nil && string(r.Value) != strings.Repeat(fmt.Sprint(r.Seq-1, " "), 20) {
			t.Errorf("record %d is read as %q", r.Seq, r.Value)
		}
	}
	_, exportErr := exported(s)
	_, putErr := s.Put(t.Context(), "kind/0", []byte("new"), VersionOf([]byte(strings.Repeat("0 ", 20))))
	_, addErr := s.Append(t.Context(), "audit", nil)
	for _, e := range []error{exportErr, putErr, addErr} {
		if err == nil && !errors.Is(e, ErrConflict) {
			err = e
		}
	}
	return errors.Join(err, s.Close())
}

// A file that is cut short while it is open is damage, once and for all.
func TestFileIsCutShort(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range 10 {
		if _, err := s.Put(t.Context(), fmt.Sprint("kind/", i), make([]byte, 64<<10), None); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, FileName), 8192); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.List(t.Context(), ""); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), dir) {
			t.Errorf("List gave %v", err)
		}
		if _, err := s.Append(t.Context(), "audit", nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("Append gave %v", err)
		}
		if err := s.Export(t.Context(), io.Discard); !errors.Is(err, ErrDamaged) {
			t.Errorf("Export gave %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close gave %v", err)
	}
}
