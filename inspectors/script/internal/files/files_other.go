//go:build !linux

package files

import (
	"os"
	"path/filepath"
)

// resolve checks where a name leads now. Unlike on Linux it may lead elsewhere
// a moment later.
func (r *Reader) resolve(op, name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if err == nil {
		err = r.check(real)
	}
	if err != nil {
		if e, ok := err.(*os.PathError); ok {
			err = e.Err
		}
		return "", &os.PathError{Op: op, Path: name, Err: err}
	}
	return real, nil
}

func (r *Reader) open(op, name string) (*os.File, error) {
	real, err := r.resolve(op, name)
	if err != nil {
		return nil, err
	}
	return os.Open(real)
}

// Stat is as os.Stat.
func (r *Reader) Stat(name string) (os.FileInfo, error) {
	real, err := r.resolve("stat", name)
	if err != nil {
		return nil, err
	}
	return os.Stat(real)
}

// Lstat is as os.Lstat.
func (r *Reader) Lstat(name string) (os.FileInfo, error) {
	folder, err := r.resolve("lstat", filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	return os.Lstat(filepath.Join(folder, filepath.Base(name)))
}

// Readlink is as os.Readlink.
func (r *Reader) Readlink(name string) (string, error) {
	folder, err := r.resolve("readlink", filepath.Dir(name))
	if err != nil {
		return "", err
	}
	return os.Readlink(filepath.Join(folder, filepath.Base(name)))
}

// EvalSymlinks is as filepath.EvalSymlinks.
func (r *Reader) EvalSymlinks(name string) (string, error) { return r.resolve("lstat", name) }
