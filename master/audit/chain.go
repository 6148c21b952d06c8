package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// rootKey is the entry of the state that says where the chain begins.
const rootKey = "audit/root"

// root is the value under rootKey.
type root struct {
	From uint64 `json:"from"` // the number of the first line that has a checksum
	Sum  string `json:"sum"`  // the checksum of the line before it, which was removed, or ""
}

// A line with a checksum ends with sumBegin, the checksum in hex, and sumEnd. The strings
// of a line have no quote without a backslash, so no other line does.
const (
	sumBegin = `,"sum":"`
	sumEnd   = `"}`
	sumBytes = len(sumBegin) + 2*sha256.Size + len(sumEnd)
)

// ErrNoted is wrapped by the error of Verify if the noted checksum cannot be
// compared.
var ErrNoted = errors.New("the noted checksum is of no use")

// sumDigitsLeast is how many digits of a noted checksum are enough.
const sumDigitsLeast = 16

// errRoot is wrapped by the error of a root that somebody has changed.
var errRoot = errors.New("it was changed")

// link gives a line its checksum. It is a state.Link.
func link(last state.Record, line []byte) []byte {
	_, before := split(last.Value)
	sum := sumOf(before, last.Seq+1, line)
	linked := make([]byte, 0, len(line)+sumBytes)
	linked = append(append(linked, bytes.TrimSuffix(line, []byte("}"))...), sumBegin...)
	return append(append(linked, sum...), sumEnd...)
}

// split removes the checksum from a line. sum is "" if there is none.
func split(linked []byte) (line []byte, sum string) {
	at := len(linked) - sumBytes
	if at < 0 || !bytes.HasPrefix(linked[at:], []byte(sumBegin)) || !bytes.HasSuffix(linked, []byte(sumEnd)) {
		return linked, ""
	}
	sum = string(linked[at+len(sumBegin) : len(linked)-len(sumEnd)])
	return append(bytes.Clone(linked[:at]), '}'), sum
}

// sumOf is the checksum of a line with a number that follows a line with the
// checksum before.
func sumOf(before string, seq uint64, line []byte) string {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(before))))
	h.Write([]byte(before))
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	h.Write(line)
	return hex.EncodeToString(h.Sum(nil))
}

// Begin notes where the chain begins, if that is not known: after the existing
// lines. Call it before anything is written.
func (l *Log) Begin(ctx context.Context) error {
	switch _, _, err := l.root(ctx); {
	case errors.Is(err, errRoot):
		return nil // Verify says so
	case !errors.Is(err, state.ErrNotFound):
		return err
	}
	begin := root{From: 1}
	for record, err := range l.store.ScanBack(ctx, LogName, 0) {
		if err != nil {
			return fmt.Errorf("cannot read the audit log: %w", err)
		}
		if _, sum := split(record.Value); sum != "" {
			return nil // somebody has removed the root: Verify says so
		}
		begin.From = record.Seq + 1
		break
	}
	if err := l.store.Apply(ctx, begin.change(state.None)); err != nil {
		return fmt.Errorf("cannot begin the checksums of the audit log: %w", err)
	}
	return nil
}

func (r root) change(want state.Version) state.Change {
	value, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("cannot encode the root of the audit log: %v", err)) // a number and a string
	}
	return state.Put(rootKey, value, want)
}

// root reads where the chain begins. The error wraps state.ErrNotFound if that is
// not known, and errRoot if it makes no sense.
func (l *Log) root(ctx context.Context) (root, state.Version, error) {
	entry, err := l.store.Get(ctx, rootKey)
	if err != nil {
		return root{}, state.None, fmt.Errorf("cannot read where the checksums of the audit log begin: %w", err)
	}
	var r root
	if err := json.Unmarshal(entry.Value, &r); err != nil {
		return root{}, state.None, fmt.Errorf("cannot read where the checksums of the audit log begin: %w: %w", errRoot, err)
	}
	return r, entry.Version, nil
}

// cut removes the lines before a number, which must be that of a line. The
// checksum of the last removed line is the new root, in the same commit.
func (l *Log) cut(ctx context.Context, from uint64) error {
	changes := []state.Change{state.Trim(LogName, from)}
	begin, version, err := l.root(ctx)
	switch {
	case errors.Is(err, state.ErrNotFound), errors.Is(err, errRoot): // Verify reports it; the log is kept within its bounds in any case
	case err != nil:
		return err
	case from > begin.From:
		for record, err := range l.store.ScanBack(ctx, LogName, from) {
			if err != nil {
				return err
			}
			_, sum := split(record.Value)
			changes = append(changes, root{From: from, Sum: sum}.change(version))
			break
		}
	}
	return l.store.Apply(ctx, changes...)
}

// Verify reads the whole log and checks its checksums: it returns the number of
// lines, and the first line that was changed or moved. A line whose checksum was
// noted elsewhere is compared with that.
func (l *Log) Verify(ctx context.Context, noted wire.AuditVerifyParams) (wire.AuditVerifyResult, error) {
	if noted.Seq > 0 && (len(noted.Sum) < sumDigitsLeast || len(noted.Sum) > 2*sha256.Size) {
		return wire.AuditVerifyResult{}, fmt.Errorf("%w: cannot compare entry %d with %q: a checksum has %d digits, of which the first %d are enough", ErrNoted,
			noted.Seq, noted.Sum, 2*sha256.Size, sumDigitsLeast)
	}
	l.cutting.Lock()
	defer l.cutting.Unlock()
	begin, _, unknown := l.root(ctx)
	if unknown != nil && !errors.Is(unknown, state.ErrNotFound) && !errors.Is(unknown, errRoot) {
		return wire.AuditVerifyResult{}, unknown
	}
	v := verifier{begin: begin, noted: noted}
	for record, err := range l.store.Scan(ctx, LogName, 0) {
		if err != nil {
			return wire.AuditVerifyResult{}, fmt.Errorf("cannot read the audit log: %w", err)
		}
		if unknown != nil {
			v.fail(record.Seq, "the note of where the checksums begin was removed or changed")
		} else {
			v.take(record)
		}
		if v.result.Fault != nil {
			break
		}
	}
	if v.result.Fault == nil && v.result.Last+1 < v.begin.From {
		v.fail(v.result.Last+1, fmt.Sprintf("the newest entries were removed; there was one with the number %d", v.begin.From-1))
	}
	return v.result, v.compareRest()
}

// verifier checks lines in their order.
type verifier struct {
	begin  root
	noted  wire.AuditVerifyParams
	result wire.AuditVerifyResult
}

// compare compares the checksum of a line with the noted one.
func (v *verifier) compare(seq uint64, sum string) {
	switch {
	case v.noted.Seq != seq || seq == 0:
	case sum == "":
		v.fail(seq, "it has no checksum, although one was noted")
	case !strings.HasPrefix(sum, strings.ToLower(v.noted.Sum)):
		v.fail(seq, "its checksum is not the one that was noted: it or an entry before it was replaced, and the checksums were computed again")
	default:
		v.result.Noted = true
	}
}

// compareRest compares a noted line that is not in the log.
func (v *verifier) compareRest() error {
	r := &v.result
	switch {
	case v.noted.Seq == 0 || r.Noted || r.Fault != nil:
	case v.noted.Seq > r.Last:
		v.fail(r.Last+1, fmt.Sprintf("the newest entries were removed: entry %d was noted", v.noted.Seq))
	case v.noted.Seq+1 == v.begin.From && v.begin.Sum != "":
		v.compare(v.noted.Seq, v.begin.Sum)
	default:
		return fmt.Errorf("%w: cannot compare entry %d: it is older than the oldest entry that is kept, %d", ErrNoted, v.noted.Seq, r.First)
	}
	return nil
}

func (v *verifier) fail(seq uint64, reason string) {
	v.result.Fault = &wire.AuditFault{Seq: seq, Reason: reason}
}

func (v *verifier) take(record state.Record) {
	r := &v.result
	line, sum := split(record.Value)
	if r.Entries == 0 {
		r.First, r.Sum = record.Seq, v.begin.Sum
		if record.Seq > v.begin.From || record.Seq < v.begin.From && v.begin.Sum != "" {
			v.fail(record.Seq, fmt.Sprintf("it is the oldest, and %d should be", v.begin.From))
			return
		}
	}
	var entry wire.AuditEntry
	switch isBefore := record.Seq < v.begin.From; {
	case json.Unmarshal(record.Value, &entry) != nil:
		v.fail(record.Seq, "it was changed: it is not an entry")
	case isBefore && sum != "":
		v.fail(record.Seq, fmt.Sprintf("it has a checksum, and they begin with %d", v.begin.From))
	case isBefore:
		r.Without++
	case sum == "":
		v.fail(record.Seq, "its checksum was removed")
	case sum != sumOf(r.Sum, record.Seq, line):
		v.fail(record.Seq, "its checksum does not follow: it was changed or moved, or one before it was removed or changed")
	default:
		r.Sum = sum
	}
	if r.Fault != nil {
		return
	}
	if v.compare(record.Seq, sum); r.Fault != nil {
		return
	}
	if r.Entries == 0 {
		r.FromMS = entry.AtMS
	}
	r.Entries++
	r.Last, r.ToMS = record.Seq, entry.AtMS
}
