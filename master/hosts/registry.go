// Package hosts keeps what the master knows about each host: whether it reports,
// since when, with which agent, and the states of its inspectors. Every change is
// announced.
//
// A host is up while its agent is connected or while it was heard within the last
// few seconds, so that a reconnect is not an outage. A host that has gone is shown
// as gone, never forgotten: it is the one that somebody looks for.
package hosts

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc/wire"
)

// MaxHosts bounds the hosts that single calls may make up.
const MaxHosts = 50_000

// scanEvery is how often hosts are checked for silence.
const scanEvery = time.Second

// Registry is safe for use from many goroutines.
type Registry struct {
	goneAfter time.Duration
	announce  func(wire.Host)

	mu    sync.Mutex
	hosts map[string]*host
	told  uint64 // guarded by mu: number of changes of OwnAlerts

	relabelled atomic.Uint64 // how often labels of some host have changed
}

type host struct {
	labels     map[string]string // the result of LabelsOf; replaced, never changed
	info       wire.Host         // without Inspectors; Labels are from the host's own configuration
	given      map[string]string // labels that were given on the master; replaced, never changed
	inspectors map[string]wire.InspectorStatus
	own        []wire.OwnAlerts // of the host's own inspectors; replaced, never changed
	agent      *Agent           // connected, or nil
	lastAgent  string           // id of the last connected agent, since the master started
	boots      map[string]*Reports
	uses       uint64 // of boots
	heard      time.Time
}

// Agent is one connection of an agent.
type Agent struct {
	Host string
	ID   string
	// Replaced ends the connection because the same agent has connected again.
	Replaced func()
	// Reports knows which reports of this run of the agent were taken.
	Reports *Reports
	// Before is the address of another agent that has reported for the host until
	// now, or "".
	Before string

	boot string // id of this run
}

// New makes an empty registry. announce is called for each host that has changed,
// with the registry locked: it must not call back. A host that reports by single
// calls is gone after goneAfter of silence.
func New(goneAfter time.Duration, announce func(wire.Host)) *Registry {
	return &Registry{goneAfter: goneAfter, announce: announce, hosts: make(map[string]*host)}
}

// Run watches for hosts that fall silent until ctx ends.
func (r *Registry) Run(ctx context.Context) {
	ticker := time.NewTicker(scanEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			r.scan(now)
		}
	}
}

// Connect takes over the connection of an agent. Another connection of the same
// agent is replaced; one of another agent under the same name is an error, so that
// two machines never merge into one.
func (r *Registry) Connect(hello wire.HelloParams, remote string, replaced func()) (*Agent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.hostLocked(hello.Host)
	if err != nil {
		return nil, err
	}
	if old := h.agent; old != nil {
		if old.ID != hello.AgentID {
			return nil, fmt.Errorf("host %q is already reported by another agent, from %s; give one of the two another name (agent.host)", hello.Host, h.info.Remote)
		}
		old.Replaced()
	}
	before := ""
	if h.lastAgent != "" && h.lastAgent != hello.AgentID {
		before = h.info.Remote
	}
	h.lastAgent = hello.AgentID
	now := time.Now()
	h.info.Version, h.info.OS, h.info.Arch = hello.Version, hello.OS, hello.Arch
	h.info.Labels, h.info.AcceptsPushed, h.info.Signers, h.info.Policy = hello.Labels, hello.AcceptsPushed, hello.Signers, hello.Policy
	h.info.SignersNeeded = hello.SignersNeeded
	r.relabelLocked(h)
	h.info.Remote = remote
	h.info.SkewMS = hello.NowMS - now.UnixMilli()
	h.info.Simple, h.info.NotKept = false, ""
	h.agent = &Agent{Host: hello.Host, ID: hello.AgentID, Replaced: replaced, Before: before, boot: hello.BootID, Reports: h.reports(hello.BootID)}
	r.seenLocked(h, now)
	r.announceLocked(h)
	return h.agent, nil
}

// ReportsOf returns the reports that an agent numbers under a boot id. That need
// not be the boot id of the connected run: after a restart an agent sends reports
// of earlier runs. "" is the connected run.
func (r *Registry) ReportsOf(agent *Agent, boot string) *Reports {
	if boot == "" || boot == agent.boot {
		return agent.Reports
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[agent.Host]
	if known, ok := h.boots[agent.boot]; ok {
		h.use(known) // it must not be evicted by what it has left behind
	}
	return h.reports(boot)
}

// Disconnect ends a connection. The host stays up until it has been silent for
// a while.
func (r *Registry) Disconnect(agent *Agent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[agent.Host]
	if h == nil || h.agent != agent {
		return // replaced
	}
	h.agent = nil
	h.heard = time.Now()
}

// Seen notes samples of a host.
func (r *Registry) Seen(name string, samples, series int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.hostLocked(name)
	if err != nil {
		return err
	}
	h.info.Samples += uint64(samples)
	h.info.Series = series
	if r.seenLocked(h, time.Now()) {
		r.announceLocked(h)
	}
	return nil
}

// skewTold is how much the skew of a host's clock has to change before that is
// announced.
const skewTold = time.Second

// Clock notes how far the clock of an agent is ahead of the master's, and why the
// history does not store its reports, or "" if it does.
func (r *Registry) Clock(agent *Agent, skew time.Duration, notKept string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[agent.Host]
	if h == nil || h.agent != agent {
		return
	}
	was := time.Duration(h.info.SkewMS) * time.Millisecond
	if (h.info.NotKept == "") == (notKept == "") && (skew-was).Abs() < skewTold {
		return
	}
	h.info.SkewMS, h.info.NotKept = skew.Milliseconds(), notKept
	r.announceLocked(h)
}

// Status notes the states of an agent's inspectors, and returns those whose state
// has changed.
func (r *Registry) Status(agent *Agent, status wire.StatusParams) (changed []wire.InspectorStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[agent.Host]
	if h == nil || h.agent != agent {
		return nil
	}
	before := h.inspectors
	if status.All || before == nil {
		h.inspectors = make(map[string]wire.InspectorStatus, len(status.Inspectors))
	}
	for _, inspector := range status.Inspectors {
		if before[inspector.Name].State != inspector.State {
			changed = append(changed, inspector)
		}
		h.inspectors[inspector.Name] = inspector
	}
	for _, name := range status.Removed {
		delete(h.inspectors, name)
	}
	if status.Agent != nil {
		h.info.Agent = status.Agent
	}
	r.seenLocked(h, time.Now())
	r.announceLocked(h)
	return changed
}

// SetOwnAlerts notes the alerts of an agent's own inspectors. They apply until the
// agent reports others: the alerts of a host that is gone are unknown, and have
// not ended.
func (r *Registry) SetOwnAlerts(agent *Agent, own []wire.OwnAlerts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[agent.Host]
	if h == nil || h.agent != agent || reflect.DeepEqual(h.own, own) {
		return
	}
	h.own = own
	r.told++
}

// OwnAlerts returns the alerts of the own inspectors of each host that has
// reported them, and a number that grows with each change.
func (r *Registry) OwnAlerts() (own map[string][]wire.OwnAlerts, change uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	own = make(map[string][]wire.OwnAlerts)
	for name, h := range r.hosts {
		if h.own != nil {
			own[name] = h.own
		}
	}
	return own, r.told
}

// Restore adds a host that an earlier run of the master knew. It counts as gone
// until it comes back.
func (r *Registry) Restore(info wire.Host, given map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.hostLocked(info.Host)
	if err != nil {
		return
	}
	h.info, h.given = info, given
	h.info.State = wire.HostGone
	r.relabelLocked(h)
}

// Label sets the labels of a host that were given on the master, all of them,
// and returns the host.
func (r *Registry) Label(name string, given map[string]string) (wire.Host, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.hosts[name]
	if !ok {
		return wire.Host{}, false
	}
	h.given = given
	r.relabelLocked(h)
	r.announceLocked(h)
	return h.snapshot(), true
}

// List returns every host, by name.
func (r *Registry) List() []wire.Host {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]wire.Host, 0, len(r.hosts))
	for _, h := range r.hosts {
		list = append(list, h.snapshot())
	}
	slices.SortFunc(list, func(a, b wire.Host) int { return cmp.Compare(a.Host, b.Host) })
	return list
}

// Names returns the name of every host, sorted.
func (r *Registry) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.hosts))
}

// Get returns one host, and whether it is known.
func (r *Registry) Get(name string) (wire.Host, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.hosts[name]
	if !ok {
		return wire.Host{}, false
	}
	return h.snapshot(), true
}

// Connected returns how many hosts have an agent that is connected.
func (r *Registry) Connected() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, h := range r.hosts {
		if h.agent != nil {
			n++
		}
	}
	return n
}

// Count returns how many hosts are known.
func (r *Registry) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.hosts)
}

func (r *Registry) scan(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hosts {
		if h.info.State == wire.HostUp && h.agent == nil && now.Sub(h.heard) >= r.goneAfter {
			h.info.State = wire.HostGone
			h.info.SinceMS = now.UnixMilli()
			r.announceLocked(h)
		}
	}
}

func (r *Registry) hostLocked(name string) (*host, error) {
	if h, ok := r.hosts[name]; ok {
		return h, nil
	}
	if len(r.hosts) >= MaxHosts {
		return nil, fmt.Errorf("%d hosts are known, which is the limit; host %q is not taken", len(r.hosts), name)
	}
	h := &host{info: wire.Host{Host: name, State: wire.HostGone, Simple: true}, boots: make(map[string]*Reports)}
	r.hosts[name] = h
	r.relabelLocked(h)
	return h, nil
}

// relabelLocked must be called when the labels of a host have changed.
func (r *Registry) relabelLocked(h *host) {
	set := maps.Clone(h.info.Labels)
	if set == nil {
		set = make(map[string]string, 1)
	}
	maps.Copy(set, h.given)
	set[scope.HostLabel] = h.info.Host
	h.labels = set
	r.relabelled.Add(1)
}

// LabelsOf implements scope.Hosts.
func (r *Registry) LabelsOf(name string) (map[string]string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.hosts[name]
	if !ok {
		return nil, false
	}
	return h.labels, true
}

// Generation implements scope.Hosts.
func (r *Registry) Generation() uint64 { return r.relabelled.Load() }

// seenLocked notes that the host was heard, and reports whether that made it come
// up.
func (r *Registry) seenLocked(h *host, now time.Time) bool {
	h.heard = now
	h.info.LastSeenMS = now.UnixMilli()
	if h.info.State == wire.HostUp {
		return false
	}
	h.info.State = wire.HostUp
	h.info.SinceMS = now.UnixMilli()
	return true
}

func (r *Registry) announceLocked(h *host) { r.announce(h.snapshot()) }

func (h *host) snapshot() wire.Host {
	info := h.info
	if len(h.given) > 0 {
		info.Labels = make(map[string]string, len(h.info.Labels)+len(h.given))
		maps.Copy(info.Labels, h.info.Labels)
		maps.Copy(info.Labels, h.given)
	}
	info.Inspectors = slices.SortedFunc(maps.Values(h.inspectors), func(a, b wire.InspectorStatus) int {
		return cmp.Compare(a.Name, b.Name)
	})
	return info
}
