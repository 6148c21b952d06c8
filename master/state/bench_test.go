package state

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// counted counts transactions.
type counted struct {
	engine
	updates atomic.Int64
}

func (c *counted) update(f func(tx) error) error {
	c.updates.Add(1)
	return c.engine.update(f)
}

// A change with its line in the audit log, as a catalog writes it, on the disk
// when it is done: by one writer after the other, and by many at once.
func BenchmarkApply(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			s := mustOpen(b, b.TempDir())
			c := &counted{engine: s.engine}
			s.engine = c
			value := make([]byte, 1000)
			put := func(w, n int) {
				if err := s.Apply(b.Context(), Put(fmt.Sprintf("kind/%d-%d", w, n), value, None), Append("audit", value[:200])); err != nil {
					b.Error(err)
				}
			}
			var group sync.WaitGroup
			var done atomic.Int64
			b.ResetTimer()
			for w := range writers {
				group.Go(func() {
					for n := 0; done.Add(1) <= int64(b.N); n++ {
						put(w, n)
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(c.updates.Load())/float64(b.N), "transactions/op")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	if _, err := s.Put(b.Context(), "kind/a", make([]byte, 1000), None); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Get(b.Context(), "kind/a"); err != nil {
			b.Fatal(err)
		}
	}
}
