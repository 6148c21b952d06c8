package state

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vedettehq/vedette/internal/alone"
	"golang.org/x/sys/unix"
)

// limited is a folder whose files cannot grow.
func limited(t *testing.T) (dir string, lift func()) {
	return t.TempDir(), alone.LimitFiles(t, 256<<10)
}

// small is a folder on a separate disk that is nearly full.
func small(t *testing.T) (dir string, lift func()) {
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("SKIPPED: cannot mount a small disk, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir, func() {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
	}
}

// A write that a full disk refuses is an error and leaves nothing; earlier data stay and
// can be deleted, and when there is room again all is as before.
func TestFullDisk(t *testing.T) {
	for name, make := range map[string]func(*testing.T) (string, func()){"file": limited, "disk": small} {
		t.Run(name, func(t *testing.T) {
			dir, lift := make(t)
			s := mustOpen(t, dir)
			t.Cleanup(func() { _ = s.Close() }) // before the disk goes
			testFullDisk(t, s, dir, lift)
		})
	}
}

func testFullDisk(t *testing.T, s *store, dir string, lift func()) {
	ctx := t.Context()
	value := make([]byte, 8<<10)
	put := func(i int) error {
		return s.Apply(ctx, Put(fmt.Sprintf("kind/%03d", i), append(value, byte(i)), None), Append("audit", value[:100]))
	}
	// A write that is refused may fit a moment later, in room that an earlier one
	// has given back: the disk is full when five in a row are refused.
	n, refused := 0, 0
	var err error
	for refused < 5 && n < 100 {
		if err = put(n); err == nil {
			n, refused = n+1, 0
			continue
		}
		refused++
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalid) {
			t.Fatalf("a full disk gives %v", err)
		}
		if all, err := s.List(ctx, ""); err != nil || len(all) != n {
			t.Fatalf("there are %d entries of %d, %v", len(all), n, err)
		}
	}
	if refused == 0 {
		t.Fatal("the disk does not get full")
	}
	t.Logf("after %d writes: %v", n, err)
	if seq := lastSeqOf(t, s); seq != uint64(n) {
		t.Errorf("there are %d records of %d", seq, n)
	}
	lift()
	for i := n; i < 2*n; i++ {
		if err := put(i); err != nil {
			t.Fatalf("when there is room: %v", err)
		}
	}
	want, err := exported(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, dir)
	if got, err := exported(again); err != nil || got != want {
		t.Errorf("after a restart there is something else, %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func lastSeqOf(t *testing.T, s *store) uint64 {
	for r, err := range s.ScanBack(t.Context(), "audit", 0) {
		if err != nil {
			t.Fatal(err)
		}
		return r.Seq
	}
	return 0
}
