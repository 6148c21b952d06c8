package inspectors

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// logFile writes a log for a test.
type logFile struct {
	t    *testing.T
	path string
}

func newLogFile(t *testing.T) logFile { return logFile{t, filepath.Join(t.TempDir(), "app.log")} }

func (l logFile) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l logFile) open(flags int) *os.File {
	l.t.Helper()
	f, err := os.OpenFile(l.path, flags|os.O_WRONLY|os.O_CREATE, 0o644)
	l.must(err)
	return f
}

// write writes a text at the end of the file at the path.
func (l logFile) write(text string) {
	l.t.Helper()
	f := l.open(os.O_APPEND)
	_, err := f.WriteString(text)
	l.must(errors.Join(err, f.Close()))
}

// wants fails if the next lines are not these.
func (l logFile) wants(tail *Tail, want ...string) {
	l.t.Helper()
	got, err := tail.Lines(l.t.Context())
	if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		l.t.Fatalf("got %q (%v), want %q", got, err, want)
	}
}

func TestTail(t *testing.T) {
	l := newLogFile(t)
	l.write("old\nhal")
	tail, all := NewTail(l.path, TailOptions{}), NewTail(l.path, TailOptions{FromStart: true})
	l.wants(tail)
	l.write("f\r\n\n\xff\xfe\x00!\nx")
	l.wants(tail, "half", "", "\xff\xfe\x00!")
	l.wants(all, "old", "half", "", "\xff\xfe\x00!")
	l.must(os.Rename(l.path, l.path+".1"))
	l.wants(tail)
	l.write("new\n")
	old, err := os.OpenFile(l.path+".1", os.O_APPEND|os.O_WRONLY, 0)
	l.must(err)
	_, err = old.WriteString("yz\n")
	l.must(errors.Join(err, old.Close()))
	l.wants(tail, "xyz", "new")
	l.must(os.Truncate(l.path, 0))
	l.write("after it was truncated, and longer than before\n")
	l.wants(tail, "after it was truncated, and longer than before")
	l.must(os.Truncate(l.path, 0))
	l.wants(tail)
	hole := l.open(0)
	_, err = hole.WriteAt([]byte("behind a hole\n"), 5000)
	l.must(errors.Join(err, hole.Close()))
	l.wants(tail, "behind a hole")
	if text, err := tail.Text(t.Context()); text != "" || err != nil || tail.Behind() != 0 || tail.Dropped() != 0 {
		t.Errorf("got %q, %v, %d bytes behind, %d dropped", text, err, tail.Behind(), tail.Dropped())
	}
}

// Bounds of one call and of one line.
func TestTailBounds(t *testing.T) {
	l := newLogFile(t)
	tail := NewTail(l.path, TailOptions{FromStart: true, MaxBytes: 10, MaxLineBytes: 4})
	l.write("123\n12345678901234\n1234\nabc")
	l.wants(tail, "123")
	if tail.Behind() != 17 {
		t.Errorf("%d bytes are behind", tail.Behind())
	}
	l.wants(tail, "1234")
	l.wants(tail, "1234")
	l.write("\n")
	l.wants(tail, "abc")
	if tail.Behind() != 0 || tail.Dropped() != 10 {
		t.Errorf("%d bytes are behind, %d dropped", tail.Behind(), tail.Dropped())
	}
	// A Tail that begins in an unfinished line does not know its beginning.
	l.must(os.WriteFile(l.path, []byte("long, long"), 0o644))
	tail = NewTail(l.path, TailOptions{MaxLineBytes: 4})
	l.wants(tail)
	l.write(", long\nnext\n")
	l.wants(tail, "next")
}

// A file that is not a log is refused, and nothing hangs.
func TestTailRefuses(t *testing.T) {
	l := newLogFile(t)
	l.must(syscall.Mkfifo(l.path, 0o600))
	for path, want := range map[string]string{
		l.path:                         `cannot follow "` + l.path + `": it is no regular file`,
		filepath.Dir(l.path):           `cannot follow "` + filepath.Dir(l.path) + `": it is no regular file`,
		filepath.Dir(l.path) + "/no":   `cannot follow "` + filepath.Dir(l.path) + `/no": no such file or directory`,
		filepath.Dir(l.path) + "/\x00": `invalid argument`,
	} {
		if lines, err := NewTail(path, TailOptions{}).Lines(t.Context()); err == nil || !strings.Contains(err.Error(), want) || lines != nil {
			t.Errorf("%q yields %q, %v; want %s", path, lines, err, want)
		}
	}
	if _, err := new(Tail).Lines(t.Context()); err == nil || !strings.Contains(err.Error(), "NewTail") {
		t.Errorf("the zero value yields %v", err)
	}
}

// A replaced file that may not be read any more is reported with the fix, and nothing is
// lost once it may be read.
func TestTailIsDenied(t *testing.T) {
	l := newLogFile(t)
	denied := false
	tail := TailWith(func(path string) (*os.File, error) {
		if denied {
			return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES}
		}
		return os.Open(path)
	}, l.path, TailOptions{})
	l.write("")
	l.wants(tail)
	l.write("one\n")
	denied = true
	if _, err := tail.Lines(t.Context()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the owner and the mode") {
		t.Errorf("got %v", err)
	}
	denied = false
	l.wants(tail, "one")
}

// A file that is gone is read for a while, and then missed.
func TestTailMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLogFile(t)
		tail := NewTail(l.path, TailOptions{})
		if _, err := tail.Lines(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		l.write("the first\n")
		l.wants(tail, "the first")
		f := l.open(os.O_APPEND)
		defer f.Close()
		l.must(os.Remove(l.path))
		l.wants(tail)
		time.Sleep(tailGrace / 2)
		_, err := f.WriteString("late\nand half")
		l.must(err)
		l.wants(tail, "late")
		time.Sleep(tailGrace)
		l.wants(tail, "and half")
		if _, err := tail.Lines(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		if len(tail.files) != 0 {
			t.Error("the file is still open")
		}
		l.write("again\n")
		l.wants(tail, "again")
	})
}

// A program that goes on at its old place in a truncated file leaves a hole, which may be
// larger than many calls may read.
func TestTailSkipsHoles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("holes are read as zeros here")
	}
	l := newLogFile(t)
	tail := NewTail(l.path, TailOptions{})
	const hole = 1 << 30
	for _, looks := range []bool{false, true} {
		l.write("before\n")
		if _, err := tail.Lines(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.must(os.Truncate(l.path, 0))
		if looks {
			l.wants(tail)
		}
		f := l.open(0)
		_, err := f.WriteAt([]byte("behind\n"), hole)
		l.must(errors.Join(err, f.Close()))
		l.wants(tail, "behind")
		if n := tail.Behind(); n != 0 {
			t.Errorf("%d bytes are behind", n)
		}
	}
}

// A rotated file that cannot be read any more is reported, and does not hold back the newer
// one for ever.
func TestTailGivesUpWhatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLogFile(t)
		l.write("")
		tail := NewTail(l.path, TailOptions{})
		l.wants(tail)
		l.write("lost\n")
		l.must(os.Rename(l.path, l.path+".1"))
		l.write("new\n")
		l.must(tail.files[0].file.Close()) // as a file server that has forgotten it
		if _, err := tail.Lines(t.Context()); err == nil {
			t.Error("nothing is said of it")
		}
		time.Sleep(2 * tailGrace)
		l.wants(tail, "new")
		if _, err := tail.Lines(t.Context()); err == nil {
			t.Error("nothing is said of what was given up")
		}
		l.wants(tail)
	})
}

// A writer that writes, rotates and truncates at random: no line comes twice, and none
// is lost but those that a truncation took before they were read.
func TestTailRandomly(t *testing.T) { testTailRandomly(t, false) }

// The same, where the process of the Tail ends at any moment, and where runs at random
// leave nothing: what they have returned comes again, once.
func TestTailRandomlyOverRestarts(t *testing.T) { testTailRandomly(t, true) }

func testTailRandomly(t *testing.T, restarts bool) {
	for range 30 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			w := &tailWriter{logFile: newLogFile(t), rand: rand.New(rand.NewPCG(seed, 0)), restarts: restarts}
			w.longest = 40 + w.rand.IntN(300)
			w.options = TailOptions{FromStart: true, MaxBytes: 50 + w.rand.IntN(3000), MaxLineBytes: w.longest}
			w.tail = NewTail(w.path, w.options)
			w.create()
			for range 300 {
				w.step()
			}
			w.complete()
			w.drain()
			time.Sleep(2 * tailGrace)
			w.drain()
			w.check()
			w.must(errors.Join(w.file.Close(), w.before.Close()))
		})
	}
}

// tailWriter is the writer, and the record of its lines.
type tailWriter struct {
	logFile
	rand    *rand.Rand
	tail    *Tail
	options TailOptions
	longest int

	restarts bool
	kept     []byte
	rotation int

	file, before *os.File  // what is written now, and what was before the last rotation
	rotated      time.Time // when that was
	half         []byte    // of a line in file
	lines        int
	fresh        bool // the tail may not have seen file

	unread  []string // lines of file that may not have been read
	wanted  []string // lines that must come
	torn    []string // lines that a truncation took; parts of them may come
	dropped int64    // bytes beyond the longest line
	got     []string
}

// create opens a new file.
func (w *tailWriter) create() {
	if w.before != nil {
		w.must(w.before.Close())
	}
	w.before, w.rotated = w.file, time.Now()
	flags := os.O_APPEND
	if w.rand.IntN(3) == 0 {
		flags = 0 // which leaves a hole where it is truncated
	}
	w.file, w.fresh = w.open(flags), true
}

func (w *tailWriter) put(f *os.File, text []byte) {
	_, err := f.Write(text)
	w.must(err)
}

// begin writes the beginning of a line that occurs only once.
func (w *tailWriter) begin() {
	if w.half != nil {
		return
	}
	w.lines++
	w.half = append(fmt.Appendf(nil, "%d:", w.lines), w.junk()...)
	w.put(w.file, w.half)
}

// complete ends the line that has begun.
func (w *tailWriter) complete() {
	if w.half == nil {
		return
	}
	rest := w.junk()
	w.put(w.file, append(rest, '\n'))
	w.unread = append(w.unread, w.cut(append(w.half, rest...)))
	w.half = nil
}

// junk is any text without the end of a line.
func (w *tailWriter) junk() (text []byte) {
	for range w.rand.IntN(1 + w.rand.IntN(w.longest)) {
		if c := byte(w.rand.IntN(256)); c != '\n' && c != '\r' {
			text = append(text, c)
		}
	}
	return text
}

// cut is a line as it should come.
func (w *tailWriter) cut(line []byte) string {
	kept := line[:min(len(line), w.longest)]
	w.dropped += int64(len(line) - len(kept))
	return string(kept)
}

func (w *tailWriter) step() {
	switch w.rand.IntN(14) {
	case 0, 1, 2, 3, 4:
		w.begin()
		w.complete()
	case 5:
		w.begin()
	case 6: // the program has not opened the new file yet
		if w.before != nil && time.Since(w.rotated) < tailGrace/2 {
			w.lines++
			line := append(fmt.Appendf(nil, "%d:", w.lines), w.junk()...)
			w.put(w.before, append(bytes.Clone(line), '\n'))
			w.wanted = append(w.wanted, w.cut(line))
		}
	case 7:
		w.rotate()
	case 8:
		w.truncate()
	case 9:
		time.Sleep(time.Duration(w.rand.Int64N(int64(tailGrace))))
	case 10:
		w.drain()
	default:
		w.read()
	}
}

// rotate replaces the file, which the tail has to have seen.
func (w *tailWriter) rotate() {
	if w.fresh {
		w.read()
	}
	w.rotation++
	if w.rand.IntN(2) == 0 && !w.restarts {
		w.must(os.Remove(w.path))
	} else {
		w.must(os.Rename(w.path, fmt.Sprint(w.path, ".", w.rotation)))
	}
	for range w.rand.IntN(4) { // while there is none
		w.begin()
		w.complete()
		time.Sleep(time.Duration(w.rand.Int64N(int64(tailGrace / 10))))
		if w.rand.IntN(2) == 0 {
			w.read()
		}
	}
	w.complete()
	w.wanted, w.unread = append(w.wanted, w.unread...), nil
	w.create()
}

// truncate empties the file, and unread lines with it.
func (w *tailWriter) truncate() {
	if w.rand.IntN(2) == 0 {
		w.drain()
	}
	drained := len(w.unread) == 0
	if w.half != nil && drained && !w.fresh && !w.restarts && w.tail.Behind() == 0 && w.tailHas() {
		w.wanted = append(w.wanted, w.cut(w.half))
	} else if w.half != nil {
		w.torn = append(w.torn, string(w.half))
	}
	w.torn, w.unread, w.half = append(w.torn, w.unread...), nil, nil
	w.must(w.file.Truncate(0))
}

// tailHas reports whether the tail has read the whole file.
func (w *tailWriter) tailHas() bool {
	info, err := w.file.Stat()
	w.must(err)
	last := w.tail.last()
	return os.SameFile(last.info, info) && last.offset == info.Size()
}

func (w *tailWriter) read() {
	if w.restarts && w.rand.IntN(4) == 0 {
		for _, f := range w.tail.files {
			f.close()
		}
		w.tail = NewTail(w.path, w.options)
	}
	ctx, kept := w.t.Context(), (*Kept)(nil)
	if w.restarts {
		kept = NewKept(w.kept)
		ctx = WithKept(ctx, kept)
	}
	lines, err := w.tail.Lines(ctx)
	w.must(err)
	if kept != nil && w.kept != nil && w.rand.IntN(4) == 0 {
		w.read() // the run was cut off
		return
	}
	if kept != nil {
		w.kept, _ = kept.Leave()
	}
	w.got = append(w.got, lines...)
	w.fresh = false
}

// drain reads all that there is.
func (w *tailWriter) drain() {
	for w.read(); w.tail.Behind() > 0; {
		w.read()
	}
	w.wanted, w.unread = append(w.wanted, w.unread...), nil
}

// check compares the lines that came with those that were written.
func (w *tailWriter) check() {
	w.t.Helper()
	came, ids := make(map[string]bool), make(map[string]bool)
	for _, line := range w.got {
		if id, _, whole := strings.Cut(line, ":"); whole && ids[id] {
			w.t.Errorf("line %s came twice", id)
		} else if whole {
			ids[id] = true
		}
		came[line] = true
	}
	for _, line := range w.wanted {
		if !came[line] {
			w.t.Errorf("line %q did not come", line)
		}
		delete(came, line)
	}
	for line := range came {
		if !slices.ContainsFunc(w.torn, func(torn string) bool { return strings.HasPrefix(torn, line) }) {
			w.t.Errorf("line %q came, which nobody has written", line)
		}
	}
	if w.restarts {
		return // each Tail counts its own
	}
	if len(w.torn) == 0 && w.tail.Dropped() != w.dropped {
		w.t.Errorf("%d bytes are told as dropped, of %d", w.tail.Dropped(), w.dropped)
	}
	if w.tail.Dropped() > w.dropped+int64(2*w.longest*len(w.torn)) {
		w.t.Errorf("%d bytes are told as dropped, and %d were beyond the longest line", w.tail.Dropped(), w.dropped)
	}
}
