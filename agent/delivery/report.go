package delivery

import (
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of one report. A report in which every series has the largest size and
// must be declared still fits well into a frame.
const (
	maxReportBytes   = 512 << 10
	maxReportSamples = 20_000
)

// Estimated sizes in bytes, in memory; on the wire it is a little less.
const (
	sampleBytes = 24
	seriesBytes = 96 // in addition to the text of the key and the labels
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

	// Whether the master knows it. The outbox's mu guards these.
	link      *Link             // the link on which id was declared, or nil
	id        uint32            // on that connection
	declaring *Report           // the report that declares it and is not acknowledged yet, or nil
	told      *inspectors.About // how its metric was last described on link, or nil
}

// Report is a batch of samples by column. Once made it does not change, except for
// the fields that the outbox's mu guards.
type Report struct {
	times  []int64 // ms since the epoch
	series []*series
	values []float64
	ends   int // how many of the values end series, and are no samples
	bytes  int64
	made   time.Time // when it was closed

	boot      string    // the numbering that seq belongs to; "" is this run
	seq       uint64    // 0 until it is first sent
	id        uint64    // on the disk; 0 if it is in memory alone
	settled   bool      // it is no longer in a queue
	attempts  int       // how often the master has refused it
	notBefore time.Time // when it may be sent, if it is held
	declares  []*series // on the connection on which it was last sent
}

func (r *Report) len() int { return len(r.times) }

// samples returns how many samples it has, without those that only end series: nobody
// misses an end that is lost.
func (r *Report) samples() int { return r.len() - r.ends }

func (r *Report) add(s *series, at int64, v float64) {
	r.times = append(r.times, at)
	r.series = append(r.series, s)
	r.values = append(r.values, v)
	if inspectors.IsEnding(v) {
		r.ends++
	}
	r.bytes += sampleBytes
}

// kept returns the report in the form that the disk stores. boot is that of this
// run.
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

// loadReport makes a report from a stored one.
func (t *seriesTable) loadReport(k *spool.Kept) *Report {
	known := make([]*series, len(k.Series))
	for i, s := range k.Series {
		known[i], _ = t.get(&inspectors.Sample{Key: s.Key, Labels: s.Labels, Kind: s.Kind})
	}
	r := &Report{times: k.Times, values: k.Values, series: make([]*series, k.Len()), boot: k.Boot, seq: k.Seq, id: k.ID}
	for i, of := range k.Of {
		r.series[i] = known[of]
		if inspectors.IsEnding(k.Values[i]) {
			r.ends++
		}
	}
	r.bytes = reportBytes + sampleBytes*int64(k.Len())
	return r
}

// full reports whether further samples should go into another report.
func (r *Report) full() bool {
	return r.bytes >= maxReportBytes || r.len() >= maxReportSamples
}

// describe adds the description of the metric to a declaration, unless the report
// has it already.
func (s *series) describe(d *wire.Series, told map[*inspectors.About]bool) {
	if s.about != nil && !told[s.about] {
		told[s.about] = true
		d.About = &wire.About{Metric: s.about.Family, Type: s.about.Type, Unit: s.about.Unit, Help: s.about.Help}
	}
}

// follow takes the description of a sample, which differs if its exporter was upgraded. A
// series from the disk has none, because that does not store it.
func (s *series) follow(about *inspectors.About) {
	if about != nil && about != s.about && (s.about == nil || *s.about != *about) {
		s.about = about
	}
}

// declaration returns the series in the form that the master is told.
func (s *series) declaration() wire.Series {
	d := wire.Series{ID: s.id, Key: s.key, Labels: s.labels.Map()}
	if s.kind != inspectors.Gauge {
		d.Kind = s.kind.String()
	}
	return d
}

// maxTableBytes bounds each of the two halves of a seriesTable: well over thirty
// thousand series of common size.
const maxTableBytes = 8 << 20

// seriesTable finds the one series of a key, kind and labels. It forgets series
// that have not been used for long: a series that is used moves to the young half;
// when that is full it becomes the old half, and the former old half is forgotten.
// If a forgotten series comes again, the master's connection sees it as a new one.
type seriesTable struct {
	young, old map[string]*series
	bytes      int64  // of young
	name       []byte // scratch
}

// get returns the series of the sample, and whether it is new here.
func (t *seriesTable) get(sample *inspectors.Sample) (s *series, isNew bool) {
	t.name = appendSeriesName(t.name[:0], sample)
	if s = t.young[string(t.name)]; s != nil {
		s.follow(sample.About)
		return s, false
	}
	if s = t.old[string(t.name)]; s == nil {
		s, isNew = newSeries(sample, len(t.name)), true
	}
	s.follow(sample.About)
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
	if a := s.about; a != nil { // others share it, but this one may be the one that is sent
		s.bytes += int64(len(a.Family) + len(a.Type) + len(a.Unit) + len(a.Help))
	}
	return s
}

// appendSeriesName appends the identity of the series. Keys and labels have no
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
