package catalog

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/master/state"
)

const (
	// keepEvery is how often the reports of hosts are written.
	keepEvery = 1500 * time.Millisecond
	// keepAtOnce is how many hosts one write has.
	keepAtOnce = 200
)

// runKeeper writes the reports of hosts, and has agents asked which assignment
// they have.
func (c *Catalog) runKeeper(ctx context.Context) {
	keep, second := time.NewTicker(keepEvery), time.NewTicker(time.Second)
	defer keep.Stop()
	defer second.Stop()
	for tick := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-keep.C:
			if err := c.Keep(ctx); err != nil && ctx.Err() == nil {
				c.opts.Log.Error("cannot keep the receipts of hosts; trying again", "error", err)
			}
		case <-second.C:
			tick = (tick + 1) % int(verifyEvery/time.Second)
			c.verifySome(tick)
		}
	}
}

// Keep writes the reports of hosts that are not on the disk yet. It is called a
// last time when no agent is connected any more.
func (c *Catalog) Keep(ctx context.Context) error {
	c.keeping.Lock()
	defer c.keeping.Unlock()
	for {
		batch := c.toKeep()
		if len(batch) == 0 {
			return nil
		}
		if err := c.keep(ctx, batch); err != nil {
			c.mu.Lock()
			for _, k := range batch {
				c.dirty[k.target] = true
			}
			c.mu.Unlock()
			return err
		}
	}
}

// kept is the stored part of a host.
type kept struct {
	target         *target
	host, receipts []byte
}

func (c *Catalog) toKeep() []kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []kept
	for t := range c.dirty {
		if len(batch) == keepAtOnce {
			break
		}
		delete(c.dirty, t)
		batch = append(batch, kept{target: t, host: encode(t.record), receipts: encode(t.receipts)})
	}
	return batch
}

// keep writes a batch. keeping is held.
func (c *Catalog) keep(ctx context.Context, batch []kept) error {
	var changes []state.Change
	for _, k := range batch {
		if state.VersionOf(k.host) != k.target.storedHost {
			changes = append(changes, state.Put(hostPrefix+k.target.name, k.host, k.target.storedHost))
		}
		if state.VersionOf(k.receipts) != k.target.storedReceipts {
			changes = append(changes, state.Put(receiptsPrefix+k.target.name, k.receipts, k.target.storedReceipts))
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := c.store.Apply(ctx, changes...); err != nil {
		return err
	}
	for _, k := range batch {
		k.target.storedHost, k.target.storedReceipts = state.VersionOf(k.host), state.VersionOf(k.receipts)
	}
	return nil
}
