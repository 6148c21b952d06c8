package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history/forward"
)

// A store says that it gets on while it reads what the last run left, the more often
// the more there is, and then by the loop that writes, whether there is something to
// write or not.
func TestAlive(t *testing.T) {
	for _, how := range []string{"closed", "killed"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, Options{Dir: dir})
			series := 3*aliveSeries + rand.IntN(3*aliveSeries)
			var batch []Sample
			for i := range series {
				batch = append(batch, Sample{s.NewSeries("h", fmt.Sprintf("a/b%d", i), nil, inspectors.Gauge), time.Now().UnixMilli(), 1})
			}
			add(t, s, batch...)
			if how == "killed" {
				killed := filepath.Join(t.TempDir(), "killed")
				if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				dir = killed
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var isOpen func() bool
			var before, after atomic.Int64
			again, err := New(Options{Dir: dir, MinFreeBytes: 1, Alive: func() {
				if isOpen() {
					after.Add(1)
				} else {
					before.Add(1)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			isOpen = func() bool {
				select {
				case <-again.Ready():
					return true
				default:
					return false
				}
			}
			ended := make(chan error, 1)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			go func() { ended <- again.Run(ctx) }()
			patience.Until(t, "beats of the writer that has nothing to do", func() bool { return after.Load() > 2 })
			if got := before.Load(); got < int64(series/aliveSeries) {
				t.Errorf("%d signs of life came while %d series were read", got, series)
			}
			stop()
			if err := patience.Receive(t, "the end of the store", ended); err != nil {
				t.Error(err)
			}
		})
	}
}

// A writer that hangs in a write says nothing.
func TestAHangingWriterIsNotAlive(t *testing.T) {
	var beats atomic.Int64
	hanging := make(hangs)
	s := openStore(t, Options{Alive: func() { beats.Add(1) }, Forward: []Forwarder{hanging}})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.NewAppender().Append(t.Context(), []Sample{{s.NewSeries("h", "a/b", nil, inspectors.Gauge), time.Now().UnixMilli(), 1}})
	}()
	patience.Receive(t, "the writer to hang", hanging) // in Forward
	before := beats.Load()
	patience.Receive(t, "more than one round of the writer", time.After(2*keepEvery))
	if beats.Load() != before {
		t.Error("the store says that it gets on, and does not")
	}
	patience.Receive(t, "the writer to go on", hanging)
	patience.Closed(t, "the end of the write", ended)
}

// hangs is a forwarder that waits for two receivers.
type hangs chan struct{}

func (h hangs) Forward([]forward.Sample) error {
	h <- struct{}{}
	h <- struct{}{}
	return nil
}
