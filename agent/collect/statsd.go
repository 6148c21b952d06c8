package collect

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

const (
	// maxPacketBytes is the longest packet that is read; the rest of a longer one is lost.
	maxPacketBytes = 64 << 10
	// maxLinesPerRun bounds how many lines are read between two runs, so that a flood of
	// packets does not take up the agent.
	maxLinesPerRun = 1_000_000
	// forgetAfter is how long a series without new lines is reported.
	forgetAfter = time.Hour
	// maxSamplesKept is how many values of a timer, and members of a set, are kept between
	// two runs.
	maxSamplesKept = 1000
	// maxLineBytes is the longest line that is accepted.
	maxLineBytes = 8 << 10
)

// Reasons for which lines of StatsD are dropped.
const (
	droppedBad    = "bad"    // it cannot be read
	droppedSeries = "series" // it is of a series beyond the budget
	droppedRate   = "rate"   // there are too many of them
)

// statsd counts what programs send to a socket.
type statsd struct {
	name    string
	address string
	conn    net.PacketConn
	done    chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	labels  map[string]string
	most    int // series
	series  map[seriesID]*tally
	seeds   [2]maphash.Seed
	lines   uint64
	dropped map[string]uint64
	lately  int // lines since the last run
	told    int // how many series there are in all, including those about the lines
}

// ownSeries is how many series are about the lines.
const ownSeries = 4

// weight is how many series a series of this kind yields.
func weight(kind byte) int {
	if kind == 't' || kind == 'h' {
		return 6
	}
	return 1
}

// seriesID stands for the kind, the name and the tags of a series, which may be long.
type seriesID [2]uint64

// tally is one series of StatsD.
type tally struct {
	key    string
	tags   inspectors.Labels // those of its lines
	labels inspectors.Labels // including those of the configuration
	kind   byte              // c, g, t for timers, h for histograms, s
	used   time.Time         // when its last line came
	value  float64           // of a counter or a gauge
	count  float64           // of timers and histograms, since the first
	sum    float64
	lately []float64           // values since the last run
	seen   int                 // how many there were
	set    map[uint64]struct{} // digests of the members since the last run
}

func newStatsd(d *inspectors.Definition) (*statsd, error) {
	s := &statsd{
		name: d.Name, address: d.Collector.Targets[0], done: make(chan struct{}),
		series: make(map[seriesID]*tally), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, dropped: make(map[string]uint64), told: ownSeries,
	}
	s.update(d)
	var err error
	if s.conn, err = listenStatsd(s.address); err != nil {
		return nil, fmt.Errorf("%w: cannot listen for StatsD: %w", plugins.ErrUnavailable, err)
	}
	go s.read()
	return s, nil
}

// listenStatsd opens a socket. It first removes a socket that an agent has left in the
// file system.
func listenStatsd(address string) (net.PacketConn, error) {
	if address[0] != '/' {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if host == "" {
			host = "127.0.0.1"
		}
		return net.ListenPacket("udp", net.JoinHostPort(host, port))
	}
	if info, err := os.Lstat(address); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if live, err := net.Dial("unixgram", address); err == nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", address, syscall.EADDRINUSE), live.Close())
		}
		if err := os.Remove(address); err != nil {
			return nil, err
		}
	}
	conn, err := net.ListenPacket("unixgram", address)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, 0o666); err != nil { // everybody who can reach it may send
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// update applies everything in a new definition but the address. Present series continue
// under its labels.
func (s *statsd) update(d *inspectors.Definition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.labels, s.most = d.Collector.Labels, d.Budget.WithDefaults(d.Interval).Series
	for id, t := range s.series {
		if t.labels = s.labelled(t.tags); t.labels.Validate() != nil {
			delete(s.series, id)
			s.told -= weight(t.kind)
		}
	}
}

// labelled adds the labels of the configuration to those of lines.
func (s *statsd) labelled(tags inspectors.Labels) inspectors.Labels {
	own := make(map[string]string, len(tags)+len(s.labels))
	configured, _ := inspectors.Bearable(inspectorsLabels(s.labels))
	maps.Copy(own, tags.Map())
	maps.Copy(own, configured.Map())
	return inspectorsLabels(own)
}

func (s *statsd) close() {
	_ = s.conn.Close()
	<-s.done
	if s.address[0] == '/' {
		_ = os.Remove(s.address)
	}
}

// read takes packets until the socket is closed.
func (s *statsd) read() {
	defer close(s.done)
	buf := make([]byte, maxPacketBytes)
	for {
		n, _, err := s.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.packet(buf[:n], time.Now())
	}
}

// packet takes the lines of one packet.
func (s *statsd) packet(text []byte, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if len(line) == 0 {
			continue
		}
		s.lines++
		if s.lately++; s.lately > maxLinesPerRun {
			s.dropped[droppedRate]++
			continue
		}
		var l statsdLine
		ok := len(line) <= maxLineBytes
		if ok {
			l, ok = parseStatsd(string(line))
		}
		if !ok {
			s.dropped[droppedBad]++
			continue
		}
		if l.kind == 0 {
			continue // an event, or a check of a service
		}
		if reason := s.takeLocked(&l, now); reason != "" {
			s.dropped[reason]++
		}
	}
}

// takeLocked counts a line, or returns why not.
func (s *statsd) takeLocked(l *statsdLine, now time.Time) (dropped string) {
	id := s.id(l)
	t := s.series[id]
	if t == nil {
		if s.told+weight(l.kind) > s.most {
			return droppedSeries
		}
		made, err := s.tally(l)
		if err != nil {
			return droppedBad
		}
		t = made
		s.series[id] = t
		s.told += weight(l.kind)
	}
	t.used = now
	for _, text := range l.values {
		t.add(l, text)
	}
	return ""
}

// id returns the identity of the series of a line.
func (s *statsd) id(l *statsdLine) (id seriesID) {
	for i, seed := range s.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		_ = h.WriteByte(l.kind)
		_, _ = h.WriteString(l.name)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(l.tags)
		id[i] = h.Sum64()
	}
	return id
}

// tally makes the series of a line.
func (s *statsd) tally(l *statsdLine) (*tally, error) {
	tags, _ := inspectors.Bearable(inspectorsLabels(l.labels()))
	t := &tally{key: inspectors.JoinKey(s.name, statsdKey(l.name)), tags: tags, labels: s.labelled(tags), kind: l.kind}
	return t, errors.Join(t.labels.Validate(), inspectors.ValidateKey(t.key+"_seconds_count"))
}

// add takes one value, which was parsed before.
func (t *tally) add(l *statsdLine, v statsdValue) {
	switch t.kind {
	case 'c':
		t.value = sumOf(t.value, v.number/l.rate)
	case 'g':
		if v.relative {
			t.value = sumOf(t.value, v.number)
		} else {
			t.value = v.number
		}
	case 's':
		if t.set == nil {
			t.set = make(map[uint64]struct{})
		}
		if len(t.set) < maxSamplesKept {
			t.set[digest(v.text)] = struct{}{}
		}
	default:
		number := v.number
		if t.kind == 't' {
			number /= 1000 // milliseconds
		}
		t.count, t.sum = sumOf(t.count, 1/l.rate), sumOf(t.sum, number/l.rate)
		if t.seen++; len(t.lately) < maxSamplesKept {
			t.lately = append(t.lately, number)
		} else if at := rand.IntN(t.seen); at < maxSamplesKept {
			t.lately[at] = number
		}
	}
}

// digest identifies a member of a set, which may be long.
func digest(member string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, member)
	return h.Sum64()
}

// sumOf adds to a sum, but not a number that would make it infinite for good.
func sumOf(sum, more float64) float64 {
	if math.IsInf(sum+more, 0) {
		return sum
	}
	return sum + more
}

// collect reports every series, and begins the next period of sets and quantiles.
func (s *statsd) collect(_ context.Context, run run) ([]inspectors.Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var samples []inspectors.Sample
	add := func(key string, labels inspectors.Labels, kind inspectors.Kind, value float64) {
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			samples = append(samples, inspectors.Sample{Key: key, Labels: labels, Kind: kind, Time: run.at, Value: value})
		}
	}
	own, _ := inspectors.Bearable(inspectorsLabels(s.labels))
	add(inspectors.JoinKey(s.name, "lines_total"), own, inspectors.Counter, float64(s.lines))
	for _, reason := range slices.Sorted(maps.Keys(s.dropped)) {
		labels := maps.Clone(s.labels)
		if labels == nil {
			labels = make(map[string]string)
		}
		labels["reason"] = reason
		list, _ := inspectors.Bearable(inspectorsLabels(labels))
		add(inspectors.JoinKey(s.name, "dropped_total"), list, inspectors.Counter, float64(s.dropped[reason]))
	}
	byID := func(a, b seriesID) int { return slices.Compare(a[:], b[:]) } // of two that become alike, always the same one
	for _, id := range slices.SortedFunc(maps.Keys(s.series), byID) {
		t := s.series[id]
		if run.at.Sub(t.used) > forgetAfter {
			delete(s.series, id)
			s.told -= weight(t.kind)
			continue
		}
		t.tell(add)
		if !run.shown {
			t.lately, t.seen = t.lately[:0], 0
			clear(t.set)
		}
	}
	if !run.shown {
		s.lately = 0
	}
	return withoutTwins(samples), nil
}

// tell adds the samples of a series.
func (t *tally) tell(add func(string, inspectors.Labels, inspectors.Kind, float64)) {
	base := t.key
	switch t.kind {
	case 'c':
		add(base+"_total", t.labels, inspectors.Counter, t.value)
		return
	case 'g':
		add(base, t.labels, inspectors.Gauge, t.value)
		return
	case 's':
		add(base+"_distinct", t.labels, inspectors.Gauge, float64(len(t.set)))
		return
	case 't':
		base += "_seconds"
	}
	add(base+"_count", t.labels, inspectors.Counter, t.count)
	add(base+"_sum", t.labels, inspectors.Counter, t.sum)
	if len(t.lately) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(t.lately))
	for _, q := range []struct {
		text string
		at   float64
	}{{"0.5", 0.5}, {"0.9", 0.9}, {"0.99", 0.99}, {"1", 1}} {
		labels, err := inspectors.NewLabels(append(pairsOf(t.labels), "quantile", q.text)...)
		if err == nil {
			add(base, labels, inspectors.Gauge, sorted[int(math.Ceil(q.at*float64(len(sorted))))-1])
		}
	}
}

func pairsOf(labels inspectors.Labels) (pairs []string) {
	for _, l := range labels {
		pairs = append(pairs, l.Name, l.Value)
	}
	return pairs
}

// withoutTwins drops the later of samples that belong to one series because their names
// became the same.
func withoutTwins(samples []inspectors.Sample) []inspectors.Sample {
	seen := make(map[string]bool, len(samples))
	return slices.DeleteFunc(samples, func(s inspectors.Sample) bool {
		id := s.Key + s.Labels.String()
		twice := seen[id]
		seen[id] = true
		return twice
	})
}
