package inspectors

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

const (
	// tailMarkBytes is how much of what was read last is looked at again, to tell a
	// file that was truncated and has grown since.
	tailMarkBytes = 128
	// tailChunkBytes is how much is read at once.
	tailChunkBytes = 64 << 10
)

// tailedFile is one file that a Tail reads.
type tailedFile struct {
	file    *os.File
	info    os.FileInfo
	longest int       // line
	left    time.Time // since when it is not at the path any more, or zero

	size   int64   // when it was read last
	offset int64   // from where it is read on
	mark   []byte  // the last bytes before offset
	half   []byte  // the beginning of a line that has no end yet
	over   int64   // how many bytes of that line were left out
	head   tailSum // of the first bytes, up to offset
}

// tailed is the result of one call.
type tailed struct {
	text    strings.Builder
	left    int // bytes that may still be read
	dropped int64
}

// end begins at the last line that is not complete, which is mostly the end.
func (f *tailedFile) end() error {
	f.size = f.info.Size()
	begin := max(0, f.size-int64(f.longest)-1) // with the end of the line before the longest one
	text := make([]byte, f.size-begin)
	n, err := f.file.ReadAt(text, begin)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := bytes.LastIndexByte(text[:n], '\n') + 1
	f.offset = begin + int64(at)
	if at == 0 && begin > 0 {
		// It is longer than lines may be, so its rest is no line.
		f.offset, f.over = begin+int64(n), begin+int64(n)
	}
	f.remember(text[:f.offset-begin])
	return nil
}

// read reads on until the end of the file, or until nothing may be read any more.
func (f *tailedFile) read(out *tailed) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if f.size = info.Size(); f.size < f.offset {
		f.restart(out)
	}
	f.skipHole()
	buf := make([]byte, tailMarkBytes+min(tailChunkBytes, out.left))
	for out.left > 0 {
		// With what was read last in one piece, so that nothing can come between.
		n, err := f.file.ReadAt(buf[:min(len(buf), len(f.mark)+out.left)], f.offset-int64(len(f.mark)))
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n < len(f.mark) || !bytes.Equal(buf[:len(f.mark)], f.mark) {
			f.restart(out)
			continue
		}
		text := buf[len(f.mark):n]
		if len(text) == 0 {
			f.size = f.offset
			return nil
		}
		out.left -= len(text)
		f.offset += int64(len(text))
		f.remember(buf[:n])
		f.take(text, out)
	}
	f.size = max(f.size, f.offset)
	return nil
}

// remember keeps the last bytes that were read.
func (f *tailedFile) remember(text []byte) {
	f.mark = append(f.mark[:0], text[max(0, len(text)-tailMarkBytes):]...)
}

// restart begins the file again, which was truncated.
func (f *tailedFile) restart(out *tailed) {
	f.finish(out)
	f.offset, f.mark, f.head = 0, f.mark[:0], tailSum{}
	f.skipHole()
}

// seekData has Seek find the next bytes that were written, on Linux.
const seekData = 3

// skipHole goes on behind a part of the file that nobody has written, at the beginning of
// a line. A program that goes on at its old place in a truncated file leaves one, which
// may be larger than all that is read in a day. Where there are no such parts, the zeros
// are read.
func (f *tailedFile) skipHole() {
	if runtime.GOOS != "linux" || len(f.half) > 0 || f.over > 0 {
		return
	}
	if at, err := f.file.Seek(f.offset, seekData); err == nil && at > f.offset {
		f.offset, f.mark = at, f.mark[:0]
	}
}

// finish returns what there is of a line whose end will not come.
func (f *tailedFile) finish(out *tailed) {
	if len(f.half) > 0 || f.over > 0 {
		f.line(nil, out)
	}
}

// take takes the lines of a text.
func (f *tailedFile) take(text []byte, out *tailed) {
	for len(text) > 0 {
		if len(f.half) == 0 && f.over == 0 {
			if text = bytes.TrimLeft(text, "\x00"); len(text) == 0 {
				return
			}
		}
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			f.add(text)
			return
		}
		f.line(text[:end], out)
		text = text[end+1:]
	}
}

// add adds to the line that has no end yet.
func (f *tailedFile) add(text []byte) {
	room := min(len(text), max(0, f.longest-len(f.half)))
	if f.over > 0 {
		room = 0
	}
	f.half = append(f.half, text[:room]...)
	f.over += int64(len(text) - room)
}

// line ends a line. One of which only the end was seen is none.
func (f *tailedFile) line(rest []byte, out *tailed) {
	f.add(rest)
	if len(f.half) > 0 || f.over == 0 {
		out.text.Write(f.half)
		out.text.WriteByte('\n')
		out.dropped += f.over
	}
	f.half, f.over = f.half[:0], 0
	if cap(f.half) > tailChunkBytes {
		f.half = nil
	}
}

func (f *tailedFile) close() { _ = f.file.Close() }
