package files

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// grab opens a file with O_PATH, which has no effect on a device or a pipe, and checks it.
// The descriptor is only good for inspecting the file and opening it.
func (r *Reader) grab(op, name string, flags int) (fd int, real string, err error) {
	fail := func(err error) (int, string, error) {
		return -1, "", &os.PathError{Op: op, Path: name, Err: err}
	}
	fd, err = retry(func() (int, error) {
		return unix.Open(name, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
	})
	if err != nil {
		return fail(err)
	}
	real, err = os.Readlink(handle(fd))
	if err == nil {
		err = r.check(real)
	} else if e, ok := err.(*os.PathError); ok {
		err = e.Err
	}
	if err != nil {
		_ = unix.Close(fd)
		return fail(err)
	}
	return fd, real, nil
}

// handle is the name under which the kernel knows the file of a descriptor.
func handle(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (r *Reader) open(op, name string) (*os.File, error) {
	if plain(name) {
		if err := r.check(name); err != nil {
			return nil, &os.PathError{Op: op, Path: name, Err: err}
		}
		return os.Open(name)
	}
	held, _, err := r.grab(op, name, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(held)
	// The same file that was checked, whatever its name means by now.
	fd, err := retry(func() (int, error) {
		return unix.Open(handle(held), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
	if err != nil {
		return nil, &os.PathError{Op: op, Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Stat is as os.Stat.
func (r *Reader) Stat(name string) (os.FileInfo, error) { return r.stat("stat", name, 0) }

// Lstat is as os.Lstat.
func (r *Reader) Lstat(name string) (os.FileInfo, error) {
	return r.stat("lstat", name, unix.O_NOFOLLOW)
}

func (r *Reader) stat(op, name string, flags int) (os.FileInfo, error) {
	fd, _, err := r.grab(op, name, flags)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return f.Stat()
}

// Readlink is as os.Readlink.
func (r *Reader) Readlink(name string) (string, error) {
	fd, _, err := r.grab("readlink", name, unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	target := make([]byte, unix.PathMax)
	n, err := retry(func() (int, error) { return unix.Readlinkat(fd, "", target) })
	switch err {
	case nil:
		return string(target[:n]), nil
	case unix.ENOENT: // the error of readlinkat for a file that is no link
		err = unix.EINVAL
	}
	return "", &os.PathError{Op: "readlink", Path: name, Err: err}
}

// EvalSymlinks is as filepath.EvalSymlinks.
func (r *Reader) EvalSymlinks(name string) (string, error) {
	fd, real, err := r.grab("lstat", name, 0)
	if err != nil {
		return "", err
	}
	return real, unix.Close(fd)
}
