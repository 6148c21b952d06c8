package inspectors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Bounds of a Tail, unless its options set others.
const (
	// DefaultTailBytes is how much one call reads.
	DefaultTailBytes = 4 << 20
	// DefaultTailLineBytes is how much of a line is kept.
	DefaultTailLineBytes = 64 << 10
	// maxTailBytes and maxTailLineBytes are the largest that options may name.
	maxTailBytes, maxTailLineBytes = 64 << 20, 1 << 20
	// maxTailFiles is how many rotated files are still read, beside the newest.
	maxTailFiles = 8
	// tailGrace is for how long a file that was renamed or removed is still read:
	// programs write to it until they open the new one. It is also for how long a
	// missing file is no error.
	tailGrace = 10 * time.Second
)

// TailOptions say how a Tail reads. The zero value is good for most logs.
type TailOptions struct {
	// FromStart begins with the lines that the file has already. Without it, the
	// first call finds the end of the file and returns nothing.
	FromStart bool
	// MaxBytes is how much one call reads, up to 64 MiB; 0 is DefaultTailBytes. The next
	// call reads the rest.
	MaxBytes int
	// MaxLineBytes is how much of a line is kept, up to 1 MiB; 0 is
	// DefaultTailLineBytes. The rest of a longer line is left out.
	MaxLineBytes int
}

// Tail follows a log file: each call of Lines or Text returns the lines that were
// written since the call before. Make it with NewTail, and keep it in a package
// variable, so that it lives from run to run.
//
// A file that is renamed or removed is read to its end, and then the new one from its
// beginning. So is a file that was truncated, as copytruncate of logrotate does it:
// lines that were written after the last call and before the truncation are lost,
// because they are in a copy that nobody has named. So are those of a file that came
// and went between two calls.
//
// A line without an end waits for it. Where its file is truncated or replaced
// meanwhile, it is returned as it is. Zero bytes at the beginning of a line are left
// out: a program that goes on at its old place in a truncated file leaves many.
//
// A truncation is noticed where the file is shorter than before, or differs in the last
// 128 bytes that were read.
//
// A script has to name the log or its folder:
//
//	//vedette:needs fs:/var/log/app
//
// An agent keeps how far a Tail has read, by the name of the inspector and the path of the
// log: it goes on there when its process or the agent is started again, and with a new
// revision. It does so too after a run that did not end by itself: what that run has
// returned is returned again. Lost are lines in a file that was truncated or removed
// meanwhile, and those in one that was renamed, unless the script needs the folder of the
// log and the file is still there. Where nothing is kept, such as in a trial by hand, a
// Tail begins as at the first time.
// A Tail is not safe for use from more than one goroutine.
type Tail struct {
	path    string
	options TailOptions
	open    func(path string) (*os.File, error)

	begun   bool
	files   []*tailedFile // the oldest first; the last is the one at path, unless it has left
	dropped int64
	err     error  // of reading; told by the next call
	saved   []byte // how far it has read, as it was kept last, or nil
}

// NewTail makes a Tail of a file, which need not exist yet.
func NewTail(path string, options TailOptions) *Tail {
	return TailWith(func(path string) (*os.File, error) {
		return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a named pipe must not block
	}, path, options)
}

// TailWith is NewTail with a function that opens files without blocking. It is for
// runtimes.
func TailWith(open func(path string) (*os.File, error), path string, options TailOptions) *Tail {
	bound := func(n *int, otherwise, most int) {
		if *n <= 0 {
			*n = otherwise
		}
		*n = min(*n, most)
	}
	bound(&options.MaxBytes, DefaultTailBytes, maxTailBytes)
	bound(&options.MaxLineBytes, DefaultTailLineBytes, maxTailLineBytes)
	return &Tail{path: path, options: options, open: open}
}

// Lines returns the lines that were written since the last call, without their ends. Bytes
// that are not UTF-8 stay as they are.
//
// After an error nothing was read, and the next call continues at the same place. A file
// that has been missing for ten seconds is an error that wraps fs.ErrNotExist. ctx is that
// of Inspect.
func (t *Tail) Lines(ctx context.Context) ([]string, error) {
	text, err := t.Text(ctx)
	if text == "" {
		return nil, err
	}
	lines := strings.Split(text[:len(text)-1], "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return lines, err
}

// Text returns the lines as one text in which each ends with "
// ". One call of a regular expression for all lines is much cheaper in a script than one
// for each.
func (t *Tail) Text(ctx context.Context) (string, error) {
	if t.open == nil {
		return "", errors.New("cannot follow a log: make the Tail with NewTail")
	}
	err := ctx.Err()
	k := KeptOf(ctx)
	if err == nil && k != nil {
		t.recall(ctx, k)
		defer t.keep(k)
	}
	if err == nil {
		err, t.err = t.err, nil
	}
	if err == nil {
		err = t.look()
	}
	if err != nil {
		return "", fmt.Errorf("cannot follow %q: %w", t.path, err)
	}
	text := t.read()
	if text == "" && t.err != nil {
		err, t.err = t.err, nil
		return "", fmt.Errorf("cannot follow %q: %w", t.path, err)
	}
	return text, nil
}

// Behind returns how many bytes the last call has left for the next one.
func (t *Tail) Behind() int64 {
	var n int64
	for _, f := range t.files {
		n += max(0, f.size-f.offset)
	}
	return n
}

// Dropped returns how many bytes were left out so far: those of lines beyond
// MaxLineBytes, and those of files that were rotated away faster than they were read.
func (t *Tail) Dropped() int64 { return t.dropped }

// look finds out which file is at the path now.
func (t *Tail) look() error {
	f, err := t.open(t.path)
	var info os.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.gone(err)
	case err == nil && !info.Mode().IsRegular():
		err = errors.New("it is no regular file")
	case errors.Is(err, fs.ErrPermission) && len(t.files) > 0:
		err = fmt.Errorf("the file that has replaced it may not be read; give the new file the owner and the mode of the old one: %w", withoutPath(err))
	}
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		return withoutPath(err)
	}
	i := slices.IndexFunc(t.files, func(known *tailedFile) bool { return os.SameFile(known.info, info) })
	if i < 0 {
		return t.add(f, info)
	}
	if known := t.files[i]; !known.left.IsZero() { // a rotation was undone
		t.leave()
		known.left = time.Time{}
		t.files = append(slices.Delete(t.files, i, i+1), known)
	}
	return f.Close()
}

// gone notes that the file is missing.
func (t *Tail) gone(err error) error {
	t.begun = true // a file that appears is new
	t.leave()
	if len(t.files) > 0 {
		return nil // the previous one is still read
	}
	return withoutPath(err)
}

// last returns the newest file, or nil.
func (t *Tail) last() *tailedFile {
	if len(t.files) == 0 {
		return nil
	}
	return t.files[len(t.files)-1]
}

// leave notes that the newest file is no longer at the path.
func (t *Tail) leave() {
	if last := t.last(); last != nil && last.left.IsZero() {
		last.left = time.Now()
	}
}

// add starts reading a new file at the path.
func (t *Tail) add(f *os.File, info os.FileInfo) error {
	t.leave()
	made := &tailedFile{file: f, info: info, longest: t.options.MaxLineBytes}
	if !t.begun && !t.options.FromStart {
		if err := made.end(); err != nil {
			_ = f.Close()
			return withoutPath(err)
		}
	}
	t.begun = true
	t.files = append(t.files, made)
	return nil
}

// read reads up to the limit of one call, the oldest file first: a newer one waits until
// the older ones are at their ends.
func (t *Tail) read() string {
	out := &tailed{left: t.options.MaxBytes}
	for i := 0; i < len(t.files); {
		f := t.files[i]
		before := out.left
		if err := f.read(out); err != nil {
			t.err = withoutPath(err)
			if !f.left.IsZero() && time.Since(f.left) >= tailGrace { // newer files must not wait for it for ever
				t.drop(i, out)
				continue
			}
			break
		}
		if f.offset < f.size {
			break
		}
		if !f.left.IsZero() && out.left == before && time.Since(f.left) >= tailGrace {
			f.finish(out)
			f.close()
			t.files = slices.Delete(t.files, i, i+1)
			continue
		}
		i++
	}
	for len(t.files) > maxTailFiles+1 {
		t.drop(0, out)
	}
	t.dropped += out.dropped
	return out.text.String()
}

// drop gives up the rest of one of the files.
func (t *Tail) drop(i int, out *tailed) {
	f := t.files[i]
	f.finish(out)
	f.close()
	out.dropped += max(0, f.size-f.offset)
	t.files = slices.Delete(t.files, i, i+1)
}

// withoutPath removes the file's name from an error, because the caller adds it.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok && e == err {
		return e.Err
	}
	return err
}
