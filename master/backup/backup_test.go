package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noProgress(int64, int64) {}

// fake is a master's folder with blocks of random content; its state is a real one.
type fake struct {
	Source
	state  state.Store
	blocks string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{blocks: t.TempDir()}
	f.Version, f.Data, f.Apart = "v1", t.TempDir(), []string{"state.db", "history", "run"}
	var err error
	if f.state, err = state.Open(filepath.Join(f.Data, "state.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.state.Close(); err != nil {
			t.Error(err)
		}
	})
	f.Export = f.state.Export
	f.Snapshot = func(_ context.Context, use func(string) error) error {
		dir, err := os.MkdirTemp(t.TempDir(), "s")
		if err != nil {
			return err
		}
		return errors.Join(os.CopyFS(dir, os.DirFS(f.blocks)), use(dir))
	}
	f.put(t, filepath.Join(f.Data, "local.key"), []byte("secret"))
	f.put(t, filepath.Join(f.Data, "authority", "root.pem"), []byte("authority"))
	f.put(t, filepath.Join(f.Data, "run", "s"), []byte("of a process"))
	return f
}

func (f *fake) put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// grow adds to all parts.
func (f *fake) grow(t *testing.T) {
	t.Helper()
	for range 1 + rand.IntN(4) {
		block := filepath.Join(f.blocks, fmt.Sprintf("%026d", rand.Uint64()))
		for _, name := range []string{"meta.json", "index", "tombstones", "chunks/000001", "chunks/000002"} {
			f.put(t, filepath.Join(block, name), random(rand.IntN(300_000)))
		}
		program := random(rand.IntN(100_000))
		f.put(t, filepath.Join(f.Data, "artefacts", digestOf(program)), program)
		if _, err := f.state.Put(t.Context(), fmt.Sprintf("k/%d", rand.Uint64()), random(100), state.None); err != nil {
			t.Fatal(err)
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hexOf(sum[:])
}

// backup runs a backup whose stream is changed on its way.
func (f *fake) backup(t *testing.T, dir string, change func([]byte) []byte) (received int, err error) {
	t.Helper()
	folder, err := OpenFolder(t.Context(), dir, noProgress)
	if err != nil {
		return 0, err
	}
	defer folder.Close()
	var stream bytes.Buffer
	if err := f.Send(t.Context(), &stream, folder.Request().Have); err != nil {
		t.Fatal(err)
	}
	whole := change(stream.Bytes())
	_, err = folder.Receive(t.Context(), bytes.NewReader(whole), noProgress)
	return len(whole), err
}

func asIs(b []byte) []byte { return b }

// content lists the files of a folder, without those that are not copied.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err != nil || !entry.Type().IsRegular() || rel == "state.db" || strings.HasPrefix(rel, "run/") {
			return err
		}
		text, err := os.ReadFile(path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameAs restores a backup, and compares what that gives with the master.
func (f *fake) sameAs(t *testing.T, dir string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if _, err := Restore(t.Context(), dir, data, noProgress); err != nil {
		t.Fatal(err)
	}
	want := content(t, f.Data)
	for name, text := range content(t, f.blocks) {
		want["history/"+name] = text
	}
	if got := content(t, data); !maps.Equal(got, want) {
		t.Errorf("restored are %v\nwant %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	restored, err := state.Open(filepath.Join(data, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	var before, after bytes.Buffer
	if err := errors.Join(f.state.Export(t.Context(), &before), restored.Export(t.Context(), &after), restored.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Error("the restored state is another")
	}
}

// Whatever grows in between and wherever a backup is cut off, the folder is a whole
// backup of some moment, and the next attempt brings it up to date; of what never
// changes, nothing comes twice.
func TestBackupsGoOnWhereTheyWere(t *testing.T) {
	f, dir := newFake(t), filepath.Join(t.TempDir(), "backup")
	f.grow(t)
	first, err := f.backup(t, dir, func(b []byte) []byte { return b[:rand.IntN(len(b)-1024)] })
	if !errors.Is(err, ErrNotWhole) {
		t.Fatalf("a stream that was cut off at %d gave %v", first, err)
	}
	if _, err := ReadManifest(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("half a backup is called one: %v", err)
	}
	if _, err := f.backup(t, dir, asIs); err != nil {
		t.Fatal(err)
	}
	f.sameAs(t, dir)
	again, err := f.backup(t, dir, asIs)
	if err != nil {
		t.Fatal(err)
	}
	var fixed int64
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range m.Files {
		if neverChanges(file.Path) {
			fixed += file.Size
		}
	}
	if most := m.Bytes() - fixed + int64(len(m.Files)+10)*2048 + 64<<10; int64(again) > most {
		t.Errorf("a backup of what is there already takes %d bytes, want %d at most", again, most)
	}
	for range 5 {
		if rand.IntN(2) == 0 {
			old, err := os.ReadDir(f.blocks)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(f.blocks, old[rand.IntN(len(old))].Name())); err != nil { // as retention does
				t.Fatal(err)
			}
		}
		f.grow(t)
		if _, err := f.backup(t, dir, func(b []byte) []byte { return b[:rand.IntN(len(b)-1024)] }); !errors.Is(err, ErrNotWhole) {
			t.Fatalf("got %v", err)
		}
		if _, err := Check(t.Context(), dir, noProgress); err != nil {
			t.Fatalf("after an interruption the backup of before is damaged: %v", err)
		}
	}
	if _, err := f.backup(t, dir, asIs); err != nil {
		t.Fatal(err)
	}
	f.sameAs(t, dir)
}

// One flipped bit, in any file, is found, and nothing is restored.
func TestDamageIsFound(t *testing.T) {
	f, dir := newFake(t), filepath.Join(t.TempDir(), "backup")
	f.grow(t)
	if _, err := f.backup(t, dir, asIs); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := m.Files[rand.IntN(len(m.Files))]
	path := filepath.Join(dir, file.Path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append(slices.Clone(text), 0)
	if len(text) > 0 {
		damaged = slices.Clone(text)
		damaged[rand.IntN(len(text))] ^= 1 << rand.IntN(8)
	}
	f.put(t, path, damaged)
	data := filepath.Join(t.TempDir(), "data")
	_, checked := Check(t.Context(), dir, noProgress)
	_, restored := Restore(t.Context(), dir, data, noProgress)
	for _, err := range []error{checked, restored} {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is damaged", file.Path)) {
			t.Errorf("with a flipped bit in %q: %v", file.Path, err)
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 0 {
		t.Errorf("the master's folder has %v, %v", left, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(t.Context(), dir, noProgress); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is missing", file.Path)) {
		t.Errorf("without %q: %v", file.Path, err)
	}
	if _, err := f.backup(t, dir, asIs); err != nil { // which mends it
		t.Fatal(err)
	}
	f.sameAs(t, dir)
}

// A stream that is wrong anywhere harms nothing outside of the folder, and makes no
// backup.
func TestWrongStreams(t *testing.T) {
	f := newFake(t)
	f.grow(t)
	for range 30 {
		dir := filepath.Join(t.TempDir(), "backup")
		_, err := f.backup(t, dir, func(b []byte) []byte {
			b[rand.IntN(len(b))] ^= byte(1 + rand.IntN(255))
			return b
		})
		if err != nil {
			continue // most are noticed at once
		}
		if _, err := Check(t.Context(), dir, noProgress); err != nil { // padding, or the time in the list
			t.Errorf("a stream with a wrong byte was taken for a backup: %v", err)
		}
	}
	for _, path := range []string{"../out", "/etc/passwd", "history/../../out", "files-1", "history", "state-1/x", "other/file", "history//x", ""} {
		m := &Manifest{Format: format, Files: []File{{Path: statePrefix + "1"}, {Path: path}}}
		if m.check() == nil {
			t.Errorf("the path %q is taken", path)
		}
	}
}

func TestFoldersThatAreNotEmpty(t *testing.T) {
	f, dir := newFake(t), t.TempDir()
	f.put(t, filepath.Join(dir, "thesis.doc"), nil)
	if _, err := OpenFolder(t.Context(), dir, noProgress); err == nil || !strings.Contains(err.Error(), `"thesis.doc"`) {
		t.Errorf("got %v", err)
	}
	kept := filepath.Join(t.TempDir(), "backup")
	if _, err := f.backup(t, kept, asIs); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), kept, dir, noProgress); err == nil || !strings.Contains(err.Error(), `it holds "thesis.doc"`) {
		t.Errorf("got %v", err)
	}
	// What an interrupted restore has left is no hindrance.
	data := t.TempDir()
	f.put(t, filepath.Join(data, RestoringDir, "half"), nil)
	f.put(t, filepath.Join(data, "history", "half"), nil)
	if _, err := Restore(t.Context(), kept, data, noProgress); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(data, "*", "half")); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	first, err := OpenFolder(t.Context(), kept, noProgress)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := OpenFolder(t.Context(), kept, noProgress); err == nil || !strings.Contains(err.Error(), "another backup into it is running") {
		t.Errorf("got %v", err)
	}
	if _, err := Check(t.Context(), t.TempDir(), noProgress); err == nil || !strings.Contains(err.Error(), "there is no backup in") {
		t.Errorf("got %v", err)
	}
}

// What fails on the master's side is told on the other.
func TestFailureOfTheMaster(t *testing.T) {
	f := newFake(t)
	f.Export = func(context.Context, io.Writer) error { return errors.New("the disk is on fire") }
	folder, err := OpenFolder(t.Context(), filepath.Join(t.TempDir(), "backup"), noProgress)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	var stream bytes.Buffer
	if err := f.Send(t.Context(), &stream, nil); err == nil {
		t.Error("it did not fail")
	}
	if _, err := folder.Receive(t.Context(), &stream, noProgress); err == nil || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("got %v", err)
	}
}
