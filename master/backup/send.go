package backup

import (
	"archive/tar"
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
	"slices"
	"strings"
	"time"
)

// maxBeside bounds a file that is neither state, sample nor program.
const maxBeside = 64 << 20

// Source is a running master.
type Source struct {
	Version string
	Data    string // its folder
	// Export writes the state, as state.Store does.
	Export func(ctx context.Context, w io.Writer) error
	// Snapshot gives the history, as history.Store does.
	Snapshot func(ctx context.Context, use func(dir string) error) error
	// Apart are the names in the folder that are not copied as they are: what Export
	// and Snapshot give, and what is of no use to another process.
	Apart []string
}

// sent is a file of a stream and where it is.
type sent struct {
	File
	from string
}

// Send writes a backup, without what the receiver has. Where it fails after it has
// begun, the stream says why, and has no end.
func (s Source) Send(ctx context.Context, w io.Writer, have map[string]int64) error {
	return s.Snapshot(ctx, func(dir string) error {
		archive := tar.NewWriter(w)
		err := s.send(ctx, archive, dir, have)
		if err != nil && ctx.Err() == nil {
			_ = write(archive, failedName, []byte(err.Error()))
		}
		return errors.Join(err, archive.Close())
	})
}

func (s Source) send(ctx context.Context, archive *tar.Writer, dir string, have map[string]int64) error {
	m := Manifest{Format: format, Version: s.Version, AtMS: time.Now().UnixMilli()}
	files, err := s.list(ctx, dir, m.AtMS)
	if err != nil {
		return err
	}
	for i := range files {
		size, there := have[files[i].Path]
		files[i].Kept = there && size == files[i].Size && neverChanges(files[i].Path)
		m.Files = append(m.Files, files[i].File)
	}
	text, err := json.Marshal(m)
	if err == nil {
		err = write(archive, beginName, text)
	}
	for i := 0; i < len(files) && err == nil; i++ {
		if err = ctx.Err(); err == nil && !files[i].Kept {
			err = files[i].write(archive)
		}
	}
	if err != nil {
		return err
	}
	return write(archive, endName, nil)
}

// list finds every file of the backup. The state comes first: each program that it
// names is there, and stays.
func (s Source) list(ctx context.Context, snapshot string, at int64) ([]sent, error) {
	state := filepath.Join(snapshot, "state")
	out, err := os.OpenFile(state, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write the state: %w", err)
	}
	if err := errors.Join(s.Export(ctx, out), out.Close()); err != nil {
		return nil, fmt.Errorf("cannot write the state: %w", err)
	}
	var files []sent
	add := func(root, prefix string, skip func(path string) bool) error {
		return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed in this moment
			}
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			switch {
			case err != nil:
				return err
			case rel != "." && skip(filepath.ToSlash(rel)) && entry.IsDir():
				return fs.SkipDir
			case skip(filepath.ToSlash(rel)) || !entry.Type().IsRegular():
				return nil
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil {
				files = append(files, sent{File{Path: prefix + filepath.ToSlash(rel), Size: info.Size()}, path})
			}
			return err
		})
	}
	stamp := fmt.Sprint(at)
	err = errors.Join(
		add(state, statePrefix+stamp, func(string) bool { return false }),
		add(snapshot, historyDir, func(path string) bool { return path == "state" }),
		add(filepath.Join(s.Data, strings.TrimSuffix(artefactsDir, "/")), artefactsDir, func(path string) bool { return path != "." && !isSum(path) }),
		add(s.Data, filesPrefix+stamp+"/", func(path string) bool { return slices.Contains(s.Apart, path) || path+"/" == artefactsDir }),
	)
	for i := range files {
		files[i].Path = strings.TrimSuffix(files[i].Path, ".") // of the one file of a root
		if strings.HasPrefix(files[i].Path, filesPrefix) && files[i].Size > maxBeside {
			err = errors.Join(err, fmt.Errorf("%q has %d bytes and is none of the master's files: move it out of its folder", files[i].from, files[i].Size))
		}
	}
	return files, err
}

// write sends the file, with its checksum before it.
func (f *sent) write(archive *tar.Writer) error {
	in, err := os.Open(f.from)
	if err != nil {
		return fmt.Errorf("cannot read what is to be kept: %w", err)
	}
	defer in.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, in); err != nil || n != f.Size {
		return fmt.Errorf("cannot read %q: it has %d bytes, and had %d: %w", f.from, n, f.Size, errors.Join(err))
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err = archive.WriteHeader(&tar.Header{
		Name: f.Path, Mode: 0o600, Size: f.Size, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{sumRecord: hexOf(sum.Sum(nil))},
	})
	if err == nil {
		_, err = io.Copy(archive, io.LimitReader(in, f.Size))
	}
	return err
}

func write(archive *tar.Writer, name string, content []byte) error {
	err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(archive, bytes.NewReader(content))
	}
	return err
}
