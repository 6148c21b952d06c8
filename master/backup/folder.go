package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/internal/wholefile"
)

// Folder is a backup on a disk, which one process at a time may change.
type Folder struct {
	dir  string
	lock *os.File
	have map[string]File // that are there and intact
}

// OpenFolder opens a folder for a backup, or makes one, and reads the intact files
// of earlier backups. A folder with anything else in it is refused.
func OpenFolder(ctx context.Context, dir string, tell Progress) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the backup: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder of the backup: %w", err)
	}
	for _, entry := range entries {
		if !ours(entry.Name()) {
			return nil, fmt.Errorf("cannot keep a backup in %q: it holds %q, which is no part of one; choose an empty folder", dir, entry.Name())
		}
	}
	f := &Folder{dir: dir}
	if f.lock, err = os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("cannot lock the folder of the backup: %w", err)
	}
	if err := unix.Flock(int(f.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot keep a backup in %q: another backup into it is running", dir), f.lock.Close())
	}
	if f.have, err = f.intact(ctx, tell); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ours tells whether a name is one of a backup's folder.
func ours(name string) bool {
	return name == manifestName || name == receivedName || name == lockName || strings.HasPrefix(name, manifestName+".") ||
		name+"/" == historyDir || name+"/" == artefactsDir || strings.HasPrefix(name, statePrefix) || strings.HasPrefix(name, filesPrefix)
}

// Close lets others change the folder.
func (f *Folder) Close() error { return f.lock.Close() }

// Request is what to ask the master with.
func (f *Folder) Request() Request {
	r := Request{Have: make(map[string]int64)}
	for path, file := range f.have {
		r.Have[path] = file.Size
	}
	return r
}

// intact lists the files that never change and are as they were received.
func (f *Folder) intact(ctx context.Context, tell Progress) (map[string]File, error) {
	known := make(map[string]File)
	if m, err := ReadManifest(f.dir); err == nil {
		for _, file := range m.Files {
			known[file.Path] = file
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if in, err := os.Open(filepath.Join(f.dir, receivedName)); err == nil {
		defer in.Close()
		for lines := bufio.NewScanner(in); lines.Scan(); {
			var file File
			if json.Unmarshal(lines.Bytes(), &file) == nil { // else it was cut off
				known[file.Path] = file
			}
		}
	}
	var done, total int64
	for path, file := range known {
		if !neverChanges(path) || !filepath.IsLocal(path) {
			delete(known, path)
		}
		total += file.Size
	}
	for path, file := range known {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if sum, size, err := sumOf(filepath.Join(f.dir, path)); err != nil || sum != file.SHA256 || size != file.Size {
			delete(known, path)
		}
		done += file.Size
		tell(done, total)
	}
	return known, nil
}

func sumOf(path string) (sum string, size int64, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, in)
	return hexOf(hash.Sum(nil)), size, err
}

// ReadManifest reads what a folder has. Its error is of fs.ErrNotExist where that is no
// backup.
func ReadManifest(dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, fmt.Errorf("cannot read the backup: %w", err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read the backup %q: %s: %w", dir, manifestName, err)
	}
	for _, file := range m.Files {
		if !isSum(file.SHA256) {
			return nil, fmt.Errorf("cannot read the backup %q: %s gives no checksum of %q", dir, manifestName, file.Path)
		}
	}
	return m, nil
}

func parseManifest(text []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("it is no list of a backup: %w", err)
	}
	return &m, m.check()
}

// Receive takes a stream in, and makes the folder the backup that it is.
func (f *Folder) Receive(ctx context.Context, r io.Reader, tell Progress) (*Manifest, error) {
	archive := tar.NewReader(r)
	m, err := begin(archive)
	if err != nil {
		return nil, err
	}
	received, err := os.OpenFile(filepath.Join(f.dir, receivedName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write the backup: %w", err)
	}
	defer received.Close()
	var done, total int64
	for i := range m.Files {
		if file := &m.Files[i]; !file.Kept {
			total += file.Size
		} else if known, there := f.have[file.Path]; !there || known.Size != file.Size {
			return nil, fmt.Errorf("cannot take the backup: the master sends no %q, which is not here", file.Path)
		} else {
			file.SHA256, file.Kept = known.SHA256, false
			continue
		}
		if err := f.take(ctx, archive, &m.Files[i], func(n int64) { tell(done+n, total) }); err != nil {
			return nil, err
		}
		done += m.Files[i].Size
		tell(done, total)
		line, err := json.Marshal(m.Files[i])
		if err == nil {
			_, err = received.Write(append(line, '\n'))
		}
		if err != nil {
			return nil, fmt.Errorf("cannot write the backup: %w", err)
		}
	}
	if _, err := next(archive, endName); err != nil {
		return nil, err
	}
	return m, f.finish(m)
}

// begin reads the list at the head of a stream.
func begin(archive *tar.Reader) (*Manifest, error) {
	header, err := next(archive, beginName)
	if err != nil {
		return nil, err
	}
	if header.Size > maxList {
		return nil, fmt.Errorf("cannot take the backup: its list has %d bytes", header.Size)
	}
	text, err := io.ReadAll(archive)
	if err != nil {
		return nil, fmt.Errorf("cannot take the backup: %w: %w", ErrNotWhole, err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("cannot take the backup: %w", err)
	}
	return m, nil
}

// next goes to the next entry of a stream, which must have this name.
func next(archive *tar.Reader, name string) (*tar.Header, error) {
	header, err := archive.Next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot take the backup: %w: %w", ErrNotWhole, err)
	case header.Name == failedName:
		why, _ := io.ReadAll(io.LimitReader(archive, 4096))
		return nil, fmt.Errorf("the master cannot go on with the backup: %s", bytes.TrimSpace(why))
	case header.Name != name || header.Typeflag != tar.TypeReg:
		return nil, fmt.Errorf("cannot take the backup: it has %q where %q belongs", header.Name, name)
	}
	return header, nil
}

// take writes one file of a stream, whole or not at all.
func (f *Folder) take(ctx context.Context, archive *tar.Reader, file *File, tell func(int64)) (err error) {
	header, err := next(archive, file.Path)
	if err != nil {
		return err
	}
	if header.Size != file.Size {
		return fmt.Errorf("cannot take the backup: %q has %d bytes in place of %d", file.Path, header.Size, file.Size)
	}
	path := filepath.Join(f.dir, file.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot write the backup: %w", err)
	}
	sum, n, err := writeFile(ctx, path, archive, tell)
	switch {
	case errors.Is(err, errWrite):
		return fmt.Errorf("cannot write the backup: %w", err)
	case err != nil || n != file.Size:
		return fmt.Errorf("cannot take the backup: %w, within %q: %w", ErrNotWhole, file.Path, errors.Join(err))
	case sum != header.PAXRecords[sumRecord]:
		return errors.Join(fmt.Errorf("cannot take the backup: %q was damaged on its way", file.Path), os.Remove(path))
	}
	file.SHA256 = sum
	return nil
}

// finish makes the list that of the folder, and removes what is not in it.
func (f *Folder) finish(m *Manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := wholefile.Write(filepath.Join(f.dir, manifestName), string(text)+"\n"); err != nil {
		return fmt.Errorf("cannot write the backup: %w", err)
	}
	listed := make(map[string]bool)
	for _, file := range m.Files {
		for path := file.Path; path != "."; path = filepath.ToSlash(filepath.Dir(path)) {
			listed[path] = true
		}
	}
	err = filepath.WalkDir(f.dir, func(path string, entry fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(f.dir, path)
		if err = errors.Join(err, relErr); err != nil || rel == "." || rel == manifestName || rel == lockName || listed[filepath.ToSlash(rel)] {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the backup is whole, but what it does not need any more cannot be removed: %w", err)
	}
	return nil
}

// errWrite is wrapped by errors of writing, as against those of reading.
var errWrite = errors.New("writing failed")

// writeFile makes a file of what r gives, on the disk when it returns, and nothing
// where that fails.
func writeFile(ctx context.Context, path string, r io.Reader, tell func(int64)) (sum string, n int64, err error) {
	out, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", 0, errors.Join(errWrite, err)
	}
	hash := sha256.New()
	buffer := make([]byte, 256<<10)
	for err == nil {
		var read int
		if err = ctx.Err(); err == nil {
			read, err = r.Read(buffer)
		}
		if read > 0 {
			hash.Write(buffer[:read])
			if _, failed := out.Write(buffer[:read]); failed != nil {
				err = errors.Join(errWrite, failed)
			}
			n += int64(read)
			tell(n)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
		if failed := out.Sync(); failed != nil {
			err = errors.Join(errWrite, failed)
		}
	}
	if failed := out.Close(); failed != nil {
		err = errors.Join(err, errWrite, failed)
	}
	if err != nil {
		return "", n, errors.Join(err, os.Remove(path+".part"))
	}
	if err := os.Rename(path+".part", path); err != nil {
		return "", n, errors.Join(errWrite, err)
	}
	return hexOf(hash.Sum(nil)), n, nil
}
