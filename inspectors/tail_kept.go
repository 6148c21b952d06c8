package inspectors

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tailHeadBytes is how much of the beginning of a file is looked at again, to tell a file
// that has the number of an older one.
const tailHeadBytes = 128

// maxTailSiblings bounds how many names of a folder are looked at for a rotated file.
const maxTailSiblings = 10_000

// tailState is how far a Tail has read, as it is kept. It has nothing of the text of the
// log.
type tailState struct {
	Files []tailedState `json:"files"` // the oldest first
}

// tailedState is how far one file is read.
type tailedState struct {
	Dev    uint64  `json:"dev"`
	Ino    uint64  `json:"ino"`
	Left   int64   `json:"left,omitempty"` // ms since the epoch
	Offset int64   `json:"offset"`
	Half   int     `json:"half,omitempty"` // bytes of the line without an end, before Over
	Over   int64   `json:"over,omitempty"`
	Head   tailSum `json:"head"` // of the first bytes
	Mark   tailSum `json:"mark"` // of the last bytes before Offset
}

// tailSum tells some bytes from others.
type tailSum struct {
	Bytes int    `json:"bytes"`
	Sum   string `json:"sum,omitempty"`
}

func sumOf(text []byte) tailSum {
	if len(text) == 0 {
		return tailSum{}
	}
	sum := sha256.Sum256(text)
	return tailSum{len(text), hex.EncodeToString(sum[:8])}
}

// isOf reports whether the bytes of a file that end at a place are those of the sum, and
// returns them.
func (s tailSum) isOf(f *os.File, end int64) ([]byte, bool) {
	if s.Bytes < 0 || s.Bytes > max(tailHeadBytes, tailMarkBytes) || int64(s.Bytes) > end {
		return nil, false
	}
	text := make([]byte, s.Bytes)
	if _, err := f.ReadAt(text, end-int64(s.Bytes)); len(text) > 0 && err != nil {
		return nil, false
	}
	return text, sumOf(text) == s
}

// numberOf returns the numbers that tell a file from all others that are there.
func numberOf(info os.FileInfo) (dev, ino uint64) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Dev), stat.Ino
	}
	return 0, 0
}

// recall makes the Tail know what the runs before have kept, unless it knows that: it is
// in a new process, another process had the runs meanwhile, or its last run left nothing.
func (t *Tail) recall(ctx context.Context, k *Kept) {
	state := k.get(t.path)
	var s tailState
	if len(state) == 0 || bytes.Equal(state, t.saved) || json.Unmarshal(state, &s) != nil {
		return
	}
	open := t.files
	t.files, t.err, t.begun, t.saved = nil, nil, true, state
	for i := range s.Files[:min(len(s.Files), maxTailFiles+1)] {
		if f := t.find(&s.Files[i], open); f != nil && ctx.Err() == nil {
			t.files = append(t.files, f)
		}
	}
	for _, f := range open {
		if !slices.ContainsFunc(t.files, func(known *tailedFile) bool { return known.file == f.file }) {
			f.close()
		}
	}
}

// find returns a file that was read before: one that is open, or one in the folder,
// wherever a rotation has moved it.
func (t *Tail) find(s *tailedState, open []*tailedFile) *tailedFile {
	for _, f := range open {
		if dev, ino := numberOf(f.info); dev == s.Dev && ino == s.Ino {
			return t.resume(f.file, s, true)
		}
	}
	if f := t.openKept(t.path, s, true); f != nil {
		return f
	}
	dir, err := t.open(filepath.Dir(t.path))
	if err != nil {
		return nil // the script needs the file alone
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(maxTailSiblings)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if dev, ino := numberOf(info); dev == s.Dev && ino == s.Ino {
			return t.openKept(filepath.Join(filepath.Dir(t.path), e.Name()), s, strings.HasPrefix(e.Name(), filepath.Base(t.path)))
		}
	}
	return nil
}

// openKept opens a file if it is the one that was read before.
func (t *Tail) openKept(path string, s *tailedState, own bool) *tailedFile {
	f, err := t.open(path)
	if err != nil {
		return nil
	}
	if known := t.resume(f, s, own); known != nil {
		return known
	}
	_ = f.Close()
	return nil
}

// resume goes on with a file that was read before. One that has not what was read then is
// read from its beginning if it is the log's own: it was truncated. It is another one
// otherwise, which has the number of one that was removed.
func (t *Tail) resume(f *os.File, s *tailedState, own bool) *tailedFile {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if dev, ino := numberOf(info); dev != s.Dev || ino != s.Ino {
		return nil
	}
	known := &tailedFile{file: f, info: info, longest: t.options.MaxLineBytes, size: info.Size()}
	if s.Left > 0 {
		known.left = time.UnixMilli(s.Left)
	}
	if known.advance(s) || own {
		return known
	}
	return nil
}

// advance moves to the position that was read before, if the file still has the same
// content before it.
func (f *tailedFile) advance(s *tailedState) bool {
	if s.Half < 0 || s.Half > maxTailLineBytes || s.Over < 0 || s.Over > s.Offset || int64(s.Half) > s.Offset-s.Over || f.size < s.Offset {
		return false
	}
	_, same := s.Head.isOf(f.file, int64(s.Head.Bytes))
	mark, read := s.Mark.isOf(f.file, s.Offset)
	half := make([]byte, s.Half)
	if s.Half > 0 {
		_, err := f.file.ReadAt(half, s.Offset-s.Over-int64(s.Half))
		read = read && err == nil
	}
	if !same || !read {
		return false
	}
	f.offset, f.mark, f.head, f.over = s.Offset, mark, s.Head, s.Over
	f.half = half[:min(len(half), f.longest)]
	f.over += int64(len(half) - len(f.half))
	return true
}

// keep tells the next run how far this one has read.
func (t *Tail) keep(k *Kept) {
	if !t.begun {
		return
	}
	s := tailState{Files: make([]tailedState, len(t.files))}
	for i, f := range t.files {
		s.Files[i] = f.state()
	}
	if state, err := json.Marshal(s); err == nil {
		t.saved = state
		k.put(t.path, state)
	}
}

func (f *tailedFile) state() tailedState {
	if n := min(f.offset, tailHeadBytes); int64(f.head.Bytes) != n {
		text := make([]byte, n)
		if _, err := f.file.ReadAt(text, 0); n > 0 && err == nil {
			f.head = sumOf(text)
		}
	}
	s := tailedState{Offset: f.offset, Half: len(f.half), Over: f.over, Head: f.head, Mark: sumOf(f.mark)}
	s.Dev, s.Ino = numberOf(f.info)
	if !f.left.IsZero() {
		s.Left = f.left.UnixMilli()
	}
	return s
}
