// Package files lets scripts read the files that they may read: those in which the system
// describes itself, and those in their needs. It checks the file that was opened, not its
// name, however many links lie in between and whoever changes them meanwhile.
//
// It bounds the functions that a script calls. Files that the library opens by itself, and
// anything that escapes from the interpreter, are left to the sandbox of the process.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Reader opens files for one script. It is safe for use by any number of
// goroutines.
type Reader struct {
	granted []string // real paths in the script's needs
	private []string // real paths that no script may read
	proc    []string // where the folders of processes are
	sys     []string
	etc     []string
}

// New makes a reader for the files that every script may read and those that are granted,
// except private ones. All paths are absolute and clean; links in them are resolved now.
func New(granted, private []string) *Reader {
	return &Reader{
		granted: real(granted),
		private: real(private),
		proc:    variants("HOST_PROC", "/proc"),
		sys:     variants("HOST_SYS", "/sys"),
		etc:     variants("HOST_ETC", "/etc"),
	}
}

// aboutSystem reports whether a name is that of a file in /etc in which a system describes
// itself.
func aboutSystem(name string) bool {
	switch name {
	case "os-release", "lsb-release", "debian_version", "alpine-release", "redhat-release", "system-release", "arch-release", "SuSE-release",
		"hostname", "machine-id", "timezone", "localtime", "mtab", "fstab":
		return true
	}
	return false
}

// variants returns a folder and, if the environment names it, the folder where the host's
// own is mounted in a container.
func variants(variable, folder string) []string {
	if elsewhere := os.Getenv(variable); filepath.IsAbs(elsewhere) && filepath.Clean(elsewhere) != "/" {
		return append(real([]string{filepath.Clean(elsewhere)}), folder)
	}
	return []string{folder}
}

// real adds the target of each path, if that is a different path.
func real(paths []string) []string {
	var list []string
	for _, path := range paths {
		list = append(list, path)
		if at, err := filepath.EvalSymlinks(path); err == nil && at != path {
			list = append(list, at)
		}
	}
	return list
}

// deniedError says that a script may not read a file.
type deniedError struct{ path string }

func (e *deniedError) Error() string {
	if !filepath.IsAbs(e.path) || strings.ContainsAny(e.path, " \t\n") {
		return "scripts may not read this"
	}
	return fmt.Sprintf("not among the files that scripts may read; write //vedette:needs fs:%s if it must be", e.path)
}

// Is makes os.IsPermission true for the error.
func (e *deniedError) Is(target error) bool { return target == fs.ErrPermission }

// secretFiles are the files of a process or thread that show its memory, which includes its
// environment.
var secretFiles = regexp.MustCompile(`^[^/]+/(task/[0-9]+/)?(mem|environ|auxv|pagemap|map_files(/.*)?)$|^(kcore|kmsg|kpage[a-z]*|sysrq-trigger)$`)

// check returns an error if a script may not read the file at a real path.
func (r *Reader) check(path string) error {
	denied := &deniedError{path}
	switch {
	case !filepath.IsAbs(path), withinAny(path, r.private):
		return denied
	case withinAny(path, r.granted):
		return nil
	case !r.isUsual(path):
		return denied
	}
	for _, proc := range r.proc {
		if rest, err := filepath.Rel(proc, path); err == nil && secretFiles.MatchString(rest) {
			return denied
		}
	}
	return nil
}

// isUsual reports whether every script may read the file at a real path.
func (r *Reader) isUsual(path string) bool {
	switch {
	case withinAny(path, r.proc), withinAny(path, r.sys):
		return true
	case aboutSystem(filepath.Base(path)) && slices.Contains(r.etc, filepath.Dir(path)):
		return true
	case path == "/dev/null", path == "/usr/lib/os-release":
		return true
	}
	return strings.HasPrefix(path, "/usr/share/zoneinfo/") // the target of localtime
}

// plain reports whether the kernel made a name that leads nowhere else: a file of /proc
// itself, or of the folder of a process there. These are read most, by the hundreds.
func plain(name string) bool {
	rest, found := strings.CutPrefix(name, "/proc/")
	first, second, deeper := strings.Cut(rest, "/")
	if !found || first == "" {
		return false
	}
	if !deeper {
		return first != "self" && first != "thread-self" && first != "net" && first != "mounts" && first[0] != '.'
	}
	if strings.Trim(first, "0123456789") != "" || strings.Contains(second, "/") {
		return false
	}
	switch second {
	case "stat", "status", "statm", "io", "comm", "cmdline", "limits", "schedstat", "cgroup", "smaps_rollup", "fd":
		return true
	}
	return false
}

func withinAny(path string, roots []string) bool {
	for _, root := range roots {
		if path == root || strings.HasPrefix(path, root) && path[len(root)] == '/' {
			return true
		}
	}
	return false
}

// Open is like os.Open. A named pipe without a writer is at its end.
func (r *Reader) Open(name string) (*os.File, error) { return r.open("open", name) }

// ReadFile is as os.ReadFile.
func (r *Reader) ReadFile(name string) ([]byte, error) {
	f, err := r.open("open", name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// ReadDir is as os.ReadDir.
func (r *Reader) ReadDir(name string) ([]os.DirEntry, error) {
	f, err := r.open("open", name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// IsPermission is as os.IsPermission, which knows the errors of the system only.
func IsPermission(err error) bool {
	var denied *deniedError
	return os.IsPermission(err) || errors.As(err, &denied)
}

// tree is the whole file system as far as the reader may see it, for the walks of package
// fs. Its names lack the leading slash.
type tree struct{ r *Reader }

func path(name string) string { return "/" + strings.TrimPrefix(name, ".") }

// Open implements fs.FS.
func (t tree) Open(name string) (fs.File, error) { return t.r.Open(path(name)) }

// Stat implements fs.StatFS. It does not follow a link at the end, as the walks
// of package filepath do not.
func (t tree) Stat(name string) (fs.FileInfo, error) { return t.r.Lstat(path(name)) }

// ReadDir implements fs.ReadDirFS.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) { return t.r.ReadDir(path(name)) }

// inTree turns a name into one of the tree. Scripts run in the root folder.
func inTree(name string) string {
	clean := filepath.Clean("/" + name)
	if clean == "/" {
		return "."
	}
	return clean[1:]
}

// Glob is as filepath.Glob.
func (r *Reader) Glob(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	absolute := filepath.IsAbs(pattern)
	found, err := fs.Glob(tree{r}, inTree(pattern))
	if absolute {
		for i := range found {
			found[i] = "/" + found[i]
		}
	}
	return found, err
}

// WalkDir is as filepath.WalkDir.
func (r *Reader) WalkDir(root string, f fs.WalkDirFunc) error {
	return fs.WalkDir(tree{r}, inTree(root), func(name string, d fs.DirEntry, err error) error {
		return f(under(root, name), d, err)
	})
}

// under converts a name of the tree to the name in a walk from root.
func under(root, name string) string {
	rest, err := filepath.Rel(inTree(root), name)
	if err != nil || rest == "." {
		return root
	}
	return filepath.Join(root, rest)
}

// Walk is as filepath.Walk.
func (r *Reader) Walk(root string, f filepath.WalkFunc) error {
	return r.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d == nil {
			return f(path, nil, err)
		}
		info, infoErr := r.Lstat(path)
		if infoErr == nil {
			return f(path, info, err)
		}
		if err := f(path, info, infoErr); err != nil || !d.IsDir() {
			return err
		}
		return fs.SkipDir // invisible folders are not entered
	})
}
