package delivery

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// A drain lasts as long as the master takes something now and then, however much
// there is, and ends soon after it takes no more, and with its context.
func TestDrainLastsAsLongAsThereIsProgress(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			o := newTestOutbox(1000)
			made, takes := 1+r.IntN(200), r.IntN(250)
			const idle, most = 5 * time.Second, 5 * time.Minute
			for range made {
				o.put("a/b", r.Float64())
			}
			link := o.Connect(0)
			ctx, cancel := context.WithTimeout(t.Context(), most)
			defer cancel()
			began, last := time.Now(), time.Now()
			drained := make(chan struct{})
			go func() { defer close(drained); o.Drain(ctx, idle) }()
			for i := 0; i < min(made, takes); i++ {
				wait := time.Duration(r.Int64N(int64(idle - time.Second)))
				if time.Since(began)+wait > most-idle {
					break
				}
				<-time.After(wait)
				report, _ := link.nextAfter()
				link.Acknowledged(report, 0)
				last = time.Now()
			}
			<-drained
			left := o.Measures().InMemory
			switch took := time.Since(last); {
			case left > 0 && took != idle:
				t.Errorf("with seed %d: it ended %v after the last report was taken, with %d left", seed, took, left)
			case left == 0 && took > time.Second:
				t.Errorf("with seed %d: it ended %v after everything was taken", seed, took)
			}
			link.End()
		})
	}
}

// A master that always takes something does not hold up the end for ever.
func TestDrainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTestOutbox(1000)
		for range 500 {
			o.put("a/b", 1)
		}
		link := o.Connect(0)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began, drained := time.Now(), make(chan struct{})
		go func() { defer close(drained); o.Drain(ctx, 5*time.Second) }()
		for running := true; running; {
			select {
			case <-drained:
				running = false
			case <-time.After(time.Second):
				report, _ := link.nextAfter()
				link.Acknowledged(report, 0)
			}
		}
		if took := time.Since(began); took < 29*time.Second || took > 32*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if m := o.Measures(); m.InMemory == 0 || m.SamplesInMemory != uint64(m.InMemory) {
			t.Errorf("what is left is counted as %+v", m)
		}
		link.End()
	})
}
