package auth

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstDelay is how long the answer to a wrong token takes; it doubles with
	// each further one from the same address, up to maxDelay.
	firstDelay = 50 * time.Millisecond
	maxDelay   = 2 * time.Second
	// forgetAfter is how long an address is remembered after its last failure.
	forgetAfter = 5 * time.Minute
	// tellEvery is how often the log says of one address that it fails.
	tellEvery = time.Minute
	// maxAddresses is how many are told apart. Beyond that they count as one.
	maxAddresses = 4096
	// maxDelayed is how many answers to one address wait at once. More are given
	// at once, and their connections closed.
	maxDelayed = 128
)

// Failures takes care of those who show credentials that the master does not
// know: it counts, logs and slows them, address by address. Nobody is kept out
// by what others do from the same address: a good token is never slow.
type Failures struct {
	log   *slog.Logger
	note  func(ctx context.Context, from string)
	total atomic.Uint64

	mu    sync.Mutex
	addrs map[string]*failing // guarded by mu
}

// failing is an address that fails. Guarded by Failures.mu.
type failing struct {
	count   int // since it was forgotten last
	last    time.Time
	told    time.Time
	untold  int // since told
	delayed int
}

// NewFailures makes a Failures. note, or nil, is called for each failure.
func NewFailures(log *slog.Logger, note func(ctx context.Context, from string)) *Failures {
	return &Failures{log: log, note: note, addrs: make(map[string]*failing)}
}

// Total returns how many failures there were.
func (f *Failures) Total() uint64 { return f.total.Load() }

// Wrong is to be called for each credential that is not good, before it is
// answered. It returns after the time that the address has to wait, or when ctx
// ends. It reports whether the connection is to be closed after the answer.
func (f *Failures) Wrong(ctx context.Context, remote string) (closeIt bool) {
	if f.note != nil {
		f.note(ctx, remote)
	}
	return f.Slow(ctx, remote)
}

// Slow is Wrong for a credential that the caller has noted itself.
func (f *Failures) Slow(ctx context.Context, remote string) (closeIt bool) {
	f.total.Add(1)
	address := Machine(remote)
	delay, known := f.count(address, time.Now())
	if known == nil {
		return true
	}
	defer f.answered(known)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return delay == maxDelay
}

// count returns how long the answer is to take. known is nil where too many wait.
func (f *Failures) count(address string, now time.Time) (delay time.Duration, known *failing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known = f.addrs[address]
	if known == nil {
		if len(f.addrs) >= maxAddresses {
			f.forgetLocked(now)
		}
		if len(f.addrs) >= maxAddresses {
			address = "many addresses"
		}
		if known = f.addrs[address]; known == nil {
			known = &failing{}
			f.addrs[address] = known
		}
	}
	if now.Sub(known.last) > forgetAfter && known.delayed == 0 {
		*known = failing{told: known.told}
	}
	known.count++
	known.untold++
	known.last = now
	if now.Sub(known.told) >= tellEvery {
		f.log.Warn("somebody shows credentials that are not known here", "from", address, "times", known.untold)
		known.told, known.untold = now, 0
	}
	if known.delayed >= maxDelayed {
		return 0, nil
	}
	known.delayed++
	return min(firstDelay<<min(known.count-1, 16), maxDelay), known
}

func (f *Failures) answered(known *failing) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known.delayed--
}

func (f *Failures) forgetLocked(now time.Time) {
	for address, known := range f.addrs {
		if known.delayed == 0 && now.Sub(known.last) > forgetAfter {
			delete(f.addrs, address)
		}
	}
}

// Machine returns the part of a remote address that tells machines apart: the address
// itself for IPv4, the network for IPv6, because there a machine has as many addresses
// as it likes.
func Machine(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip := net.ParseIP(host)
	switch {
	case ip == nil:
		return host
	case ip.To4() != nil || ip.IsLoopback():
		return ip.String()
	}
	return ip.Mask(net.CIDRMask(64, 128)).String() + "/64"
}
