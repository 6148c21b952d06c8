package plugins

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// ended is told of the end of every process of the host, before anybody else
// learns of it. It takes the process out of use and the suspects out of the host,
// and has the process started again.
func (h *host) ended(p *process) {
	d := p.death
	h.mu.Lock()
	current, published := h.process == p, p.published
	if current {
		h.process, h.ready = nil, make(chan struct{})
		if h.stopped {
			close(h.ready)
		}
	}
	h.mu.Unlock()
	if d.expected {
		return
	}
	h.pool.blame(h, d, !published)
	h.countFailure(d, time.Since(p.started))
	if current {
		h.pool.background(h.revive)
	}
}

// countFailure decides how long the next start has to wait. A shared host whose
// suspects have left starts at once, and so does any host whose process lived long
// enough.
func (h *host) countFailure(d *death, lived time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastErr = errors.New(d.reason)
	if lived >= h.pool.tuning.healthy || h.kind == hostShared && len(d.suspects) > 0 {
		h.failures = 0
	}
	h.failures++
	h.retryAt = time.Now().Add(h.pool.tuning.delay(h.failures))
}

// revive starts the process again until there is one, or nothing needs it.
func (h *host) revive(ctx context.Context) {
	for {
		h.mu.Lock()
		wait := time.Until(h.retryAt)
		h.mu.Unlock()
		if !sleep(ctx, wait) {
			return
		}
		err := h.restart(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, errStopped) {
			return
		}
		h.mu.Lock()
		if !errors.Is(err, errDiedEarly) { // ended has counted the death
			h.failures++
			h.lastErr = err
			h.retryAt = time.Now().Add(h.pool.tuning.delay(h.failures))
		}
		again := time.Until(h.retryAt)
		h.mu.Unlock()
		h.pool.log.Error("cannot restart a process", "process", h.spec.what, "inspectors", h.names(), "reason", err, "again_in", max(again, 0))
	}
}

var errDiedEarly = errors.New("the process died before it was ready")

// restart starts one process and loads all members into it. It does nothing if
// there are no members, or if there is a process.
func (h *host) restart(ctx context.Context) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	h.mu.Lock()
	needed := !h.stopped && h.process == nil && len(h.members) > 0
	h.mu.Unlock()
	if !needed {
		return nil
	}
	began := time.Now()
	p, err := h.fresh(ctx)
	if err != nil {
		return err
	}
	if err := h.publish(p); err != nil {
		return err
	}
	h.pool.log.Info("a process is running again", "process", h.spec.what, "inspectors", h.names(), "took", time.Since(began))
	return nil
}

// fresh starts a process and loads all members into it, before others can see it.
// If a member cannot be loaded, that is logged and it is left out for now; see
// remedy.
func (h *host) fresh(ctx context.Context) (*process, error) {
	p, err := h.start(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.missing = nil
	members := slices.SortedFunc(maps.Values(h.members), func(a, b *member) int {
		return strings.Compare(a.def.Name, b.def.Name)
	})
	h.mu.Unlock()
	for _, m := range members {
		err := h.settle(ctx, p, m)
		if err == nil {
			p.assign(m.slot, suspect{name: m.def.Name})
			continue
		}
		if errors.Is(err, errBuilding) {
			p.kill("the load of " + m.def.Name + " does not end")
		}
		select {
		case <-p.child.exited:
			<-p.dead
			return nil, fmt.Errorf("%w: %w: %s", ErrUnavailable, errDiedEarly, p.death.reason)
		default:
		}
		if ctx.Err() != nil {
			p.stop()
			return nil, ctx.Err()
		}
		h.pool.log.Warn("an inspector cannot be loaded again; that is tried again", "inspector", m.def.Name, "process", h.spec.what, "reason", err)
		p.unsettled = append(p.unsettled, m.def.Name)
	}
	return p, nil
}

// replace orders a new process in place of the present one, which stops when the
// new one is ready and its own runs have ended. If the reason is that p
// deteriorated, p must be the present one and have lived for a while, so that a
// script which spoils every process does not cause one replacement after the
// other.
func (h *host) replace(p *process, why string) { h.renew(p, why, nil) }

// renew is replace with a callback: unless it is nil, then is called with the old
// process once nothing uses it any more, before it is stopped.
func (h *host) renew(p *process, why string, then func(ctx context.Context, old *process)) {
	h.mu.Lock()
	if h.replacing || h.stopped || h.process == nil ||
		p != nil && (p != h.process || time.Since(p.started) < h.pool.tuning.respite) {
		h.mu.Unlock()
		return
	}
	h.replacing = true
	h.mu.Unlock()
	h.pool.log.Warn("replacing a process", "process", h.spec.what, "inspectors", h.names(), "reason", why)
	h.pool.background(func(ctx context.Context) {
		old, err := h.swap(ctx)
		h.mu.Lock()
		h.replacing = false
		h.mu.Unlock()
		if err != nil && !errors.Is(err, errStopped) && ctx.Err() == nil {
			h.pool.log.Error("cannot replace a process", "process", h.spec.what, "reason", err)
		}
		if err == nil && old != nil {
			old.drain(h.longestTimeout() + grace)
			if then != nil {
				then(ctx, old)
			}
			old.stop()
		}
	})
}

func (h *host) swap(ctx context.Context) (old *process, err error) {
	unlock, err := h.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	p, err := h.fresh(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	old = h.process
	h.mu.Unlock()
	return old, h.publish(p)
}

// forget makes the process drop a script. One that came back meanwhile stays.
func (h *host) forget(ctx context.Context, name string) {
	unlock, err := h.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	h.mu.Lock()
	p, back := h.process, h.members[name] != nil
	h.mu.Unlock()
	if p == nil || back {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.pool.tuning.load)
	defer cancel()
	if _, err := p.rpc.Unload(ctx, &pb.UnloadRequest{Name: name}); err != nil {
		h.pool.log.Debug("cannot unload an inspector", "inspector", name, "process", h.spec.what, "reason", err)
	}
}

// stop ends the host for good, once current runs have ended.
func (h *host) stop() {
	h.mu.Lock()
	h.stopped = true
	p := h.process
	closeOnce(h.ready)
	h.mu.Unlock()
	if p != nil {
		h.pool.background(func(context.Context) { p.retire(h.longestTimeout() + grace) })
	}
}

// reschedule takes over an interval and a timeout.
func (h *host) reschedule(d inspectors.Definition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.members[d.Name]; m != nil {
		changed := *m
		changed.def = d
		h.members[d.Name] = &changed
	}
}

// longestTimeout is how long current runs may last.
func (h *host) longestTimeout() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	var most time.Duration
	for _, m := range h.members {
		most = max(most, m.def.Timeout)
	}
	return min(most, time.Minute)
}

// names lists the members for a log line, only the first few.
func (h *host) names() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	const most = 5
	all := slices.Sorted(maps.Keys(h.members))
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// sleep waits for a while. It returns false when ctx ended first.
func sleep(ctx context.Context, while time.Duration) bool {
	if while <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
