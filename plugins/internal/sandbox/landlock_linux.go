package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// usual are the folders and files that a script host may always read: those that
// measuring needs, names of users and hosts, certificates, time zones, and the
// libraries of a program that is not linked statically. A script may read less;
// package script decides.
func usual() []string {
	return []string{
		"/proc", "/sys", "/etc", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/share", "/usr/local/share", "/lib", "/lib64",
		"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
		"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/udev/data", "/run/utmp", "/var/run/utmp",
	}
}

// secrets are among the usual files but are held back where the permissions of
// files do not protect them.
func secrets() []string {
	return []string{"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d"}
}

// Rights of Landlock, by the version that brought them.
const (
	rightsRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	rightsWrite = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	rightsOfSockets = unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK
	// rightsOfFiles are the rights that a rule for a file may have.
	rightsOfFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
)

// landlock is a set of rules that is not in force yet.
type landlock struct{ fd int }

// landlockVersion asks the kernel what it can do.
func landlockVersion() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, fmt.Errorf("the kernel has no Landlock, or it is switched off: %w", errno)
	}
	return int(abi), nil
}

// landlockRules makes the rules. Paths that do not exist are left out. hidden says
// that the private files are out of sight already.
func (s *Settings) landlockRules(abi int, hidden bool) (*landlock, error) {
	attr := s.landlockAttr(abi)
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return nil, fmt.Errorf("cannot make a set of rules: %w", errno)
	}
	l := &landlock{int(fd)}
	unix.CloseOnExec(l.fd)
	faults := []error{l.allow(self, unix.LANDLOCK_ACCESS_FS_EXECUTE|unix.LANDLOCK_ACCESS_FS_READ_FILE)}
	for _, path := range s.readable(hidden) {
		rights := uint64(rightsRead)
		if within(path, "/lib") || within(path, "/lib64") || within(path, "/usr/lib") || within(path, "/usr/lib64") {
			rights |= unix.LANDLOCK_ACCESS_FS_EXECUTE // the loader of a dynamically linked program
		}
		faults = append(faults, l.allow(path, rights))
	}
	if s.Sockets > 0 {
		faults = append(faults, l.add(s.Sockets, rightsOfSockets))
	}
	return l, errors.Join(faults...)
}

// landlockAttr says which rights the rules govern, as far as the kernel knows
// them.
func (s *Settings) landlockAttr(abi int) unix.LandlockRulesetAttr {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_EXECUTE | rightsRead | rightsWrite}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		// The agent connects for the host; see package broker.
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// readable lists the readable paths. A rule holds a folder itself, not its name:
// if a file is replaced by another one, the rule no longer covers it. So a
// requested file becomes readable by way of its folder, and package script makes
// sure that a script reads only that file.
func (s *Settings) readable(hidden bool) []string {
	kept := s.kept(hidden)
	var list []string
	for _, path := range usual() {
		list = append(list, without(path, kept)...)
	}
	for _, path := range slices.Concat(s.Folders, s.Read) {
		if folder := nearestFolder(path); folder != "/" {
			list = append(list, without(folder, kept)...)
		}
	}
	return list
}

// kept are the real paths that must never be read, if no other layer hides them.
// To hold something back from a folder, all else that is in it now has to be
// named, and later files are missed.
func (s *Settings) kept(hidden bool) []string {
	var list []string
	if !hidden {
		list = append(list, s.Private...)
	}
	if s.User == 0 {
		list = append(list, secrets()...)
	}
	var kept []string
	for _, path := range list {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			kept = append(kept, real)
		}
	}
	return kept
}

// nearestFolder returns the real path of a folder, or of the one that contains the
// path, or would.
func nearestFolder(path string) string {
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			if info, err := os.Stat(real); err == nil && info.IsDir() {
				return real
			}
		}
		if path == "/" {
			return path
		}
		path = filepath.Dir(path)
	}
}

// without returns path, or, if a path to be held back is in it, everything in it
// except that.
func without(path string, kept []string) []string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil // not there
	}
	holds := false
	for _, k := range kept {
		if within(real, k) {
			return nil
		}
		holds = holds || within(k, real)
	}
	if !holds {
		return []string{real}
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		if e.Type()&os.ModeSymlink == 0 { // its target has its own rules, or none
			list = append(list, without(filepath.Join(real, e.Name()), kept)...)
		}
	}
	return list
}

// allow adds a rule for a path. If the path does not exist or this process may not
// reach it, no rule is needed.
func (l *landlock) allow(path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= rightsOfFiles
	}
	if err := l.add(fd, rights); err != nil {
		return fmt.Errorf("cannot allow to read %q: %w", path, err)
	}
	return nil
}

func (l *landlock) add(fd int, rights uint64) error {
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(l.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// enforce puts the rules in force for the calling thread.
func (l *landlock) enforce() error {
	defer unix.Close(l.fd)
	if err := rawCall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(l.fd), 0, 0); err != nil {
		return fmt.Errorf("cannot put the rules in force: %w", err)
	}
	return nil
}
