package programs

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk that is full is told, and not kept full.
func TestFetchOntoFullDisk(t *testing.T) {
	p := newTestPrograms()
	f := serveTo(t, p)
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", f.dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small disk cannot be made here: %v", err)
	}
	defer unix.Unmount(f.dir, 0)
	_, err := f.Fetch(t.Context(), p.artefact())
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if got := inFolder(t, f); len(got) != 0 || len(p.asked()) != 1 {
		t.Errorf("the folder holds %v; it was asked for %q", got, p.asked())
	}
}
