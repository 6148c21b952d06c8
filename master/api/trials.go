package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// maxTrials bounds the trials that one connection watches, and maxTrialHosts
	// the hosts of one trial.
	maxTrials     = 8
	maxTrialHosts = 1000
	// defaultTrial and longestTrial are how long a trial lasts.
	defaultTrial = 10 * time.Second
	longestTrial = time.Hour
	// trialGrace is how long after its time a host may take to report the end of a
	// trial.
	trialGrace = 30 * time.Second
	// maxTrialQueue is how many events may wait for the watcher of a trial, and
	// maxTrialBytes their approximate size. Further events are lost, except for
	// the end and the first run of each host, which come without their values.
	maxTrialQueue = 1000
	maxTrialBytes = 8 << 20
	// maxTrialError bounds the error of such a run.
	maxTrialError = 1 << 10
)

// trialMethods registers the methods for trials.
func (a *API) trialMethods(m *methods) {
	handle(m, wire.TrialsStart, a.trialStart)
	handle(m, wire.TrialsStop, a.trialStop)
	handle(m, wire.MasterTrial, a.trialReport)
}

// trials are the current trials, by id. Nothing of them is stored.
type trials struct {
	mu  sync.Mutex
	all map[string]*trial
}

// trial is a draft that runs on some hosts, and its watcher.
type trial struct {
	id   string
	peer *rpc.Peer // of who watches
	// scope is the watcher's: nothing is reported about a host that leaves it.
	scope scope.Scope
	bell  chan struct{}

	mu      sync.Mutex
	running map[string]*rpc.Peer // hosts that have not ended
	ran     map[string]bool      // hosts whose first run was reported
	stopped bool                 // they were told to stop
	queue   []wire.TrialEvent
	bytes   int // approximate size of the queue
	lost    int
}

func (a *API) trialStart(ctx context.Context, p wire.TrialStartParams) (wire.TrialStartResult, error) {
	length := time.Duration(p.ForMS) * time.Millisecond
	switch {
	case p.ForMS == 0:
		length = defaultTrial
	case length < 0 || length > longestTrial:
		return wire.TrialStartResult{}, rpc.Errorf(rpc.CodeInvalidParams, "for_ms is %d; a trial lasts up to %v", p.ForMS, longestTrial)
	}
	if p.Code.Plugin != nil {
		return wire.TrialStartResult{}, rpc.Errorf(rpc.CodeInvalidParams, "only a script can be tried; run a plugin where it was made, with `vedette inspector run`")
	}
	if err := catalog.CheckSignatures(p.Signatures); err != nil {
		return wire.TrialStartResult{}, err
	}
	checked, err := a.Catalog.Check(ctx, wire.CheckParams{Code: p.Code})
	if err != nil {
		return wire.TrialStartResult{}, err
	}
	if len(checked.Diagnostics) > 0 {
		first := checked.Diagnostics[0]
		e := rpc.Errorf(rpc.CodeInvalidParams, "%s:%d:%d: %s", first.File, first.Line, first.Col, first.Message)
		e.Data = map[string]any{"diagnostics": checked.Diagnostics}
		return wire.TrialStartResult{}, e
	}
	p.Code.Name = checked.Name
	peers, result, err := a.trialHosts(ctx, &p)
	if err == nil {
		err = a.refuseDraft(result.Hosts)
	}
	if err != nil {
		return result, err
	}
	t, err := a.newTrial(ctx, peers)
	if err != nil {
		return result, err
	}
	result.Trial = t.id
	params := wire.AgentTryParams{Trial: t.id, Code: p.Code, ForMS: length.Milliseconds(), Signatures: p.Signatures}
	go a.relay(t, length)
	for host, peer := range peers {
		go a.beginOn(t, host, peer, &params)
	}
	return result, nil
}

// refuseDraft refuses a draft on hosts whose code needs two persons: it is code, too.
func (a *API) refuseDraft(hosts []string) error {
	var names []string
	for _, name := range hosts {
		if host, known := a.Registry.Get(name); known && a.Catalog.NeedsTwo(host) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	more := ""
	if n := len(names) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return rpc.Errorf(wire.CodeForbidden, "a draft is code, and code for host %q%s needs a second person (master.two_persons): try it on other hosts, or push it and have "+
		"it approved", names[0], more)
}

// trialHosts finds the connections of the hosts for a trial.
func (a *API) trialHosts(ctx context.Context, p *wire.TrialStartParams) (map[string]*rpc.Peer, wire.TrialStartResult, error) {
	result := wire.TrialStartResult{Hosts: []string{}}
	if (len(p.Hosts) == 0) == (p.Selector == "") {
		return nil, result, rpc.Errorf(rpc.CodeInvalidParams, "give either hosts or a selector")
	}
	names := slices.Clone(p.Hosts)
	if p.Selector != "" {
		selector, err := catalog.ParseSelector(p.Selector)
		if err != nil {
			return nil, result, err
		}
		for _, h := range a.Registry.List() {
			if scope.From(ctx).Sees(h.Host) && selector.Matches(catalog.Labels(h)) && h.State == wire.HostUp && !h.Simple {
				names = append(names, h.Host)
			}
		}
	}
	peers := make(map[string]*rpc.Peer)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		peer, err := a.agentOf(ctx, name)
		var fault *rpc.Error
		switch {
		case err == nil:
			peers[name], result.Hosts = peer, append(result.Hosts, name)
		case errors.As(err, &fault) && fault.Code == wire.CodeConflict:
			result.Away = append(result.Away, name)
		default:
			return nil, result, err
		}
	}
	switch {
	case len(peers) > maxTrialHosts:
		return nil, result, rpc.Errorf(rpc.CodeInvalidParams, "%d hosts are selected; a trial runs on %d at most", len(peers), maxTrialHosts)
	case len(peers) == 0 && len(result.Away) > 0:
		return nil, result, rpc.Errorf(wire.CodeConflict, "none of the hosts is connected: %s", strings.Join(result.Away, ", "))
	case len(peers) == 0:
		return nil, result, rpc.Errorf(wire.CodeNotFound, "the selector %q selects no host that is up", p.Selector)
	}
	return peers, result, nil
}

func (a *API) newTrial(ctx context.Context, peers map[string]*rpc.Peer) (*trial, error) {
	watcher := rpc.PeerFrom(ctx)
	a.trials.mu.Lock()
	defer a.trials.mu.Unlock()
	n := 0
	for _, t := range a.trials.all {
		if t.peer == watcher {
			n++
		}
	}
	if n >= maxTrials {
		return nil, rpc.Errorf(wire.CodeBusy, "this connection watches %d trials, which is the limit", maxTrials)
	}
	t := &trial{
		id: strings.ToLower(rand.Text()[:12]), peer: watcher, scope: scope.From(ctx),
		bell: make(chan struct{}, 1), running: maps.Clone(peers), ran: make(map[string]bool),
	}
	if a.trials.all == nil {
		a.trials.all = make(map[string]*trial)
	}
	a.trials.all[t.id] = t
	return t, nil
}

// beginOn lets one host begin, and reports a failure to do so.
func (a *API) beginOn(t *trial, host string, peer *rpc.Peer, params *wire.AgentTryParams) {
	ctx, cancel := context.WithTimeout(context.Background(), controlTime)
	defer cancel()
	_, err := wire.AgentTry.Call(ctx, peer, *params)
	if err == nil {
		t.mu.Lock()
		stopped := t.stopped && t.running[host] == peer
		t.mu.Unlock()
		if stopped { // the stop may have reached the host before it had begun
			a.untry(peer, t.id)
		}
		return
	}
	report := wire.TrialReport{Trial: t.id, Ended: true, State: wire.ReceiptFailed, Error: err.Error()}
	var answer *rpc.Error
	if errors.As(err, &answer) {
		report.Error = answer.Message
		if answer.Code == wire.CodeForbidden {
			report.State = wire.ReceiptRefused
		}
	}
	t.add(host, peer, report)
}

// add adds an event of a host for the watcher, without waiting. It reports whether
// the trial runs on that connection, or has run until now.
func (t *trial) add(host string, peer *rpc.Peer, report wire.TrialReport) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[host] == nil || t.running[host] != peer {
		return false
	}
	first := report.Run != nil && !t.ran[host]
	full := t.bytes+sizeOf(&report) > maxTrialBytes
	switch {
	case first && full:
		report.Lines, report.Run = nil, withoutValues(report.Run)
	case report.Ended && full:
		report.Lines, report.Run = nil, nil
	case !first && !report.Ended && (full || len(t.queue) >= maxTrialQueue):
		t.lost++
		return true
	}
	if first {
		t.ran[host] = true
	}
	if report.Ended {
		delete(t.running, host)
	}
	t.bytes += sizeOf(&report)
	t.queue = append(t.queue, wire.TrialEvent{Host: host, TrialReport: report})
	select {
	case t.bell <- struct{}{}:
	default:
	}
	return true
}

// withoutValues returns a run with all of its values counted as left out.
func withoutValues(run *wire.TrialRun) *wire.TrialRun {
	bare := *run
	bare.More, bare.Samples = run.More+len(run.Samples), []wire.Metric{}
	if len(bare.Error) > maxTrialError {
		bare.Error = strings.ToValidUTF8(bare.Error[:maxTrialError], "") + " …"
	}
	return &bare
}

// sizeOf returns the approximate size of a report in bytes.
func sizeOf(report *wire.TrialReport) int {
	n := 256 + len(report.Error)
	for _, line := range report.Lines {
		n += len(line) + 16
	}
	if report.Run == nil {
		return n
	}
	n += len(report.Run.Error)
	for i := range report.Run.Samples {
		sample := &report.Run.Samples[i]
		n += len(sample.Key) + 64
		for name, value := range sample.Labels {
			n += len(name) + len(value) + 32
		}
	}
	return n
}

// take returns the waiting events, and whether more will come.
func (t *trial) take() (events []wire.TrialEvent, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, t.queue, t.bytes = t.queue, nil, 0
	if t.lost > 0 && len(events) > 0 {
		last := &events[len(events)-1]
		last.Lines = append(last.Lines, fmt.Sprintf("… %d reports were lost: they are not read fast enough", t.lost))
		t.lost = 0
	}
	return events, len(t.running) > 0
}

// relay sends events to the watcher until every host has ended, the trial is
// stopped, nobody watches any more, or its time is long over.
func (a *API) relay(t *trial, length time.Duration) {
	late := time.NewTimer(length + trialGrace)
	defer late.Stop()
	defer a.endTrial(t)
	for {
		events, more := t.take()
		for i := range events {
			if !t.scope.Sees(events[i].Host) {
				continue
			}
			if err := wire.NotifyTrial.Notify(context.Background(), t.peer, events[i]); err != nil {
				return
			}
		}
		if !more {
			return
		}
		select {
		case <-t.bell:
		case <-t.peer.Done():
			return
		case <-late.C:
			a.stopOn(t)
			t.endAll("it did not end in time")
		}
	}
}

// endAll adds an end for each host that has not reported its own.
func (t *trial) endAll(why string) {
	t.mu.Lock()
	left := maps.Clone(t.running)
	t.mu.Unlock()
	for _, host := range slices.Sorted(maps.Keys(left)) {
		t.add(host, left[host], wire.TrialReport{Trial: t.id, Ended: true, Error: why})
	}
}

// endTrial forgets a trial and stops the hosts that still run it.
func (a *API) endTrial(t *trial) {
	a.stopOn(t)
	a.trials.mu.Lock()
	delete(a.trials.all, t.id)
	a.trials.mu.Unlock()
}

// stopOn tells every host to stop; each reports its end and its cost.
func (a *API) stopOn(t *trial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	for _, peer := range t.running {
		go a.untry(peer, t.id)
	}
}

func (a *API) untry(peer *rpc.Peer, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), controlTime)
	defer cancel()
	_, _ = wire.AgentUntry.Call(ctx, peer, wire.TrialStopParams{Trial: id}) // it ends by itself too
}

func (a *API) trialStop(ctx context.Context, p wire.TrialStopParams) (wire.Empty, error) {
	a.trials.mu.Lock()
	t := a.trials.all[p.Trial]
	a.trials.mu.Unlock()
	if t == nil || t.peer != rpc.PeerFrom(ctx) {
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "no trial %q of this connection is going on", p.Trial)
	}
	a.stopOn(t)
	return wire.Empty{}, nil
}

// trialReport takes an agent's report about a trial.
func (a *API) trialReport(ctx context.Context, p wire.TrialReport) (wire.Empty, error) {
	peer := rpc.PeerFrom(ctx)
	agent, err := connOf(peer).helloSaid()
	if err != nil {
		return wire.Empty{}, err
	}
	a.trials.mu.Lock()
	t := a.trials.all[p.Trial]
	a.trials.mu.Unlock()
	if t == nil || !t.add(agent.Host, peer, p) {
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "nobody watches trial %q of host %q", p.Trial, agent.Host)
	}
	return wire.Empty{}, nil
}

// trialsLeft ends the trials that run through an agent's connection, which is
// gone. The trials that a connection watched end by themselves.
func (a *API) trialsLeft(host string, peer *rpc.Peer) {
	a.trials.mu.Lock()
	defer a.trials.mu.Unlock()
	for _, t := range a.trials.all {
		t.add(host, peer, wire.TrialReport{Trial: t.id, Ended: true, State: wire.ReceiptFailed, Error: "the agent's connection was lost"})
	}
}
