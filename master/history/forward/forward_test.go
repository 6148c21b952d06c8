package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// other is the other end: it takes requests and knows what it was sent.
type other struct {
	*httptest.Server
	changed chan struct{} // holds one token when something came

	mu      sync.Mutex
	got     map[string]int // series@t=v → how often
	posts   int
	header  http.Header // of the last
	answer  func(samples []string) int
	decoded error
}

func newOther(t *testing.T) *other {
	o := &other{got: make(map[string]int), changed: make(chan struct{}, 1), answer: func([]string) int { return http.StatusNoContent }}
	o.Server = httptest.NewServer(o)
	t.Cleanup(func() {
		o.Close()
		if o.decoded != nil {
			t.Errorf("a request cannot be read: %v", o.decoded)
		}
	})
	return o
}

func (o *other) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	samples, err := readSamples(r.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return // the sender was stopped in the middle of it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.decoded = err
	}
	o.header = r.Header
	o.posts++
	status := o.answer(samples)
	if status/100 == 2 {
		for _, s := range samples {
			o.got[s]++
		}
	}
	select {
	case o.changed <- struct{}{}:
	default:
	}
	w.WriteHeader(status)
	fmt.Fprintln(w, "because")
}

func readSamples(body io.Reader) ([]string, error) {
	packed, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	raw, err := snappy.Decode(nil, packed)
	if err != nil {
		return nil, err
	}
	var request prompb.WriteRequest
	if err := request.Unmarshal(raw); err != nil {
		return nil, err
	}
	var samples []string
	for _, series := range request.Timeseries {
		b := labels.NewScratchBuilder(4)
		name := series.ToLabels(&b, nil).String()
		for _, s := range series.Samples {
			samples = append(samples, fmt.Sprintf("%s@%d=%v", name, s.Timestamp, s.Value))
		}
	}
	return samples, nil
}

func (o *other) setAnswer(answer func(samples []string) int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = answer
}

// await returns when the other end was sent what makes ok true.
func (o *other) await(t *testing.T, ok func() bool) {
	t.Helper()
	for {
		o.mu.Lock()
		done := ok()
		o.mu.Unlock()
		if done {
			return
		}
		select {
		case <-o.changed:
		case <-t.Context().Done():
			t.Fatalf("the other end got %d samples in %d requests", len(o.got), o.posts)
		}
	}
}

// start runs a forwarder and returns it with a function that stops it.
func start(t *testing.T, opts Options) (*Forwarder, func()) {
	t.Helper()
	f, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	select {
	case <-f.Ready():
	case err := <-done:
		t.Fatalf("Run: %v", err)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		f.client.CloseIdleConnections()
	})
	t.Cleanup(stop)
	return f, stop
}

// numbered makes samples of two series, numbered from a number on.
func numbered(from, n int) []Sample {
	samples := make([]Sample, n)
	for i := range samples {
		k := from + i
		samples[i] = Sample{labels.FromStrings("__name__", "load", "host", fmt.Sprintf("h%d", k%2)), int64(1000 + k), float64(k)}
	}
	return samples
}

func named(k int) string { return fmt.Sprintf(`{__name__="load", host="h%d"}@%d=%d`, k%2, 1000+k, k) }

// exactly checks that the samples from 0 to n came, each so often at most.
func (o *other) exactly(t *testing.T, n, most int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for k := range n {
		if times := o.got[named(k)]; times < 1 || times > most {
			t.Fatalf("sample %d came %d times", k, times)
		}
	}
	if len(o.got) != n {
		t.Errorf("%d samples came, want %d", len(o.got), n)
	}
}

func forward(t *testing.T, f *Forwarder, samples []Sample) {
	t.Helper()
	if err := f.Forward(samples); err != nil {
		t.Fatal(err)
	}
}

func TestForward(t *testing.T) {
	o := newOther(t)
	f, _ := start(t, Options{URL: o.URL, Dir: t.TempDir(), Token: "secret", Agent: "vedette/1", Labels: map[string]string{"site": "berlin", "host": "other"}})
	forward(t, f, numbered(0, 3))
	o.await(t, func() bool { return len(o.got) == 3 })
	for _, want := range []string{`{__name__="load", host="h0", site="berlin"}@1000=0`, `{__name__="load", host="h1", site="berlin"}@1001=1`} {
		if o.got[want] != 1 {
			t.Errorf("%s is not among %v", want, o.got)
		}
	}
	for name, want := range map[string]string{
		"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0",
		"Authorization": "Bearer secret", "User-Agent": "vedette/1",
	} {
		if got := o.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// While the other end is down samples wait; then all of them are sent, in order
// and once.
func TestOtherEndIsDown(t *testing.T) {
	o := newOther(t)
	failures := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusNotFound}
	o.setAnswer(func([]string) int { return failures[min(o.posts, len(failures))-1] })
	f, _ := start(t, Options{URL: o.URL, Dir: t.TempDir()})
	forward(t, f, numbered(0, maxRequestSamples+10)) // more than one request
	o.await(t, func() bool { return o.posts > len(failures) })
	if s := f.Stats(); s.Pending == 0 || s.Sent+s.Refused+s.Dropped != 0 {
		t.Errorf("the counts are %+v; want everything pending", s)
	}
	o.setAnswer(func([]string) int { return http.StatusOK })
	o.await(t, func() bool { return len(o.got) == maxRequestSamples+10 })
	o.exactly(t, maxRequestSamples+10, 1)
}

// What waits when the forwarder stops is sent by the next one.
func TestRestart(t *testing.T) {
	o := newOther(t)
	dir := t.TempDir()
	down := func([]string) int { return http.StatusServiceUnavailable }
	for n := range 4 {
		o.setAnswer(down) // before it starts, or it sends again what it sent as it stopped
		f, stop := start(t, Options{URL: o.URL, Dir: dir, MaxBytes: 1 << 20})
		forward(t, f, numbered(n*500, 500))
		if n%2 == 1 {
			o.setAnswer(func([]string) int { return http.StatusOK })
			o.await(t, func() bool { return len(o.got) == (n+1)*500 })
		}
		stop()
	}
	// A stop may cut off the answer to a request, and the last attempt of a stop too; in
	// two of the runs the other end takes what is sent.
	o.exactly(t, 2000, 4)
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(left) > 2 {
		t.Errorf("%d files are left of what was sent", len(left))
	}
}

// Pushed samples survive a crash, except for a record that was just being written; later
// records in another file are not lost with it.
func TestCrash(t *testing.T) {
	o := newOther(t)
	o.setAnswer(func([]string) int { return http.StatusServiceUnavailable })
	dir := t.TempDir()
	f, _ := start(t, Options{URL: o.URL, Dir: dir})
	for n := range 10 {
		forward(t, f, numbered(n*10, 10))
	}
	killed := filepath.Join(t.TempDir(), "killed")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	torn, err := os.OpenFile(filepath.Join(killed, "00000001"+segmentSuffix), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.Write([]byte{0, 0, 1, 0, 7, 7}); err != nil {
		t.Fatal(err)
	}
	torn.Close()

	p := newOther(t)
	after, _ := start(t, Options{URL: p.URL, Dir: killed})
	forward(t, after, numbered(100, 10))
	p.await(t, func() bool { return len(p.got) == 110 })
	p.exactly(t, 110, 1)
}

func TestDamagedRecordIsPassedOver(t *testing.T) {
	o := newOther(t)
	dir := t.TempDir()
	q, err := openQueue(dir, DefaultMaxBytes, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f := &Forwarder{}
	f.queue.Store(q)
	forward(t, f, numbered(0, 10))
	if err := q.close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "00000001"+segmentSuffix)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	after, stop := start(t, Options{URL: o.URL, Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	forward(t, after, numbered(10, 10))
	o.await(t, func() bool { return len(o.got) == 10 })
	stop()
	if !strings.Contains(log.String(), "the checksum of a record is wrong") {
		t.Errorf("the log says:\n%s", &log)
	}
}

// One sample that the other end does not want costs that sample alone.
func TestRefusedSamplesAreFound(t *testing.T) {
	o := newOther(t)
	bad := map[string]bool{named(13): true, named(99): true, named(700): true}
	o.setAnswer(func(samples []string) int {
		for _, s := range samples {
			if bad[s] {
				return http.StatusBadRequest
			}
		}
		return http.StatusNoContent
	})
	f, _ := start(t, Options{URL: o.URL, Dir: t.TempDir()})
	forward(t, f, numbered(0, 1000))
	o.await(t, func() bool { return len(o.got) == 997 })
	// When the second of these has come, all before it is settled and counted.
	forward(t, f, numbered(1000, 1))
	forward(t, f, numbered(1001, 1))
	o.await(t, func() bool { return len(o.got) == 999 })
	for s := range bad {
		delete(bad, s)
		if o.got[s] != 0 {
			t.Errorf("%s was taken", s)
		}
	}
	if s := f.Stats(); s.Refused != 3 || s.Sent < 998 || s.Dropped != 0 {
		t.Errorf("the counts are %+v", s)
	}
	if o.posts > 100 {
		t.Errorf("that took %d requests", o.posts)
	}
}

// An end that wants nothing is not asked about each sample.
func TestNothingIsWanted(t *testing.T) {
	o := newOther(t)
	o.setAnswer(func(samples []string) int {
		if samples[0] == named(5000) {
			return http.StatusNoContent
		}
		return http.StatusBadRequest
	})
	f, _ := start(t, Options{URL: o.URL, Dir: t.TempDir()})
	forward(t, f, numbered(0, 5000))
	forward(t, f, numbered(5000, 1))
	o.await(t, func() bool { return len(o.got) == 1 })
	if s := f.Stats(); s.Refused != 5000 || o.posts > 1000 {
		t.Errorf("the counts are %+v after %d requests", s, o.posts)
	}
}

func TestFullQueueDropsTheOldest(t *testing.T) {
	o := newOther(t)
	o.setAnswer(func([]string) int { return http.StatusServiceUnavailable })
	var log bytes.Buffer
	const most = 20_000
	dir := t.TempDir()
	f, stop := start(t, Options{URL: o.URL, Dir: dir, MaxBytes: most, Log: slog.New(slog.NewTextHandler(&log, nil))})
	const rounds = 300
	for n := range rounds {
		forward(t, f, numbered(n*10, 10))
	}
	dropped := f.Stats().Dropped
	if dropped == 0 || dropped%10 != 0 || f.Stats().Pending > most {
		t.Errorf("the counts are %+v", f.Stats())
	}
	o.setAnswer(func([]string) int { return http.StatusOK })
	o.await(t, func() bool { return o.got[named(rounds*10-1)] > 0 })
	stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := uint64(len(o.got)); n+dropped < rounds*10 || n+dropped > rounds*10+10 {
		t.Errorf("%d samples came and %d were dropped, of %d", n, dropped, rounds*10)
	}
	if !strings.Contains(log.String(), "the oldest samples were dropped") {
		t.Errorf("the log says:\n%s", &log)
	}
}

// A disk that cannot be written makes Forward fail; later calls work.
func TestUnwritableQueue(t *testing.T) {
	o := newOther(t)
	dir := filepath.Join(t.TempDir(), "queue")
	f, _ := start(t, Options{URL: o.URL, Dir: dir})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Forward(numbered(0, 1)); err == nil {
		t.Fatal("a sample was put into a folder that is not there")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	forward(t, f, numbered(0, 1))
	o.await(t, func() bool { return len(o.got) == 1 })
}

func TestBadOptions(t *testing.T) {
	for _, address := range []string{"", "prometheus:9090", "ftp://x/", "http:///x", ":"} {
		if _, err := New(Options{URL: address}); err == nil || !strings.Contains(err.Error(), "is not an address") {
			t.Errorf("%q gave %v", address, err)
		}
	}
	f, err := New(Options{URL: "http://127.0.0.1:1/", Dir: "/dev/null/x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Forward(numbered(0, 1)); !errors.Is(err, errNotRunning) {
		t.Errorf("Forward before Run gave %v", err)
	}
	if err := f.Run(t.Context()); err == nil {
		t.Error("Run made a queue below /dev/null")
	}
}

func BenchmarkForward(b *testing.B) {
	q, err := openQueue(b.TempDir(), DefaultMaxBytes, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	f := &Forwarder{}
	f.queue.Store(q)
	samples := make([]Sample, 1000)
	for i := range samples {
		samples[i].Labels = labels.FromStrings("__name__", "load_average_1", "host", "web-1", "key", "load/average-1", "n", fmt.Sprint(i))
	}
	for n := int64(0); b.Loop(); n++ {
		for i := range samples {
			samples[i].T, samples[i].V = n*1000, float64(n)
		}
		if err := f.Forward(samples); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
	if err := q.close(); err != nil {
		b.Fatal(err)
	}
}
