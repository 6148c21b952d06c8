package state

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// dumpFormat is the version of the format of exports: lines of JSON, of which the
// first is {"vedette":"state","format":1}. Then come the entries in the order of
// their keys, the records of each log in theirs, and a last line that counts
// them, without which an export is not whole.
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
	// One of them holds the value: Text where it is UTF-8, else Bytes, in base64.
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
	for _, log := range t.logs() {
		for r, ok := t.next(log, 1); ok && err == nil; r, ok = t.next(log, r.Seq+1) {
			line := dumpLine{Log: log, Seq: r.Seq}
			line.setValue(r.Value)
			end.Records++
			err = errors.Join(lines.Encode(line), ctx.Err())
		}
	}
	if err != nil {
		return err
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

// maxFaults is how many faults of an export are told.
const maxFaults = 20

// maxLineBytes bounds a line of an export: a value in base64, and its key.
const maxLineBytes = MaxValueBytes*6 + 4096

// readDump reads an export and finds every fault in it.
func readDump(r io.Reader) (*dump, error) {
	d := &dump{keys: make(map[string]int), last: make(map[string]uint64)}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLineBytes)
	n := 0
	for scanner.Scan() && len(d.faults) < maxFaults {
		n++
		if err := d.read(n, scanner.Bytes()); err != nil {
			d.faults = append(d.faults, fmt.Errorf("line %d: %w", n, err))
			if errors.Is(err, ErrNewer) || errors.Is(err, errNoDump) {
				break
			}
		}
	}
	if err := scanner.Err(); err != nil {
		d.faults = append(d.faults, fmt.Errorf("line %d: %w", n+1, err))
	}
	if len(d.faults) == 0 && d.end == nil {
		d.faults = append(d.faults, errors.New("it ends before its last line: it is not whole"))
	}
	return d, errors.Join(d.faults...)
}

var errNoDump = errors.New(`it is not an export of the state: it does not start with {"vedette":"state"}`)

func (d *dump) read(n int, text []byte) error {
	var l dumpLine
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&l)
	switch {
	case n == 1 && (err != nil || l.Vedette != "state"):
		return errNoDump
	case err != nil:
		return fmt.Errorf("it is not a line of an export: %w", err)
	case n == 1 && l.Format > dumpFormat:
		return fmt.Errorf("%w: its format is %d, this one's is %d", ErrNewer, l.Format, dumpFormat)
	case n == 1:
		return nil
	case d.end != nil:
		return errors.New("it stands after the last line")
	case l.End != nil:
		d.end = l.End
		if l.End.Entries != len(d.entries) || l.End.Records != len(d.records) {
			return fmt.Errorf("the export had %d entries and %d records; here are %d and %d", l.End.Entries, l.End.Records, len(d.entries), len(d.records))
		}
		return nil
	case l.Key != "":
		return d.readEntry(n, l)
	case l.Log != "":
		return d.readRecord(l)
	}
	return errors.New("it has neither a key nor a log")
}

func (d *dump) readEntry(n int, l dumpLine) error {
	c := Put(l.Key, l.value(), None)
	if err := c.check(); err != nil {
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
	c := Append(l.Log, l.value())
	if err := c.check(); err != nil {
		return err
	}
	if want := d.last[l.Log] + 1; l.Seq != want {
		return fmt.Errorf("the record of log %q has the number %d; %d comes here", l.Log, l.Seq, want)
	}
	d.last[l.Log] = l.Seq
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
		if _, err := t.append(d.records[i].Log, d.records[i].value()); err != nil {
			return err
		}
	}
	return nil
}
