package catalog

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/master/state"
)

const (
	// flushEvery is how often the reports of hosts are written.
	flushEvery = 1500 * time.Millisecond
	// flushAtOnce is how many hosts one write has.
	flushAtOnce = 200
)

// runFlush writes the reports of hosts, and has agents asked which assignment
// they have.
func (c *Catalog) runFlush(ctx context.Context) {
	flush, second := time.NewTicker(flushEvery), time.NewTicker(time.Second)
	defer flush.Stop()
	defer second.Stop()
	for tick := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			if err := c.Flush(ctx); err != nil && ctx.Err() == nil {
				c.opts.Log.Error("cannot store the receipts of hosts; trying again", "error", err)
			}
		case <-second.C:
			tick = (tick + 1) % int(verifyEvery/time.Second)
			c.verifySome(tick)
			if tick > 0 {
				continue
			}
			if err := c.SweepProposals(ctx, time.Now()); err != nil && ctx.Err() == nil {
				c.opts.Log.Error("cannot remove the proposals whose time is over; trying again", "error", err)
			}
		}
	}
}

// Flush writes the reports of hosts that are not on the disk yet. It is called a
// last time when no agent is connected any more.
func (c *Catalog) Flush(ctx context.Context) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	for {
		batch := c.takeDirty()
		if len(batch) == 0 {
			return nil
		}
		if err := c.flushBatch(ctx, batch); err != nil {
			c.mu.Lock()
			for _, k := range batch {
				c.dirty[k.target] = true
			}
			c.mu.Unlock()
			return err
		}
	}
}

// unwritten is the part of a host that is to be stored.
type unwritten struct {
	target         *target
	host, receipts []byte
}

func (c *Catalog) takeDirty() []unwritten {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []unwritten
	for t := range c.dirty {
		if len(batch) == flushAtOnce {
			break
		}
		delete(c.dirty, t)
		batch = append(batch, unwritten{target: t, host: encode(t.record), receipts: encode(t.receipts)})
	}
	return batch
}

// flushBatch writes a batch. flushing is held.
func (c *Catalog) flushBatch(ctx context.Context, batch []unwritten) error {
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
