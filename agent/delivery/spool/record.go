package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/vedettehq/vedette/inspectors"
)

// Report is a batch of samples as it is stored: by column, and with its own table
// of series, so that each report can be read without the others.
type Report struct {
	// Boot and Seq are the number under which the report was sent before. If it
	// was never sent, Boot is "": then it may be joined with others, and the store
	// numbers it.
	Boot string
	Seq  uint64
	// Series is the table that Of refers to.
	Series []Series
	Times  []int64  // ms since the epoch, UTC
	Of     []uint32 // indexes into Series
	Values []float64
}

// Series identifies a series among those of its host.
type Series struct {
	Key    string
	Labels inspectors.Labels
	Kind   inspectors.Kind
}

// Len returns the number of values and ends.
func (r *Report) Len() int { return len(r.Times) }

// Samples returns the number of samples, without those that end series.
func (r *Report) Samples() (n int) {
	for _, v := range r.Values {
		if !inspectors.IsEnding(v) {
			n++
		}
	}
	return n
}

// version returns the version of the report's record.
func (r *Report) version() byte {
	if r.Len() > 0 && r.Samples() == 0 {
		return recordEnds
	}
	return recordValues
}

// split returns what is to become records: the values of the report, under its number,
// and its ends. Ends that share a number with values get none: if they are sent again,
// that does no harm. Each is nil where there are none.
func (r *Report) split() (values, ends *Report) {
	switch r.Samples() {
	case r.Len():
		return r, nil
	case 0:
		return nil, r
	}
	values, ends = r.only(false), r.only(true)
	values.Boot, values.Seq = r.Boot, r.Seq
	return values, ends
}

// only returns the ends, or the values, with the series that these have.
func (r *Report) only(ends bool) *Report {
	part, at := &Report{}, make(map[uint32]uint32)
	for i, v := range r.Values {
		if inspectors.IsEnding(v) != ends {
			continue
		}
		of, known := at[r.Of[i]]
		if !known {
			of = uint32(len(part.Series))
			at[r.Of[i]] = of
			part.Series = append(part.Series, r.Series[r.Of[i]])
		}
		part.Times, part.Of, part.Values = append(part.Times, r.Times[i]), append(part.Of, of), append(part.Values, v)
	}
	return part
}

// The first byte of each record is its version. Versions of the agent that do not know the
// second one skip such a record as damaged, and drop it.
const (
	recordValues = 1
	recordEnds   = 2 // no values: each sample ends its series. Its key counts no samples
)

// Bounds of the claims of a record, which may be damaged.
const (
	maxRecordBytes = 8 << 20
	minSampleBytes = 10 // the smallest sample
	minEndBytes    = 2
	minSeriesBytes = 3
)

var (
	errRecord  = errors.New("the record is damaged")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// headBytes is the size of the version and the checksum of the rest.
const headBytes = 5

// encode writes a report: version, checksum, boot, seq, series, samples. Numbers are
// varints, except for values; times are differences. Ends have no values.
func encode(r *Report) []byte {
	b := make([]byte, headBytes, headBytes+64+16*r.Len()+64*len(r.Series))
	b = appendText(b, r.Boot)
	b = binary.AppendUvarint(b, r.Seq)
	b = binary.AppendUvarint(b, uint64(len(r.Series)))
	for i := range r.Series {
		s := &r.Series[i]
		b = append(b, byte(s.Kind))
		b = appendText(b, s.Key)
		b = binary.AppendUvarint(b, uint64(len(s.Labels)))
		for _, label := range s.Labels {
			b = appendText(b, label.Name)
			b = appendText(b, label.Value)
		}
	}
	b = binary.AppendUvarint(b, uint64(r.Len()))
	before, version := int64(0), r.version()
	for i, t := range r.Times {
		b = binary.AppendUvarint(b, uint64(r.Of[i]))
		b = binary.AppendVarint(b, t-before)
		if version == recordValues {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Values[i]))
		}
		before = t
	}
	return sign(b, version)
}

// sign writes the version and the checksum into a record.
func sign(b []byte, version byte) []byte {
	b[0] = version
	binary.LittleEndian.PutUint32(b[1:], crc32.Checksum(b[headBytes:], castagnoli))
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decode reads the result of encode. It keeps nothing of b.
func decode(b []byte) (*Report, error) {
	switch {
	case len(b) < headBytes || len(b) > maxRecordBytes:
		return nil, fmt.Errorf("%w: it is %d bytes long", errRecord, len(b))
	case b[0] != recordValues && b[0] != recordEnds:
		return nil, fmt.Errorf("%w: its version is %d", errRecord, b[0])
	case binary.LittleEndian.Uint32(b[1:]) != crc32.Checksum(b[headBytes:], castagnoli):
		return nil, fmt.Errorf("%w: its checksum is wrong", errRecord)
	}
	d := decoder{rest: b[headBytes:]}
	r := &Report{Boot: d.text(), Seq: d.number()}
	r.Series = make([]Series, d.count(minSeriesBytes))
	for i := range r.Series {
		r.Series[i] = d.series()
	}
	least := minSampleBytes
	if b[0] == recordEnds {
		least = minEndBytes
	}
	n := d.count(least)
	r.Times, r.Of, r.Values = make([]int64, n), make([]uint32, n), make([]float64, n)
	before := int64(0)
	for i := range n {
		of := d.number()
		before += d.difference()
		r.Of[i], r.Times[i], r.Values[i] = uint32(of), before, d.value(b[0])
		if of >= uint64(len(r.Series)) {
			d.bad = true
		}
	}
	if d.bad || len(d.rest) > 0 {
		return nil, fmt.Errorf("%w: its content is malformed", errRecord)
	}
	return r, nil
}

// decoder reads the content of a record. After a fault it reads zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) difference() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads how many items follow, each of at least so many bytes.
func (d *decoder) count(each int) int {
	n := d.number()
	if n > uint64(len(d.rest)/each) {
		d.bad, d.rest = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.rest) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text() string { return string(d.bytes(d.count(1))) }

func (d *decoder) value(version byte) float64 {
	if version == recordEnds {
		return inspectors.Ending(inspectors.Sample{}).Value
	}
	b := d.bytes(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

func (d *decoder) series() Series {
	kind := d.bytes(1)
	if kind == nil {
		return Series{}
	}
	s := Series{Kind: inspectors.Kind(kind[0]), Key: d.text()}
	if n := d.count(2); n > 0 {
		s.Labels = make(inspectors.Labels, n)
	}
	for i := range s.Labels {
		s.Labels[i].Name, s.Labels[i].Value = d.text(), d.text()
	}
	return s
}

// joiner makes one report of several that were never sent: it has their samples in
// their order, and each of their series once.
type joiner struct {
	into  *Report
	index map[string]uint32
	name  []byte
}

func newJoiner() *joiner {
	return &joiner{into: &Report{}, index: make(map[string]uint32)}
}

func (j *joiner) add(r *Report) {
	of := make([]uint32, len(r.Series))
	for i := range r.Series {
		of[i] = j.series(&r.Series[i])
	}
	for i := range r.Times {
		j.into.Of = append(j.into.Of, of[r.Of[i]])
	}
	j.into.Times = append(j.into.Times, r.Times...)
	j.into.Values = append(j.into.Values, r.Values...)
}

func (j *joiner) series(s *Series) uint32 {
	j.name = append(j.name[:0], byte(s.Kind))
	j.name = append(j.name, s.Key...)
	for _, label := range s.Labels { // labels have no control characters
		j.name = append(append(j.name, 0), label.Name...)
		j.name = append(append(j.name, 1), label.Value...)
	}
	at, known := j.index[string(j.name)]
	if !known {
		at = uint32(len(j.into.Series))
		j.into.Series = append(j.into.Series, *s)
		j.index[string(j.name)] = at
	}
	return at
}
