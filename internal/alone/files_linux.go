package alone

import (
	"os/signal"
	"syscall"
	"testing"
)

// LimitFiles makes writes fail that would make a file larger than a size, as on a
// full disk, until lift is called or the test ends. It changes the whole process;
// see Test.
func LimitFiles(t testing.TB, bytes uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(l syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: bytes, Max: before.Max})
	lift = func() { set(before) }
	t.Cleanup(lift)
	return lift
}
