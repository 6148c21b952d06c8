package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// The log of late samples has marks in it: the samples of a series up to this one are in a
// chunk, at a place in the chunk files. When the log is read, the samples before a mark
// are skipped if its place lies before the end of those files. But chunks are buffered,
// and a process that is killed leaves marks of chunks that were never written. The next
// process finds no such place and reads the samples; then it makes its own chunk files,
// beyond that place. If it is killed too, the one after it believes the mark, and the
// samples are lost, though they are in the log.
//
// So before the database reads its log, the marks of chunks that do not exist are removed
// from it.

// Folders beside that of the log while it is being replaced.
const (
	wblNewDir = wblDir + ".new" // not complete
	wblOldDir = wblDir + ".old" // to be removed when there is a log
)

// mark is the content of a mark.
type mark struct {
	series chunks.HeadSeriesRef
	chunk  chunks.ChunkDiskMapperRef
}

// settleLateLog completes a replacement of the log that a kill has interrupted.
func (f *folder) settleLateLog() error {
	log, before := filepath.Join(f.dir, wblDir), filepath.Join(f.dir, wblOldDir)
	if err := os.RemoveAll(filepath.Join(f.dir, wblNewDir)); err != nil {
		return err
	}
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(before, log); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.RemoveAll(before)
}

// mendLateLog removes the marks from the log of late samples whose chunks do not exist. A
// damaged log is left as it is: its loss must be logged.
func (f *folder) mendLateLog(segmentBytes int) error {
	log := filepath.Join(f.dir, wblDir)
	marks, decoder := make(map[mark]bool), newDecoder()
	err := readLog(log, func(r []byte) error {
		for _, m := range marksOf(decoder, r) {
			marks[mark{m.Ref, m.MmapRef}] = false
		}
		return nil
	})
	if len(marks) == 0 || err != nil && inspectLog(log).lost > maxTail {
		return nil
	}
	if err := f.findChunks(marks); err != nil {
		return fmt.Errorf("cannot read the chunk files: %w", err)
	}
	for _, exists := range marks {
		if !exists {
			return f.replaceLateLog(marks, segmentBytes)
		}
	}
	return nil
}

// findChunks sets the marks whose chunks exist. The database removes a damaged chunk file
// and those after it, so their chunks do not exist.
func (f *folder) findChunks(marks map[mark]bool) error {
	mapper, err := chunks.NewChunkDiskMapper(nil, filepath.Join(f.dir, chunksDir), nil, chunks.DefaultWriteBufferSize, 0)
	if err != nil {
		return err
	}
	err = mapper.IterateAllChunks(func(series chunks.HeadSeriesRef, chunk chunks.ChunkDiskMapperRef, _, _ int64, _ uint16, _ chunkenc.Encoding, late bool) error {
		if _, wanted := marks[mark{series, chunk}]; wanted && late {
			marks[mark{series, chunk}] = true
		}
		return nil
	})
	if damaged, ok := errors.AsType[*chunks.CorruptionErr](err); ok {
		for m := range marks {
			if file, _ := m.chunk.Unpack(); file >= damaged.FileIndex {
				marks[m] = false
			}
		}
		err = nil
	}
	return errors.Join(err, mapper.Close())
}

// replaceLateLog writes the log again with only its true marks. If it is killed,
// settleLateLog completes it.
func (f *folder) replaceLateLog(marks map[mark]bool, segmentBytes int) error {
	log, fresh, before := filepath.Join(f.dir, wblDir), filepath.Join(f.dir, wblNewDir), filepath.Join(f.dir, wblOldDir)
	if segmentBytes == 0 {
		segmentBytes = wlog.DefaultSegmentSize
	}
	out, err := wlog.NewSize(Quiet(f.log), nil, fresh, segmentBytes, compression.Snappy)
	if err != nil {
		return err
	}
	decoder, encoder := newDecoder(), record.Encoder{}
	err = readLog(log, func(r []byte) error {
		if found := marksOf(decoder, r); found != nil {
			kept := found[:0]
			for _, m := range found {
				if marks[mark{m.Ref, m.MmapRef}] {
					kept = append(kept, m)
				}
			}
			if len(kept) == 0 {
				return nil
			}
			r = encoder.MmapMarkers(kept, nil)
		}
		return out.Log(r)
	})
	if _, unfinished := errors.AsType[*wlog.CorruptionErr](err); unfinished {
		err = nil // the end of a log whose writer was killed, see mendLateLog
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	return errors.Join(os.Rename(log, before), os.Rename(fresh, log), syncPath(f.dir), os.RemoveAll(before))
}

func newDecoder() *record.Decoder {
	d := record.NewDecoder(nil, nil) // the marks need no symbols
	return &d
}

// marksOf returns the marks in a record of the log, nil if it is of another kind.
func marksOf(decoder *record.Decoder, r []byte) []record.RefMmapMarker {
	if decoder.Type(r) != record.MmapMarkers {
		return nil
	}
	marks, err := decoder.MmapMarkers(r, nil)
	if err != nil {
		return nil // the database says so
	}
	return marks
}

// readLog calls do with each record of a log. A missing log is empty.
func readLog(dir string, do func(r []byte) error) error {
	segments, err := wlog.NewSegmentsReader(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer segments.Close()
	reader := wlog.NewReader(segments)
	for reader.Next() {
		if err := do(reader.Record()); err != nil {
			return err
		}
	}
	return reader.Err()
}
