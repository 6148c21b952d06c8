package state

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// gate is an engine whose updates wait until they may go on, or fail.
type gate struct {
	engine
	updates int
	open    chan error // one for each update
}

func (g *gate) update(f func(tx) error) error {
	g.updates++
	fail := <-g.open
	return g.engine.update(func(t tx) error { return errors.Join(f(t), fail) })
}

func newGate(t *testing.T) (*gate, *store) {
	g := &gate{engine: &memory{now: &memoryTx{}}, open: make(chan error, 1)}
	s := newStore(g)
	t.Cleanup(func() { _ = s.Close() })
	return g, s
}

// Writes that arrive while the disk is written go into the next transaction.
func TestWritesThatWaitGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := newGate(t)
		errs := make(chan error, 21)
		write := func(key string) { go func() { _, err := s.Put(t.Context(), key, nil, None); errs <- err }() }
		write("first/one")
		synctest.Wait()
		for i := range 20 {
			write(fmt.Sprint("kind/", i))
		}
		synctest.Wait()
		g.open <- nil
		g.open <- nil
		for range 21 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if g.updates != 2 {
			t.Errorf("21 writes took %d transactions", g.updates)
		}
	})
}

// A write whose context ends while it waits is not done, one that has begun is.
func TestWriteIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := newGate(t)
		ctx, cancel := context.WithCancel(t.Context())
		begun, waits := make(chan error, 1), make(chan error, 1)
		go func() { _, err := s.Put(ctx, "kind/begun", nil, None); begun <- err }()
		synctest.Wait()
		go func() { _, err := s.Put(ctx, "kind/waits", nil, None); waits <- err }()
		synctest.Wait()
		cancel()
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Errorf("the write that waited gave %v", err)
		}
		g.open <- nil
		if err := <-begun; err != nil {
			t.Errorf("the write that had begun gave %v", err)
		}
		if all, err := s.List(t.Context(), ""); err != nil || len(all) != 1 {
			t.Errorf("there is %v, %v", all, err)
		}
	})
}

// When a transaction fails, nobody is told of a conflict with what is not there,
// and who watches lists again.
func TestTransactionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := newGate(t)
		events, err := s.Watch(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = s.Append(t.Context(), "audit", nil) }()
		synctest.Wait()
		errs := make(chan error, 2)
		for i := range 2 {
			go func() { _, err := s.Put(t.Context(), "kind/a", []byte{byte(i)}, None); errs <- err }()
		}
		synctest.Wait()
		g.open <- nil
		full := errors.New("the disk is full")
		g.open <- full
		for range 2 {
			if err := <-errs; !errors.Is(err, full) || errors.Is(err, ErrConflict) {
				t.Errorf("got %v", err)
			}
		}
		if e := <-events; !e.Lost {
			t.Errorf("the watcher got %+v", e)
		}
		g.open <- nil
		if _, err := s.Put(t.Context(), "kind/a", nil, None); err != nil {
			t.Errorf("after the failure: %v", err)
		}
	})
}
