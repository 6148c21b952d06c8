package delivery

import (
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of one report. A report in which every series is as large as it may be
// and has to be declared still fits well into a frame.
const (
	maxReportBytes   = 512 << 10
	maxReportSamples = 20_000
)

// Estimated sizes in bytes, in memory and, a little more than, on the wire.
const (
	sampleBytes = 24
	seriesBytes = 96 // beside the text of the key and the labels
	reportBytes = 192
)

// series is one series of this agent. Reports refer to it by pointer, so it
// lives as long as one of them.
type series struct {
	key    string
	labels inspectors.Labels
	kind   inspectors.Kind
	about  *inspectors.About // or nil
	bytes  int64

	// What the master knows of it. The outbox's mu guards these.
	link      *Link   // on which id was declared, or nil
	id        uint32  // on that connection
	declaring *Report // that declares it and is not acknowledged yet, or nil
}

// Report is a batch of samples by column. It does not change once it is made, except
// for the fields that the outbox's mu guards.
type Report struct {
	times  []int64 // ms since the epoch
	series []*series
	values []float64
	bytes  int64
	made   time.Time // when it was cut

	boot      string    // of the numbering of seq; "" is this run's own
	seq       uint64    // 0 until it is first sent
	id        uint64    // on the disk; 0 is in memory alone
	settled   bool      // it is in no queue any more
	attempts  int       // that the master refused
	notBefore time.Time // it is to be sent, where it is held
	declares  []*series // on the connection it was last sent on
}

func (r *Report) len() int { return len(r.times) }

func (r *Report) add(s *series, at int64, v float64) {
	r.times = append(r.times, at)
	r.series = append(r.series, s)
	r.values = append(r.values, v)
	r.bytes += sampleBytes
}

// kept returns the report as it is kept on the disk. boot is that of this run.
func (r *Report) kept(boot string) spool.Report {
	k := spool.Report{Times: r.times, Values: r.values, Of: make([]uint32, r.len())}
	if r.seq != 0 {
		k.Boot, k.Seq = boot, r.seq
		if r.boot != "" {
			k.Boot = r.boot
		}
	}
	known := make(map[*series]uint32)
	for i, s := range r.series {
		at, ok := known[s]
		if !ok {
			at = uint32(len(k.Series))
			known[s] = at
			k.Series = append(k.Series, spool.Series{Key: s.key, Labels: s.labels, Kind: s.kind})
		}
		k.Of[i] = at
	}
	return k
}

// loadReport makes a report of one that was kept.
func (t *seriesTable) loadReport(k *spool.Kept) *Report {
	known := make([]*series, len(k.Series))
	for i, s := range k.Series {
		known[i], _ = t.get(&inspectors.Sample{Key: s.Key, Labels: s.Labels, Kind: s.Kind})
	}
	r := &Report{times: k.Times, values: k.Values, series: make([]*series, k.Len()), boot: k.Boot, seq: k.Seq, id: k.ID}
	for i, of := range k.Of {
		r.series[i] = known[of]
	}
	r.bytes = reportBytes + sampleBytes*int64(k.Len())
	return r
}

// full tells whether more should go into another report.
func (r *Report) full() bool {
	return r.bytes >= maxReportBytes || r.len() >= maxReportSamples
}

// describe adds what is known of the metric to a declaration, unless the report has told
// of it.
func (s *series) describe(d *wire.Series, told map[*inspectors.About]bool) {
	if s.about != nil && !told[s.about] {
		told[s.about] = true
		d.About = &wire.About{Metric: s.about.Family, Type: s.about.Type, Unit: s.about.Unit, Help: s.about.Help}
	}
}

// declaration is the series as the master is told of it.
func (s *series) declaration() wire.Series {
	d := wire.Series{ID: s.id, Key: s.key, Labels: s.labels.Map()}
	if s.kind != inspectors.Gauge {
		d.Kind = s.kind.String()
	}
	return d
}

// maxTableBytes bounds each of the two halves of a seriesTable: well over
// thirty thousand series of common size.
const maxTableBytes = 8 << 20

// seriesTable finds the one series of a key, kind and labels. It forgets series that
// were not used for long: a series that is used moves to the young half; when that is
// full it becomes the old half, and the former old half is forgotten. A series that is
// forgotten and comes again is a new one to the master's connection.
type seriesTable struct {
	young, old map[string]*series
	bytes      int64  // of young
	name       []byte // scratch
}

// get returns the series of the sample, and whether it is new here.
func (t *seriesTable) get(sample *inspectors.Sample) (s *series, isNew bool) {
	t.name = appendSeriesName(t.name[:0], sample)
	if s = t.young[string(t.name)]; s != nil {
		if s.about == nil {
			s.about = sample.About // it came from the disk, where that is not kept
		}
		return s, false
	}
	if s = t.old[string(t.name)]; s == nil {
		s, isNew = newSeries(sample, len(t.name)), true
	}
	if t.young == nil || t.bytes+s.bytes > maxTableBytes {
		t.young, t.old, t.bytes = make(map[string]*series), t.young, 0
	}
	t.young[string(t.name)] = s
	t.bytes += s.bytes
	return s, isNew
}

func newSeries(sample *inspectors.Sample, nameBytes int) *series {
	s := &series{
		key:    sample.Key,
		labels: sample.Labels,
		kind:   sample.Kind,
		about:  sample.About,
		bytes:  seriesBytes + 2*int64(nameBytes) + 32*int64(len(sample.Labels)),
	}
	if a := s.about; a != nil { // others share it, but this may be the one that tells
		s.bytes += int64(len(a.Family) + len(a.Type) + len(a.Unit) + len(a.Help))
	}
	return s
}

// appendSeriesName writes what tells series apart. Keys and labels hold no
// control characters.
func appendSeriesName(b []byte, sample *inspectors.Sample) []byte {
	b = append(b, byte(sample.Kind))
	b = append(b, sample.Key...)
	for _, label := range sample.Labels {
		b = append(b, 0)
		b = append(b, label.Name...)
		b = append(b, 1)
		b = append(b, label.Value...)
	}
	return b
}
