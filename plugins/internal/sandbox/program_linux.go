package sandbox

import (
	"fmt"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ConfineProgram keeps the calling thread, and the programs that it will start,
// from writing files, from seeing the private ones, and from sending signals to
// others. The thread must never be unlocked. It returns the parts that the system
// cannot do; the others are set in any case.
func ConfineProgram(private []string) []error {
	s := Settings{Private: private}
	var faults []error
	hidden := false
	if unix.Geteuid() == 0 {
		err := s.mounts(false)
		if hidden = err == nil; !hidden {
			faults = append(faults, fmt.Errorf("programs lack the layer %s: %w", LayerMounts, err))
		}
	}
	if err := s.programRules(hidden); err != nil {
		faults = append(faults, fmt.Errorf("programs lack the layer %s: %w", LayerLandlock, err))
	}
	return faults
}

// programRules puts the rules of Landlock for a program in force: everything
// except private files may be read and executed, and nothing may be written except
// devices that store nothing.
func (s *Settings) programRules(hidden bool) error {
	abi, err := landlockVersion()
	if err != nil {
		return err
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_EXECUTE | rightsRead | rightsWrite}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("cannot make a set of rules: %w", errno)
	}
	l := &landlock{int(fd)}
	unix.CloseOnExec(l.fd)
	kept := []string{}
	if !hidden {
		// A program runs so briefly that it does not miss later files.
		kept = s.kept(hidden)
	}
	for _, path := range without("/", kept) {
		err = firstError(err, l.allow(path, unix.LANDLOCK_ACCESS_FS_EXECUTE|rightsRead))
	}
	for _, path := range []string{os.DevNull, "/dev/zero", "/dev/full"} {
		err = firstError(err, l.allowDevice(path))
	}
	return firstError(err, l.enforce())
}

// allowDevice allows a device to be read and written. A missing device needs no
// rule.
func (l *landlock) allowDevice(path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	return l.add(fd, unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
}

func firstError(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// IsRoot reports whether this process has the rights of root, so that programs
// have to run as another user.
func IsRoot() bool { return unix.Geteuid() == 0 }
