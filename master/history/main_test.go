package history

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/live"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		writeUntilKilled(dir)
	}
	if dir := os.Getenv(compactorEnv); dir != "" {
		writeAndCompactUntilKilled(dir)
	}
	// An opening that fails leaves two goroutines of the database's logs behind.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/prometheus/prometheus/tsdb/wlog.(*WL).run"))
}

// logged is what a store wrote to its log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// openStore opens a store that is closed when the test ends, or before.
func openStore(t testing.TB, opts Options) *Store {
	t.Helper()
	if opts.MinFreeBytes == 0 {
		opts.MinFreeBytes = 1
	}
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// add appends samples that must all be taken.
func add(t testing.TB, s *Store, batch ...Sample) {
	t.Helper()
	result, err := s.NewAppender().Append(t.Context(), batch)
	if err != nil || result.Refused != 0 || result.Stored != len(batch) {
		t.Fatalf("Append gave %+v, %v", result, err)
	}
}

func labelled(t testing.TB, pairs ...string) inspectors.Labels {
	t.Helper()
	own, err := inspectors.NewLabels(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func pattern(t testing.TB, text string) live.Pattern {
	t.Helper()
	p, err := live.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stored returns what the store has of a pattern between two times, as
// host/key{labels} t=v t=v; …, times relative to from.
func stored(t testing.TB, s *Store, text string, from, to time.Time) string {
	t.Helper()
	result, err := s.Range(context.Background(), RangeRequest{Pattern: pattern(t, text), From: from.UnixMilli(), To: to.UnixMilli(), Points: MaxRangePoints})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, series := range result.Series {
		var own []string
		for name, value := range series.Labels {
			own = append(own, name, value)
		}
		line := series.Host + "/" + series.Key + labelled(t, own...).String()
		for i := range series.T {
			line += fmt.Sprintf(" %d=%v", series.T[i]-from.UnixMilli(), series.V[i])
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}
