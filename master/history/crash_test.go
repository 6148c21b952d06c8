package history

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// writerEnv makes the test program a writer to the folder that it names.
const writerEnv = "VEDETTE_TEST_HISTORY_WRITER"

// What the writer writes: a round is one sample of each series. A segment of
// the log is small, so that many begin.
const (
	crashSeries   = 50
	crashSegments = 128 << 10
)

var crashOptions = Options{MinFreeBytes: 1, OutOfOrder: 10 * 24 * time.Hour, segmentBytes: crashSegments}

// writeUntilKilled appends rounds and prints the time of each when it has been
// acknowledged. It starts with a new millisecond, after those before.
func writeUntilKilled(dir string) {
	writer := newRoundWriter(dir)
	for at := time.Now().UnixMilli(); ; at++ {
		writer.write(at)
	}
}

// roundWriter writes rounds in a process that is to be killed.
type roundWriter struct {
	store    *Store
	appender *Appender
	batch    []Sample
}

func newRoundWriter(dir string) *roundWriter {
	opts := crashOptions
	opts.Dir = dir
	s, err := Open(opts)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	w := &roundWriter{store: s, appender: s.NewAppender(), batch: make([]Sample, crashSeries)}
	for i := range w.batch {
		w.batch[i].Series = s.NewSeries("h", fmt.Sprintf("a/%d", i), nil, inspectors.Gauge)
	}
	return w
}

func (w *roundWriter) write(at int64) {
	for i := range w.batch {
		w.batch[i].T, w.batch[i].V = at, float64(at)
	}
	if result, err := w.appender.Append(context.Background(), w.batch); err != nil || result.Refused > 0 {
		fmt.Println("error", result, err)
		os.Exit(1)
	}
	fmt.Println(at)
}

// killedWriter runs a writer, kills it after so many rounds, and returns the
// times of those that it acknowledged.
func killedWriter(t *testing.T, dir string, rounds int) []int64 {
	t.Helper()
	writer := exec.Command(os.Args[0])
	writer.Env = append(os.Environ(), writerEnv+"="+dir)
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	var times []int64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var at int64
		if _, err := fmt.Sscan(lines.Text(), &at); err != nil {
			t.Errorf("the writer says %q", lines.Text())
			break
		}
		// What it still prints after the signal counts too.
		if times = append(times, at); len(times) == rounds {
			writer.Process.Kill() //nolint:errcheck // Wait tells
		}
	}
	if err := writer.Wait(); err == nil || len(times) < rounds {
		t.Fatalf("the writer ended with %v after %d rounds", err, len(times))
	}
	return times
}

// allTimes returns the time of every sample, series by series.
func allTimes(t *testing.T, s *Store) []int64 {
	t.Helper()
	var times []int64
	gen, release, err := s.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	querier, err := gen.db.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer querier.Close()
	matchers, _ := pathMatchers("*")
	for set := querier.Select(t.Context(), false, nil, matchers...); set.Next(); {
		for it := set.At().Iterator(nil); it.Next() != 0; {
			at, v := it.At()
			if int64(v) != at {
				t.Fatalf("the sample at %d is %v", at, v)
			}
			times = append(times, at)
		}
	}
	return times
}

// damage tests share a store of several segments that was closed by a kill.
func writtenStore(t *testing.T) (dir string, times []int64) {
	dir = t.TempDir()
	return dir, killedWriter(t, dir, 2000)
}

func segmentsOf(t *testing.T, dir string) []string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, walDir, "0*"))
	if err != nil || len(segments) < 4 {
		t.Fatalf("the log has the segments %v, %v; the test needs four", segments, err)
	}
	return segments
}

func TestDamagedLogIsKeptAside(t *testing.T) {
	dir, times := writtenStore(t)
	segments := segmentsOf(t, dir)
	broken := segments[len(segments)/2]
	content, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2+100] ^= 0x10 // amid a record, not in its header
	if err := os.WriteFile(broken, content, 0o600); err != nil {
		t.Fatal(err)
	}

	var log logged
	opts := crashOptions
	opts.Dir, opts.Log = dir, logTo(&log)
	s := openStore(t, opts)
	if got := len(allTimes(t, s)); got == 0 || got >= len(times)*crashSeries {
		t.Errorf("%d samples of %d are left; want those before the damage", got, len(times)*crashSeries)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "the log of the history is damaged") {
		t.Errorf("the log does not say it loudly:\n%s", &log)
	}
	kept, err := filepath.Glob(filepath.Join(dir, asideDir, "*", beforeDir, walDir, "0*"))
	if err != nil || len(kept) < len(segments) {
		t.Errorf("kept aside are %v, %v; want the %d segments", kept, err, len(segments))
	}
	add(t, s, Sample{s.NewSeries("new", "a/b", nil, inspectors.Gauge), time.Now().UnixMilli(), 1})
}

func TestLogWithAMissingSegmentIsPutAside(t *testing.T) {
	dir, _ := writtenStore(t)
	segments := segmentsOf(t, dir)
	if err := os.Remove(segments[len(segments)/2]); err != nil {
		t.Fatal(err)
	}
	var log logged
	opts := crashOptions
	opts.Dir, opts.Log = dir, logTo(&log)
	s := openStore(t, opts)
	if !strings.Contains(log.String(), "cannot be read and was put aside") {
		t.Errorf("the log does not say it:\n%s", &log)
	}
	if kept, err := filepath.Glob(filepath.Join(dir, asideDir, "*", walDir, "0*")); err != nil || len(kept) != len(segments)-1 {
		t.Errorf("put aside are %v, %v; want %d segments", kept, err, len(segments)-1)
	}
	add(t, s, Sample{s.NewSeries("new", "a/b", nil, inspectors.Gauge), time.Now().UnixMilli(), 1})
}

func TestDamagedBlockIsPutAside(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir, OutOfOrder: 24 * time.Hour})
	start := time.Now().Add(-8 * time.Hour).Truncate(time.Second)
	a := s.NewSeries("h", "a/b", nil, inspectors.Gauge)
	for i := range 8 * 60 {
		add(t, s, Sample{a, start.Add(time.Duration(i) * time.Minute).UnixMilli(), float64(i)})
	}
	if err := s.current.db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "01*"))
	if err != nil || len(blocks) == 0 {
		t.Fatalf("there are the blocks %v, %v", blocks, err)
	}
	if err := os.Truncate(filepath.Join(blocks[0], "index"), 10); err != nil {
		t.Fatal(err)
	}
	var log logged
	s = openStore(t, Options{Dir: dir, Log: logTo(&log)})
	if !strings.Contains(log.String(), "a block of the history is damaged and was put aside") || strings.Contains(log.String(), "the log of the history") {
		t.Errorf("the log says:\n%s", &log)
	}
	result, err := s.Range(t.Context(), RangeRequest{Pattern: pattern(t, "*"), From: start.UnixMilli(), To: time.Now().UnixMilli(), Points: 1000})
	if err != nil || len(result.Series) != 1 || len(result.Series[0].T) < 60 || len(result.Series[0].T) >= 8*60 {
		t.Errorf("got %+v, %v; want the samples that are not in that block", result, err)
	}
}
