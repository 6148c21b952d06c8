package alone

import (
	"os"
	"syscall"
	"testing"
)

// Mounts is Test in a process with separate mounts: nobody else sees what f
// mounts. It needs root.
func Mounts(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("separate mounts need root")
	}
	run(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}, func(t *testing.T) {
		if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Skipf("mounts cannot be made private here: %v", err)
		}
		f(t)
	})
}
