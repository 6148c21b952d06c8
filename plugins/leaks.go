package plugins

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// A process that leaks is replaced before a limit kills it. It reports what it
// holds with its results, and the agent checks its memory every second. The new
// process is ready before the old one stops, so that no run is missed. Then the
// old process is examined to find the inspector that held most. That inspector
// gets a separate process, where all growth is its own.

const (
	// watchEvery is how often the memory of script hosts is checked.
	watchEvery = time.Second
	// weighTime bounds the examination of a process.
	weighTime = 10 * time.Second
	// heavyBytes and heavyFiles are the least that an inspector must hold to be
	// named.
	heavyBytes = 4 << 20
	heavyFiles = 32
)

// A shared process is replaced when it holds these parts of its limits.
func (l Limits) leakedHeap() int64 { return l.HeapBytes / 4 * 3 }
func (l Limits) leakedFiles() int  { return l.Files / 2 }

// leakedData is the resident memory at which a process is close to its limit of
// data. The garbage that a healthy process leaves uncollected stays below it.
func (l Limits) leakedData() int64 {
	if l.DataBytes < 0 {
		return -1
	}
	return max(l.DataBytes/10*6, l.HeapBytes/2*3)
}

// health takes a process's report about itself.
func (h *host) health(p *process, r *pb.RunReply) {
	if runs := r.GetLeaked(); runs > h.pool.tuning.leaks {
		h.replace(p, fmt.Sprintf("%d runs that were given up still hold goroutines", runs))
		return
	}
	if p.spec.foreign {
		return
	}
	heap, files := r.GetHeapBytes(), int(r.GetOpenFiles())
	mostHeap, mostFiles := p.spec.limits.leakedHeap(), p.spec.limits.leakedFiles()
	if h.kind == hostOwn {
		mostHeap = h.pool.budgetOf(p.spec.name).Heap
	}
	switch {
	case mostHeap > 0 && heap > mostHeap:
		h.relieve(p, leak{what: "heap", used: heap, allowed: mostHeap})
	case mostFiles > 0 && files > mostFiles:
		h.relieve(p, leak{what: "files", used: int64(files), allowed: int64(mostFiles)})
	}
}

// leak is what a process holds too much of: bytes of heap or of memory, or open
// files.
type leak struct {
	what          string
	used, allowed int64
}

func (l leak) amounts() (used, allowed string) {
	if l.what == "files" {
		return strconv.FormatInt(l.used, 10), strconv.FormatInt(l.allowed, 10)
	}
	return inspectors.FormatBytes(l.used), inspectors.FormatBytes(l.allowed)
}

func (l leak) err() error {
	used, allowed := l.amounts()
	return budgetError(l.what, used, allowed)
}

// relieve replaces a process that holds too much.
func (h *host) relieve(p *process, l leak) {
	used, allowed := l.amounts()
	why := fmt.Sprintf("it holds %s of %s, more than %s", used, l.what, allowed)
	h.renew(p, why, func(ctx context.Context, old *process) {
		if h.kind == hostOwn {
			h.pool.indebt(h, old.spec.name, l.err())
			return
		}
		h.weigh(ctx, old, l)
	})
}

// weigh finds the inspector that held most in a process that is no longer used,
// and moves it to a separate process.
func (h *host) weigh(ctx context.Context, old *process, l leak) {
	ctx, cancel := context.WithTimeout(ctx, weighTime)
	defer cancel()
	reply, err := old.rpc.Weigh(ctx, &pb.WeighRequest{})
	if err != nil {
		h.pool.log.Warn("cannot find out who holds what of a process that was replaced", "process", h.spec.what, "reason", err)
		return
	}
	heaviest := heaviest(reply, l.what)
	if heaviest == nil {
		h.pool.log.Warn("a process was replaced because it held too much, but no inspector in it holds much", "process", h.spec.what,
			"left_bytes", reply.GetRestBytes(), "left_files", reply.GetRestFiles())
		return
	}
	h.pool.separate(h, heaviest)
}

// heaviest returns the inspector that holds most, or nil if none holds much.
func heaviest(reply *pb.WeighReply, what string) *pb.Weight {
	var most *pb.Weight
	for _, w := range reply.GetWeights() {
		switch {
		case what == "files" && w.GetFiles() >= heavyFiles && (most == nil || w.GetFiles() > most.GetFiles()),
			what != "files" && w.GetBytes() >= heavyBytes && (most == nil || w.GetBytes() > most.GetBytes()):
			most = w
		}
	}
	return most
}

// separate moves an inspector that holds much out of a shared process, for good. A
// new revision of it starts in the shared process again.
func (p *Pool) separate(h *host, w *pb.Weight) {
	name := w.GetName()
	p.mu.Lock()
	e := p.entries[name]
	if e == nil || e.home != h || p.closed {
		p.mu.Unlock()
		return
	}
	e.leaks = true
	e.reason = fmt.Sprintf("it held %s and %d open files of a script host that it shared", inspectors.FormatBytes(w.GetBytes()), w.GetFiles())
	if most := e.def.Budget.WithDefaults(e.def.Interval).Heap; w.GetBytes() > most {
		e.debt = leak{"heap", w.GetBytes(), most}.err()
	}
	reason := e.reason
	own := p.moveOutLocked(e)
	p.mu.Unlock()
	p.log.Warn("an inspector holds much and runs in a separate script host from now on", "inspector", name, "reason", reason)
	h.unload(name)
	p.tidy(h)
	p.background(own.revive)
}

// moveOutLocked gives an inspector a separate host, which the caller has to
// revive.
func (p *Pool) moveOutLocked(e *entry) *host {
	own := newHost(p, p.scriptSpec(hostOwn, e.def, e.needs))
	own.members[e.def.Name] = &member{def: e.def, rev: e.revision, slot: own.newSlot()}
	e.home = own
	return own
}

// indebt sets an error for the next outcome of an inspector.
func (p *Pool) indebt(h *host, name string, debt error) {
	p.mu.Lock()
	e := p.entries[name]
	ours := e != nil && e.home == h
	if ours {
		e.debt, e.reason, e.leaks = debt, debt.Error(), true
	}
	p.mu.Unlock()
	if ours {
		p.log.Warn("an inspector leaks; its script host was replaced", "inspector", name, "reason", debt)
	}
}

func (p *Pool) budgetOf(name string) inspectors.Budget {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[name]
	if e == nil {
		return inspectors.Budget{}
	}
	return e.def.Budget.WithDefaults(e.def.Interval)
}

// watchMemory checks the memory of the script hosts until ctx ends, because one
// that is busy with a long run reports nothing. It checks their mounts as well.
func (p *Pool) watchMemory(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		hosts := p.scriptProcesses()
		p.watchMounts(hosts)
		for _, c := range hosts {
			most := c.spec.limits.leakedData()
			if used, err := residentBytes(c.child.id()); err == nil && most > 0 && used > most {
				c.hooks.swollen(c, leak{"memory", used, most})
			}
		}
	}
}

func (p *Pool) scriptProcesses() []*process {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*process
	for c := range p.processes {
		if !c.spec.foreign {
			all = append(all, c)
		}
	}
	return all
}

var errNoMemory = errors.New("cannot read the memory of the process")

// residentBytes returns the resident memory of a process that it shares with no
// other.
func residentBytes(pid int) (int64, error) {
	if pid == 0 {
		return 0, errNoMemory
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text)) // size, resident, shared, …
	if len(fields) < 3 {
		return 0, errNoMemory
	}
	resident, err1 := strconv.ParseInt(fields[1], 10, 64)
	shared, err2 := strconv.ParseInt(fields[2], 10, 64)
	return (resident - shared) * int64(os.Getpagesize()), errors.Join(err1, err2)
}
