package state

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Bounds of a store.
const (
	MaxKeyBytes    = 512
	MaxValueBytes  = 64 << 20 // of one value, and of everything that one Apply writes
	MaxRecordBytes = 1 << 20
	MaxChanges     = 1000 // of one Apply
	// WatchBuffer is how many changes may wait for a watcher before it loses some.
	WatchBuffer = 256
)

var (
	// ErrNotFound is wrapped by the error of Get when there is no such entry.
	ErrNotFound = errors.New("there is no such entry")
	// ErrConflict is wrapped by the error of a write whose author has not seen
	// the current version; the error is a *ConflictError.
	ErrConflict = errors.New("the entry has changed")
	// ErrInvalid is wrapped by the error of a call that no store would accept: a
	// key with other characters, a value that is too large.
	ErrInvalid = errors.New("invalid")
	// ErrClosed is wrapped by the error of every call after Close.
	ErrClosed = errors.New("the state is closed")
	// ErrNotEmpty is wrapped by the error of an import into a store that is not
	// empty.
	ErrNotEmpty = errors.New("it is not empty")
	// ErrLocked is wrapped by the error of Open when another process has the
	// state open.
	ErrLocked = errors.New("another process has it open")
	// ErrDamaged is wrapped by the error of a state that cannot be read. It does
	// not repair itself: the file has to be moved away, and the last export
	// imported.
	ErrDamaged = errors.New("it is damaged")
	// ErrNewer is wrapped by the error of a file or an export of a newer version.
	ErrNewer = errors.New("it was made by a newer version")
)

// Version names the content of an entry: the SHA-256 of its value, in hex.
type Version string

// None is the version of an entry that does not exist.
const None Version = ""

// VersionOf returns the version of an entry with this value.
func VersionOf(value []byte) Version {
	sum := sha256.Sum256(value)
	return Version(hex.EncodeToString(sum[:]))
}

// Entry is a value under a key.
type Entry struct {
	Key     string
	Value   []byte
	Version Version // None if there is no such entry
}

// Record is one line of a log. The first of a log has the number 1, and each one
// more than the one before. Trim removes the oldest; the numbers stay.
type Record struct {
	Seq   uint64
	Value []byte
}

// Event is what a watcher receives: a change of an entry, or the news that changes
// were lost.
type Event struct {
	// Entry is the entry after the change. Its Version is None if it was deleted.
	// The value must not be changed: other watchers have the same.
	Entry
	// Lost says instead that the watcher was too slow, and that some changes
	// before this are missing. The watcher has to List again.
	Lost bool
}

// ConflictError has the current entry, which differs from the one that a write
// expected.
type ConflictError struct {
	Current Entry   // its Version is None if there is no such entry
	Want    Version // what the author of the write has seen
}

// Error says which entry has changed, and how.
func (e *ConflictError) Error() string {
	switch {
	case e.Want == None:
		return fmt.Sprintf("%q is there already", e.Current.Key)
	case e.Current.Version == None:
		return fmt.Sprintf("%q is not there any more", e.Current.Key)
	}
	return fmt.Sprintf("%q has changed: it is at version %.12s, not at %.12s", e.Current.Key, e.Current.Version, e.Want)
}

// Is makes errors.Is find ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Store keeps entries and logs. It is safe for concurrent use.
//
// A key is kind/name, or has more segments: each of ASCII letters, digits and "_",
// "-", ".", ":", starting with a letter, a digit or "_"; at most MaxKeyBytes in
// all. The name of a log is one such segment. A prefix is the beginning of keys,
// and "" that of all; it may end within a segment.
//
// Arguments stay the caller's, who may change them once the call has returned;
// results are the caller's as well. Only the values of events are shared.
//
// A call that waits for others, or reads much, ends with the error of its context.
// A write that has begun is completed.
type Store interface {
	// Get returns an entry, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)

	// List returns the entries whose keys begin with prefix, in the order of their
	// keys, all from one moment. If there are none it is empty.
	List(ctx context.Context, prefix string) ([]Entry, error)

	// Put sets a value, if the entry is at version want; None means that it must
	// not exist. It returns the new version, which is VersionOf(value). When it
	// returns without an error, the value is on the disk, and every watcher has it
	// in its channel.
	Put(ctx context.Context, key string, value []byte, want Version) (Version, error)

	// Delete removes an entry that is at version want.
	Delete(ctx context.Context, key string, want Version) error

	// Append adds a record at the end of a log, which it makes if there is none,
	// and returns its number.
	Append(ctx context.Context, log string, record []byte) (seq uint64, err error)

	// Apply does all of the changes or none, at one moment. A key may be in only
	// one of them; several may append to one log, in their order. If several are
	// in conflict, the error has the first.
	Apply(ctx context.Context, changes ...Change) error

	// Watch returns a channel of the changes to entries whose keys begin with
	// prefix, from this moment on, each once and in the order in which they took
	// effect; those of one Apply come together, in its order. Changes in the
	// channel are on the disk. It is closed when ctx ends or the store closes.
	//
	// The store does not wait for watchers. One that has WatchBuffer changes
	// waiting gets one Event with Lost after them, and nothing more until it has
	// taken all of these; then it gets later changes. So a caller that keeps a
	// copy watches first and lists then, lists again at each Lost, and allows for
	// a change that is in the list already.
	Watch(ctx context.Context, prefix string) (<-chan Event, error)

	// Scan yields the records of a log in their order, from a number on, up to the
	// last one at the time that it gets there. A missing log has no records. If
	// there is an error, it is yielded last. The loop may call the store.
	Scan(ctx context.Context, log string, from uint64) iter.Seq2[Record, error]

	// ScanBack yields the records of a log from the newest to the oldest: those
	// before a number, or all when it is 0.
	ScanBack(ctx context.Context, log string, before uint64) iter.Seq2[Record, error]

	// Export writes everything as of one moment as lines of JSON; see dump.go for
	// the format. Writers may have to wait until it is done, so w should be a file
	// or memory rather than a network connection.
	Export(ctx context.Context, w io.Writer) error

	// Import reads an export, all or nothing. The store must be empty, or the
	// error is ErrNotEmpty. The error has every fault with its line, up to twenty.
	// Watchers get Lost.
	Import(ctx context.Context, r io.Reader) error

	// Close waits for calls that have begun and closes the store. Closing twice is
	// not an error.
	Close() error
}

// Change is one part of an Apply; Put, Delete, Check, Append, AppendLinked and Trim make them.
type Change struct {
	Op    Op
	Name  string  // the key, or the name of the log
	Value []byte  // the value, or the record, or the number of one
	Want  Version // of the entry
	Link  Link    // of a record that depends on the one before, or nil
}

// Link makes the record to append from the given one and the last of the log at
// that moment, whose Seq is 0 if there is none. It keeps to MaxRecordBytes, is
// fast, calls no store, and neither keeps nor changes its arguments.
type Link func(last Record, record []byte) []byte

// Op is what a Change does.
type Op int

// What a Change does.
const (
	OpPut Op = iota + 1
	OpDelete
	OpCheck
	OpAppend
	OpTrim
)

// Put is a change that sets a value, like Store.Put.
func Put(key string, value []byte, want Version) Change {
	return Change{Op: OpPut, Name: key, Value: value, Want: want}
}

// Delete is a change that removes an entry, like Store.Delete.
func Delete(key string, want Version) Change { return Change{Op: OpDelete, Name: key, Want: want} }

// Check is a change that changes nothing: the others of its Apply are done only if
// the entry is at version want; None means that it must not exist.
func Check(key string, want Version) Change { return Change{Op: OpCheck, Name: key, Want: want} }

// Append is a change that adds a record to a log, like Store.Append.
func Append(log string, record []byte) Change {
	return Change{Op: OpAppend, Name: log, Value: record}
}

// AppendLinked is a change that adds a record which link makes.
func AppendLinked(log string, record []byte, link Link) Change {
	return Change{Op: OpAppend, Name: log, Value: record, Link: link}
}

// Trim is a change that removes the records of a log that come before a number.
// The last record always stays, so that its number is not used again.
func Trim(log string, first uint64) Change {
	return Change{Op: OpTrim, Name: log, Value: binary.BigEndian.AppendUint64(nil, first)}
}
