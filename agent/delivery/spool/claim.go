package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
)

// ClaimName is the name of the file of a Claim in the agent's folder.
const ClaimName = "agent.claim"

// ErrClaimed is wrapped by the error of a folder that another agent uses.
var ErrClaimed = errors.New("another agent uses this data folder; give each agent its own (agent.data)")

// Count is what an agent would leave behind if its process ended now.
type Count struct {
	// Dropped counts all samples that were ever dropped, also by the store.
	Dropped uint64
	// AtRisk counts the samples that are in memory alone and not acknowledged.
	AtRisk uint64
	// OnDisk counts the samples in the store.
	OnDisk uint64
	// Moved and Gone are Totals.Moved and Totals.Dropped of the store when the
	// other numbers were computed. The difference is what the store did between
	// then and a kill.
	Moved uint64
	Gone  uint64
}

// After returns the count, updated by what the store did since it was noted and
// with the samples that were lost with the process added to Dropped. totals is nil
// if there is no store. A different store, such as one that replaced a damaged
// one, has none of the samples that were on the disk.
func (c Count) After(totals *Totals) Count {
	lost := c.AtRisk
	switch {
	case totals == nil:
		return Count{Dropped: c.Dropped + lost, OnDisk: c.OnDisk, Moved: c.Moved, Gone: c.Gone}
	case totals.Moved < c.Moved || totals.Dropped < c.Gone:
		lost += c.OnDisk
	default:
		lost -= min(lost, totals.Moved-c.Moved)
		lost += totals.Dropped - c.Gone
	}
	return Count{Dropped: c.Dropped + lost, OnDisk: totals.Samples, Moved: totals.Moved, Gone: totals.Dropped}
}

// Claim gives a folder to one agent until it is closed or the process ends in any
// way. It keeps a Count in memory that the system writes to a file from time to
// time: noting costs no system call, and survives a kill -9 but not a power
// failure.
type Claim struct {
	file *os.File
	mem  []byte // of the file, or nil if the system cannot share it

	mu     sync.Mutex
	noted  Count
	before Count
	err    error // why the count is no longer kept, or nil
}

// The file is one page: a magic word and the numbers of a Count, little-endian.
const (
	claimBytes = 4096
	claimMagic = "vedette1"
)

// OpenClaim claims the folder, which it makes if there is none. An error that
// wraps ErrClaimed means that another agent has it; after any other error, such as
// a folder that cannot be written, there is no claim and no count.
func OpenClaim(dir string) (*Claim, error) {
	c, err := openClaim(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot claim the data folder %q: %w", dir, err)
	}
	return c, nil
}

func openClaim(dir string) (*Claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, ClaimName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	c := &Claim{file: file}
	err = lock(file)
	if err == nil {
		err = c.prepare()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return c, nil
}

// prepare reads the numbers that the previous run left and maps the file. The
// whole page is written first: a page without a place on the disk could not be
// written when the disk is full.
func (c *Claim) prepare() error {
	page := make([]byte, claimBytes)
	n, _ := c.file.ReadAt(page, 0)
	if n == claimBytes && string(page[:len(claimMagic)]) == claimMagic {
		for i, field := range c.before.fields() {
			*field = binary.LittleEndian.Uint64(page[8+8*i:])
		}
	} else {
		clear(page)
		copy(page, claimMagic)
	}
	if _, err := c.file.WriteAt(page, 0); err != nil {
		return err
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	mem, err := mapFile(c.file, claimBytes)
	c.mem, c.noted = mem, c.before
	return err
}

func (c *Count) fields() [5]*uint64 {
	return [5]*uint64{&c.Dropped, &c.AtRisk, &c.OnDisk, &c.Moved, &c.Gone}
}

// Before returns the numbers that the previous run left, or zeros if there was
// none.
func (c *Claim) Before() Count { return c.before }

// Note stores the count. If more than one number changes, they change in an order
// in which a kill in between reports too much rather than too little. The error,
// returned once, means that counts are no longer stored.
func (c *Claim) Note(count Count) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || count == c.noted || c.mem == nil {
		return nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil { // the file was truncated, or its disk is gone
			c.err = fmt.Errorf("cannot write %q: %v", c.file.Name(), p)
			err = c.err
		}
	}()
	higher := count
	higher.Dropped, higher.AtRisk = max(count.Dropped, c.noted.Dropped), max(count.AtRisk, c.noted.AtRisk)
	for i, n := range higher.fields() {
		storeWord(c.mem[8+8*i:], *n)
	}
	for i, n := range count.fields() {
		storeWord(c.mem[8+8*i:], *n)
	}
	c.noted = count
	return nil
}

// Close gives up the folder. The next run reads the Count that was noted last.
func (c *Claim) Close() error {
	return errors.Join(unmap(c.mem), c.file.Close())
}
