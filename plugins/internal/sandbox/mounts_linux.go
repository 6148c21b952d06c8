package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// mounts gives the thread a separate view of the file system, in which nothing can
// be written and the private files cannot be seen, and neither can the homes of
// users if homes is set. File systems that are mounted later still appear in it.
func (s *Settings) mounts(homes bool) error {
	if unix.Geteuid() != 0 {
		return errors.New("the agent does not run as root")
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("cannot make a view of the file system: %w", err)
	}
	// It receives the mounts of the agent's view, and gives none back.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("cannot part the view of the file system from the agent's: %w", err)
	}
	var faults []error
	for _, path := range s.hidden(homes) {
		if err := hide(path); err != nil {
			faults = append(faults, fmt.Errorf("cannot hide %q: %w", path, err))
		}
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &attr); err != nil {
		faults = append(faults, fmt.Errorf("cannot make the file system read-only: %w", err))
	}
	return errors.Join(faults...)
}

// hidden returns the paths to hide. A folder on which a file system is mounted
// stays visible, so that its size can be measured, but its content is hidden.
func (s *Settings) hidden(homes bool) []string {
	var list []string
	for _, path := range s.Private {
		real, err := filepath.EvalSymlinks(path)
		switch {
		case err != nil: // not there
		case isMountPoint(real):
			inside, _ := filepath.Glob(real + "/*")
			list = append(list, inside...)
		default:
			list = append(list, real)
		}
	}
	if !homes {
		return list
	}
	folders, _ := filepath.Glob("/home/*")
	for _, path := range append(folders, "/root") {
		if !isMountPoint(path) && !s.granted(path) {
			list = append(list, path)
		}
	}
	return list
}

// granted reports whether path, or something in it, may be read.
func (s *Settings) granted(path string) bool {
	for _, g := range slices.Concat(s.Folders, s.Read) {
		if within(g, path) || within(path, g) {
			return true
		}
	}
	return false
}

// within reports whether path is root or lies below it; both are clean.
func within(path, root string) bool {
	rest, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rest)
}

func isMountPoint(path string) bool {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, 0, &st); err != nil {
		return false
	}
	return st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// hide covers a file or a folder with an empty one.
func hide(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return unix.Mount("vedette-hidden", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "size=4k,nr_inodes=1,mode=0555")
	}
	return unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
}
