package state

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// dumpFormat is the version of the format of exports: lines of JSON. The first is
// {"vedette":"state","format":1}. Then come the entries in the order of their
// keys, the records of each log in order, and a last line that counts them,
// without which an export is incomplete. A log that was trimmed begins with a
// record that is marked as the first.
//
//	1 (2026-11-29)
const dumpFormat = 1

// dumpLine is any line of an export.
type dumpLine struct {
	Vedette string `json:"vedette,omitempty"` // the first line: "state"
	Format  int    `json:"format,omitempty"`

	Key string `json:"key,omitempty"` // an entry
	Log string `json:"log,omitempty"` // or a record of a log
	Seq uint64 `json:"seq,omitempty"`
	// First marks a record with another number than 1 with which its log begins.
	First bool `json:"first,omitempty"`
	// One of them holds the value: Text if it is UTF-8, otherwise Bytes, in base64.
	Text  *string `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`

	End *dumpEnd `json:"end,omitempty"` // the last line
}

type dumpEnd struct {
	Entries int `json:"entries"`
	Records int `json:"records"`
}

func (l *dumpLine) setValue(value []byte) {
	if utf8.Valid(value) {
		text := string(value)
		l.Text = &text
		return
	}
	l.Bytes = value
}

func (l *dumpLine) value() []byte {
	if l.Text != nil {
		return []byte(*l.Text)
	}
	return l.Bytes
}

func export(ctx context.Context, t tx, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(dumpLine{Vedette: "state", Format: dumpFormat}); err != nil {
		return err
	}
	var end dumpEnd
	err := t.each("", func(key string, value []byte) error {
		line := dumpLine{Key: key}
		line.setValue(value)
		end.Entries++
		return errors.Join(lines.Encode(line), ctx.Err())
	})
	if err != nil {
		return err
	}
	for _, log := range t.logs() {
		first := t.first(log)
		for seq := first; err == nil; seq++ {
			r, ok, fault := nextRecord(t, log, seq)
			if err = fault; !ok {
				break
			}
			line := dumpLine{Log: log, Seq: r.Seq, First: r.Seq == first && first > 1}
			line.setValue(r.Value)
			end.Records++
			err = errors.Join(lines.Encode(line), ctx.Err())
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Encode(dumpLine{End: &end}); err != nil {
		return err
	}
	return buffered.Flush()
}

// dump is an export that was read.
type dump struct {
	entries []dumpLine
	records []dumpLine
	faults  []error
	keys    map[string]int // lines by key
	last    map[string]uint64
	end     *dumpEnd
}

// maxFaults is how many faults of an export are reported.
const maxFaults = 20

// maxLineBytes bounds a line of an export: a value, whose bytes take at most six
// each, and its key.
const maxLineBytes = MaxValueBytes*6 + 4096

// readDump reads an export and finds every fault in it, up to maxFaults. If the
// reader fails or ctx ends, that is the error.
func readDump(ctx context.Context, r io.Reader) (*dump, error) {
	d := &dump{keys: make(map[string]int), last: make(map[string]uint64)}
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; len(d.faults) < maxFaults; n++ {
		text, err := readLine(lines)
		if errors.Is(err, errLongLine) {
			d.fault(n, err)
			break
		}
		if err = errors.Join(ctx.Err(), err); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err != nil && len(text) == 0 {
			break
		}
		if fault := d.read(n, text); fault != nil {
			d.fault(n, fault)
			if errors.Is(fault, ErrNewer) || errors.Is(fault, errNoDump) {
				break
			}
		}
	}
	switch {
	case len(d.faults) == maxFaults:
		d.faults = append(d.faults, errors.New("and perhaps more"))
	case len(d.faults) == 0 && d.end == nil:
		d.faults = append(d.faults, errors.New("it ends before its last line: it is incomplete"))
	}
	return d, errors.Join(d.faults...)
}

func (d *dump) fault(line int, err error) {
	d.faults = append(d.faults, fmt.Errorf("line %d: %w", line, err))
}

var (
	errNoDump   = errors.New(`it is not an export of the state: it does not start with {"vedette":"state"}`)
	errLongLine = errors.New("it is longer than any line of an export")
)

// readLine returns a line without its end. The last one may have none, and comes
// with io.EOF.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return nil, errLongLine
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		}
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
}

func (d *dump) read(n int, text []byte) error {
	var l dumpLine
	err := decodeLine(text, &l)
	switch {
	case n == 1 && l.Vedette != "state":
		return errNoDump
	case n == 1 && l.Format > dumpFormat:
		return fmt.Errorf("%w: its format is %d, this one's is %d", ErrNewer, l.Format, dumpFormat)
	case err != nil:
		return fmt.Errorf("it is not a line of an export: %w", err)
	case n == 1 && l.Format < 1:
		return errors.New("it does not say which format it has")
	case n > 1 && d.end != nil:
		return errors.New("it comes after the last line")
	case !l.isOne(n):
		return errors.New("it has fields that do not belong together")
	case n == 1:
		return nil
	case l.End != nil:
		return d.readEnd(l.End)
	case l.Key != "":
		return d.readEntry(n, l)
	case l.Log != "":
		return d.readRecord(l)
	}
	return errors.New("it has neither a key nor a log")
}

// decodeLine reads one object, and nothing else. Without its checks, JSON would
// silently change text that is not UTF-8.
func decodeLine(text []byte, l *dumpLine) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(l)
	wrong, isType := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends too soon")
	case isType && wrong.Field == "":
		return fmt.Errorf("it has to be an object, and is of type %s", wrong.Value)
	case isType:
		return fmt.Errorf("the field %q cannot be of type %s", wrong.Field, wrong.Value)
	case err != nil:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if rest, err := io.ReadAll(decoder.Buffered()); err != nil || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("something follows the object")
	}
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8")
	}
	return nil
}

// isOne reports whether the line, of that number, is of one kind only.
func (l *dumpLine) isOne(n int) bool {
	kinds := 0
	for _, has := range []bool{n == 1 || l.Vedette != "" || l.Format != 0, l.Key != "", l.Log != "", l.End != nil} {
		if has {
			kinds++
		}
	}
	hasValue, hasSeq := l.Text != nil || l.Bytes != nil, l.Seq != 0 || l.First
	return kinds <= 1 && (!hasSeq || l.Log != "") && (!hasValue || l.Key != "" || l.Log != "")
}

func (d *dump) readEnd(end *dumpEnd) error {
	d.end = end
	if len(d.faults) == 0 && (end.Entries != len(d.entries) || end.Records != len(d.records)) {
		return fmt.Errorf("the export had %d entries and %d records; here are %d and %d", end.Entries, end.Records, len(d.entries), len(d.records))
	}
	return nil
}

// checkValue checks that there is one value.
func (l *dumpLine) checkValue() error {
	if (l.Text == nil) == (l.Bytes == nil) {
		return errors.New("it needs a value, as either text or bytes")
	}
	return nil
}

func (d *dump) readEntry(n int, l dumpLine) error {
	c := Put(l.Key, l.value(), None)
	if err := errors.Join(c.check(), l.checkValue()); err != nil {
		return err
	}
	if before, twice := d.keys[l.Key]; twice {
		return fmt.Errorf("the key %q is on line %d too", l.Key, before)
	}
	d.keys[l.Key] = n
	d.entries = append(d.entries, l)
	return nil
}

func (d *dump) readRecord(l dumpLine) error {
	last, begun := d.last[l.Log]
	want := last + 1
	if l.First && !begun {
		want = max(l.Seq, 2)
	}
	d.last[l.Log] = l.Seq
	c := Append(l.Log, l.value())
	switch err := errors.Join(c.check(), l.checkValue()); {
	case err != nil:
		return err
	case l.First && begun:
		return fmt.Errorf("the record %d of log %q is called the first, and others come before it", l.Seq, l.Log)
	case l.Seq != want:
		return fmt.Errorf("the record of log %q has the number %d; %d comes here", l.Log, l.Seq, want)
	}
	d.records = append(d.records, l)
	return nil
}

// restore puts everything into an empty store.
func (d *dump) restore(t tx) error {
	if len(t.logs()) > 0 {
		return ErrNotEmpty
	}
	if err := t.each("", func(string, []byte) error { return ErrNotEmpty }); err != nil {
		return err
	}
	for i := range d.entries {
		if err := t.put(d.entries[i].Key, d.entries[i].value()); err != nil {
			return err
		}
	}
	for i := range d.records {
		if d.records[i].First {
			if err := t.begin(d.records[i].Log, d.records[i].Seq); err != nil {
				return err
			}
		}
		if _, err := t.append(d.records[i].Log, d.records[i].value()); err != nil {
			return err
		}
	}
	return nil
}
