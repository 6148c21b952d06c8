package forward

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	// segmentBytes is the size from which a new file is begun; it is smaller in a small
	// queue. Whole files are removed, after they were sent or when there is no room.
	segmentBytes = 16 << 20
	// maxRecordBytes bounds a record that is read, against a damaged length.
	maxRecordBytes = 64 << 20
	headerBytes    = 12
	segmentSuffix  = ".queue"
	positionFile   = "position"
)

// queue is a first-in first-out queue of records in files. A file is a row of records: the
// length of the payload, its CRC-32C and the number of its samples (four bytes each, big
// endian), and the payload. Its records survive the death of the process; after a power
// failure the last ones may be missing.
//
// push may be called from any goroutine, the other methods from one.
type queue struct {
	dir      string
	maxBytes int64
	rollAt   int64 // size from which a new file is begun
	log      *slog.Logger
	more     chan struct{} // holds one token when something was pushed

	mu       sync.Mutex
	segments []segment // in order; the last one is being written, if file is set
	file     *os.File  // or nil
	unsynced bool
	closed   bool
	dropped  uint64   // samples, for want of room
	at       position // changed by the reader only, which reads it without mu

	reader *os.File // of segment at.Segment, or nil; the reader's
}

type segment struct {
	number int
	size   int64
}

// position is the place of the first unanswered record.
type position struct {
	Segment int   `json:"segment"`
	Offset  int64 `json:"offset"`
}

// record is a payload and how many samples it holds.
type record struct {
	payload []byte
	samples int
	next    position
}

func openQueue(dir string, maxBytes int64, log *slog.Logger) (*queue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the queue: %w", err)
	}
	q := &queue{dir: dir, maxBytes: maxBytes, rollAt: min(segmentBytes, maxBytes/8+1), log: log, more: make(chan struct{}, 1)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the queue: %w", err)
	}
	for _, entry := range entries {
		number, err := strconv.Atoi(strings.TrimSuffix(entry.Name(), segmentSuffix))
		if err != nil || !strings.HasSuffix(entry.Name(), segmentSuffix) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("cannot read the queue: %w", err)
		}
		q.segments = append(q.segments, segment{number, info.Size()})
	}
	slices.SortFunc(q.segments, func(a, b segment) int { return a.number - b.number })
	q.loadPosition()
	q.forget()
	if len(q.segments) > 0 {
		q.signal()
	}
	return q, nil
}

// loadPosition reads the position of the last run. Without it everything is sent.
func (q *queue) loadPosition() {
	text, err := os.ReadFile(filepath.Join(q.dir, positionFile))
	if err == nil {
		err = json.Unmarshal(text, &q.at)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		q.log.Warn("the place in the queue cannot be read; what is in it is sent again", "dir", q.dir, "error", err)
		q.at = position{}
	}
}

// push adds a record and returns when it would survive the death of the process.
func (q *queue) push(payload []byte, samples int) error {
	var header [headerBytes]byte
	binary.BigEndian.PutUint32(header[0:], uint32(len(payload)))
	binary.BigEndian.PutUint32(header[4:], checksum(payload))
	binary.BigEndian.PutUint32(header[8:], uint32(samples))
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errNotRunning
	}
	if err := q.roomLocked(int64(headerBytes + len(payload))); err != nil {
		return err
	}
	last := &q.segments[len(q.segments)-1]
	n, err := q.file.Write(append(header[:], payload...))
	if err != nil {
		// A torn record must not stand before others.
		q.closeLocked()
		if n > 0 {
			last.size += int64(n)
		}
		return fmt.Errorf("cannot write to the queue: %w", err)
	}
	last.size += int64(n)
	q.unsynced = true
	q.signal()
	return nil
}

// roomLocked ensures that there is a file to write to, and that the queue stays within its
// bound.
func (q *queue) roomLocked(size int64) error {
	if q.file != nil && q.segments[len(q.segments)-1].size >= q.rollAt {
		if err := q.closeLocked(); err != nil {
			return fmt.Errorf("cannot finish a file of the queue: %w", err)
		}
	}
	if q.file == nil {
		number := q.at.Segment + 1
		if n := len(q.segments); n > 0 {
			number = max(number, q.segments[n-1].number+1)
		}
		file, err := os.OpenFile(q.path(number), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("cannot begin a file of the queue: %w", err)
		}
		q.file, q.segments = file, append(q.segments, segment{number, 0})
	}
	for len(q.segments) > 1 && q.onDiskLocked()+size > q.maxBytes {
		q.dropLocked()
	}
	return nil
}

// dropLocked removes the oldest file and counts its samples that were not sent.
func (q *queue) dropLocked() {
	oldest := q.segments[0]
	from := int64(0)
	if q.at.Segment == oldest.number {
		from = q.at.Offset
	}
	lost := countSamples(q.path(oldest.number), from)
	if err := os.Remove(q.path(oldest.number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		q.log.Error("cannot remove a file of the queue", "error", err)
	}
	q.segments = q.segments[1:]
	q.dropped += lost
	q.log.Error("the queue of what is to be forwarded is full; the oldest samples were dropped", "dir", q.dir, "samples", lost, "max_bytes", q.maxBytes)
}

// countSamples adds up the samples of a file's records from an offset on.
func countSamples(path string, from int64) uint64 {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	var total uint64
	var header [headerBytes]byte
	for {
		if _, err := file.ReadAt(header[:], from); err != nil {
			return total
		}
		total += uint64(binary.BigEndian.Uint32(header[8:]))
		from += headerBytes + int64(binary.BigEndian.Uint32(header[0:]))
	}
}

// peek returns the oldest unanswered record, and false if there is none. It skips and
// reports unreadable records.
func (q *queue) peek() (record, bool) {
	for {
		current, ok := q.settle()
		if !ok {
			return record{}, false
		}
		r, err := q.read(current.size)
		if err == nil {
			return r, true
		}
		if !errors.Is(err, io.EOF) {
			q.log.Warn("the rest of a file of the queue cannot be read and is not forwarded", "file", q.path(current.number), "offset", q.at.Offset, "bytes",
				current.size-q.at.Offset, "reason", err)
		}
		q.closeReader()
		q.move(position{Segment: current.number + 1})
		q.forget()
	}
}

// settle returns the file that the reader should read, and false when it has read
// everything.
func (q *queue) settle() (segment, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, s := range q.segments {
		if s.number < q.at.Segment {
			continue
		}
		if s.number > q.at.Segment {
			q.closeReader()
			q.at = position{Segment: s.number}
		}
		if q.at.Offset >= s.size && i == len(q.segments)-1 && q.file != nil {
			return s, false // being written
		}
		return s, true
	}
	return segment{}, false
}

// read reads the record at the reader's place. It returns io.EOF at the end.
func (q *queue) read(size int64) (record, error) {
	if q.reader == nil {
		file, err := os.Open(q.path(q.at.Segment))
		if err != nil {
			return record{}, err
		}
		q.reader = file
	}
	if q.at.Offset >= size {
		return record{}, io.EOF
	}
	var header [headerBytes]byte
	if _, err := q.reader.ReadAt(header[:], q.at.Offset); err != nil {
		return record{}, errors.New("it ends within a record")
	}
	length := int64(binary.BigEndian.Uint32(header[0:]))
	if length > maxRecordBytes || q.at.Offset+headerBytes+length > size {
		return record{}, errors.New("it ends within a record")
	}
	payload := make([]byte, length)
	if _, err := q.reader.ReadAt(payload, q.at.Offset+headerBytes); err != nil {
		return record{}, err
	}
	if checksum(payload) != binary.BigEndian.Uint32(header[4:]) {
		return record{}, errors.New("the checksum of a record is wrong")
	}
	return record{
		payload: payload, samples: int(binary.BigEndian.Uint32(header[8:])),
		next: position{q.at.Segment, q.at.Offset + headerBytes + length},
	}, nil
}

// done records that a record was answered.
func (q *queue) done(r record) { q.move(r.next) }

func (q *queue) move(to position) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.at = to
}

// forget removes the files that were sent.
func (q *queue) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.segments) > 0 && q.segments[0].number < q.at.Segment {
		if err := os.Remove(q.path(q.segments[0].number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			q.log.Error("cannot remove a file of the queue", "error", err)
			return
		}
		q.segments = q.segments[1:]
	}
}

// save forces pushed records to the disk and stores the reader's place.
func (q *queue) save() error {
	q.mu.Lock()
	var err error
	if q.unsynced && q.file != nil {
		err = q.file.Sync()
		q.unsynced = err != nil
	}
	q.mu.Unlock()
	text, jsonErr := json.Marshal(q.at)
	path := filepath.Join(q.dir, positionFile)
	return errors.Join(err, jsonErr, os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
}

// close ends the queue; its records stay.
func (q *queue) close() error {
	err := q.save()
	q.closeReader()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	return errors.Join(err, q.closeLocked())
}

func (q *queue) closeLocked() error {
	if q.file == nil {
		return nil
	}
	err := errors.Join(q.file.Sync(), q.file.Close())
	q.file = nil
	return err
}

func (q *queue) closeReader() {
	if q.reader != nil {
		q.reader.Close() //nolint:errcheck // it was read only
		q.reader = nil
	}
}

// pending returns the bytes that wait, and the samples dropped so far.
func (q *queue) pending() (bytes int64, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytesLocked(), q.dropped
}

func (q *queue) bytesLocked() int64 {
	var total int64
	for _, s := range q.segments {
		total += s.size
		if s.number == q.at.Segment {
			total -= q.at.Offset
		}
	}
	return total
}

func (q *queue) onDiskLocked() int64 {
	var total int64
	for _, s := range q.segments {
		total += s.size
	}
	return total
}

func (q *queue) signal() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *queue) path(number int) string {
	return filepath.Join(q.dir, fmt.Sprintf("%08d%s", number, segmentSuffix))
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
