package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// place makes a folder with what a script may read and what it may not:
//
//	granted/a, granted/sub/b   may be read
//	granted/own/secret         is private
//	outside/secret             is nobody's business
//	granted/link…              lead to outside, by every kind of way
func place(t *testing.T) (root string, r *Reader) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"granted/a", "granted/sub/b", "granted/own/secret", "outside/secret"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"link-file":     filepath.Join(root, "outside/secret"),
		"link-relative": "../outside/secret",
		"link-folder":   "../outside",
		"link-process":  "/proc/self/root" + filepath.Join(root, "outside/secret"),
		"link-own":      "own/secret",
		"link-good":     "sub/b",
	} {
		if err := os.Symlink(target, filepath.Join(root, "granted", name)); err != nil {
			t.Fatal(err)
		}
	}
	granted := filepath.Join(root, "granted")
	return granted, New([]string{granted}, []string{filepath.Join(granted, "own")})
}

func TestWhatMayBeRead(t *testing.T) {
	root, r := place(t)
	for name, want := range map[string]string{"a": "granted/a", "sub/b": "granted/sub/b", "sub/../a": "granted/a", "link-good": "granted/sub/b"} {
		got, err := r.ReadFile(root + "/" + name)
		if err != nil || string(got) != want {
			t.Errorf("ReadFile(%s) is %q, %v", name, got, err)
		}
	}
	for _, name := range []string{
		"/proc/stat", "/proc/self/status", "/proc/1/stat", "/proc/1/cmdline", "/proc/net/dev", "/proc/self/mounts",
		"/etc/hostname", "/dev/null", "/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/stat",
	} {
		want, wantErr := os.ReadFile(name)
		got, err := r.ReadFile(name)
		if (err == nil) != (wantErr == nil) || err == nil && len(want) > 0 && len(got) == 0 {
			t.Errorf("ReadFile(%s) has %d bytes, %v; package os %d, %v", name, len(got), err, len(want), wantErr)
		}
	}
	f, err := r.Open(root + "/sub/b")
	if err != nil || f.Name() != root+"/sub/b" {
		t.Fatalf("Open: %v, %v", f, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// forbidden lists what is out of reach, in every way to say it.
func forbidden(root string) []string {
	list := []string{
		"/", "/etc", "/etc/passwd", "/etc/shadow", "/root", "/tmp", "/usr/lib", "/run",
		"/proc/self/mem", "/proc/self/environ", "/proc/1/environ", "/proc/1/auxv", "/proc/thread-self/mem", "/proc/self/task/../mem",
		"/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/environ", "/proc/kcore", "/proc/kmsg",
		"/proc/self/root/etc/passwd", "/proc/self/cwd", "/proc/self/fd/1", "/proc/../etc/passwd", "/sys/../etc/passwd",
	}
	for _, name := range []string{
		"", "/outside", "/outside/secret", "/granted/../outside/secret", "/granted/own", "/granted/own/secret", "/granted/link-file",
		"/granted/link-relative", "/granted/link-folder/secret", "/granted/link-process", "/granted/link-own", "/granteda",
	} {
		list = append(list, filepath.Dir(root)+name)
	}
	return list
}

func TestWhatMayNotBeRead(t *testing.T) {
	root, r := place(t)
	for _, name := range forbidden(root) {
		_, openErr := r.Open(name)
		_, readErr := r.ReadFile(name)
		_, dirErr := r.ReadDir(name)
		_, statErr := r.Stat(name)
		_, evalErr := r.EvalSymlinks(name)
		for call, err := range map[string]error{"Open": openErr, "ReadFile": readErr, "ReadDir": dirErr, "Stat": statErr, "EvalSymlinks": evalErr} {
			if !IsPermission(err) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s(%s): %v", call, name, err)
			}
			var path *os.PathError
			if !errors.As(err, &path) || path.Path != name {
				t.Errorf("%s(%s) has the error %#v", call, name, err)
			}
		}
	}
	_, err := r.Open("/etc/passwd")
	if want := "open /etc/passwd: not among the files that scripts may read; write //vedette:needs fs:/etc/passwd if it must be"; err == nil ||
		err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestLinksThemselves(t *testing.T) {
	root, r := place(t)
	target, err := r.Readlink(root + "/link-relative")
	if err != nil || target != "../outside/secret" {
		t.Errorf("Readlink: %q, %v", target, err)
	}
	info, err := r.Lstat(root + "/link-file")
	if err != nil || info.Mode()&os.ModeSymlink == 0 || info.Name() != "link-file" {
		t.Errorf("Lstat: %v, %v", info, err)
	}
	if _, err := r.Readlink(root + "/a"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("Readlink of a file: %v", err)
	}
	if _, err := r.Lstat(filepath.Dir(root) + "/outside/secret"); !IsPermission(err) {
		t.Errorf("Lstat outside: %v", err)
	}
	if exe, err := r.Readlink("/proc/self/exe"); err != nil || exe == "" {
		t.Errorf("Readlink of the program: %q, %v", exe, err)
	}
}

func TestWalks(t *testing.T) {
	root, r := place(t)
	found, err := r.Glob(root + "/*")
	want, _ := filepath.Glob(root + "/*")
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("Glob: %q, %v, want %q", found, err, want)
	}
	if found, err := r.Glob(filepath.Dir(root) + "/outside/*"); err != nil || len(found) > 0 {
		t.Errorf("Glob outside: %q, %v", found, err)
	}
	if _, err := r.Glob("/proc/["); !errors.Is(err, filepath.ErrBadPattern) {
		t.Errorf("Glob of a bad pattern: %v", err)
	}
	if found, err := r.Glob("/proc/[0-9]*/stat"); err != nil || len(found) == 0 {
		t.Errorf("Glob of processes: %q, %v", found, err)
	}
	for name, walk := range map[string]func(root string, f func(path string, name string, err error) error) error{
		"Walk": func(root string, f func(string, string, error) error) error {
			return r.Walk(root, func(path string, info fs.FileInfo, err error) error {
				if info == nil {
					return f(path, filepath.Base(path), err)
				}
				return f(path, info.Name(), err)
			})
		},
		"WalkDir": func(root string, f func(string, string, error) error) error {
			return r.WalkDir(root, func(path string, d fs.DirEntry, err error) error { return f(path, d.Name(), err) })
		},
	} {
		var seen []string
		err := walk(root, func(path, base string, err error) error {
			if err == nil {
				seen = append(seen, strings.TrimPrefix(path, root))
			} else if !IsPermission(err) || filepath.Base(path) != "own" {
				t.Errorf("%s meets %v at %s", name, err, path)
			}
			if base != filepath.Base(path) {
				t.Errorf("%s calls %s %s", name, path, base)
			}
			if base == "own" {
				return filepath.SkipDir
			}
			return nil
		})
		if err != nil || !slices.Contains(seen, "/sub/b") || !slices.Contains(seen, "") || slices.Contains(seen, "/own/secret") {
			t.Errorf("%s sees %q, %v", name, seen, err)
		}
	}
}

// A link that is changed all the time never leads a reader to what it may not
// read.
func TestChangingLinks(t *testing.T) {
	root, r := place(t)
	link := filepath.Join(root, "turning")
	if err := os.Symlink("a", link); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var turner sync.WaitGroup
	turner.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := filepath.Join(root, "next")
			_ = os.Symlink([]string{"a", "../outside/secret"}[i%2], next)
			_ = os.Rename(next, link)
		}
	})
	good, refused := 0, 0
	for range 5000 {
		text, err := r.ReadFile(link)
		switch {
		case err == nil && string(text) == "granted/a":
			good++
		case err == nil:
			t.Fatalf("it read %q", text)
		case IsPermission(err):
			refused++
		}
	}
	close(stop)
	turner.Wait()
	if good == 0 || refused == 0 {
		t.Errorf("%d good reads and %d refused ones prove nothing", good, refused)
	}
}

// A pipe that nobody writes to holds nobody up.
func TestNamedPipe(t *testing.T) {
	root, r := place(t)
	pipe := filepath.Join(root, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := r.ReadFile(pipe)
	if err != nil || len(text) > 0 {
		t.Errorf("ReadFile: %q, %v", text, err)
	}
}

// The folders of a host that is seen from within a container are as good as the
// usual ones, and their secrets as secret.
func TestHostFolders(t *testing.T) {
	root, _ := place(t)
	for _, name := range []string{"1/stat", "1/environ", "1/task/2/mem"} {
		path := filepath.Join(root, "sub/proc", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOST_PROC", root+"/sub/proc")
	r := New(nil, nil)
	if text, err := r.ReadFile(root + "/sub/proc/1/stat"); err != nil || string(text) != "1/stat" {
		t.Errorf("%q, %v", text, err)
	}
	for _, name := range []string{"/sub/proc/1/environ", "/sub/proc/1/task/2/mem", "/sub/b"} {
		if _, err := r.ReadFile(root + name); !IsPermission(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A path that is read without being held first cannot lead elsewhere.
func TestPlainNames(t *testing.T) {
	for name, want := range map[string]bool{
		"/proc/loadavg": true, "/proc/1/stat": true, "/proc/12/fd": true, "/proc/stat": true,
		"/proc/self": false, "/proc/net": false, "/proc/mounts": false, "/proc/thread-self": false, "/proc/..": false, "/proc/": false, "/proc": false,
		"/proc/1/root": false, "/proc/1/cwd": false, "/proc/1/exe": false, "/proc/1/..": false, "/proc/net/dev": false, "/proc/self/stat": false,
		"/proc/1/fd/0": false, "/proc//stat": false, "/proc/./stat": false, "/procs/stat": false, "proc/stat": false, "/proc/1/../stat": false,
	} {
		if got := plain(name); got != want {
			t.Errorf("plain(%q) is %v", name, got)
		}
		if info, err := os.Lstat(name); want && err == nil && info.Mode()&os.ModeSymlink != 0 {
			t.Errorf("%s is a link", name)
		}
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type()&os.ModeSymlink != 0 && plain("/proc/"+e.Name()) {
			t.Errorf("/proc/%s is a link", e.Name())
		}
	}
}

func BenchmarkReadFile(b *testing.B) {
	r := New(nil, nil)
	for b.Loop() {
		if _, err := r.ReadFile("/proc/loadavg"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadFileOfOS(b *testing.B) {
	for b.Loop() {
		if _, err := os.ReadFile("/proc/loadavg"); err != nil {
			b.Fatal(err)
		}
	}
}
