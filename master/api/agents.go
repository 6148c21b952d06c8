package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func (a *API) hello(ctx context.Context, p wire.HelloParams) (wire.HelloResult, error) {
	peer := rpc.PeerFrom(ctx)
	c := connOf(peer)
	if err := a.checkHello(c, &p, peer.RemoteAddr()); err != nil {
		return wire.HelloResult{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.agent != nil {
		return wire.HelloResult{}, rpc.Errorf(wire.CodeConflict, "hello was already said on this connection, by host %q", c.agent.Host)
	}
	agent, err := a.Registry.Connect(p, peer.RemoteAddr(), func() {
		peer.Close(wire.CloseReplaced, "the same agent has connected again")
	})
	if err != nil {
		a.claimed(p.Host, peer.RemoteAddr(), err)
		return wire.HelloResult{}, rpc.Errorf(wire.CodeConflict, "%v", err)
	}
	if agent.Before != "" {
		a.Log.Warn("another agent than before reports for a host", "host", p.Host, "remote", peer.RemoteAddr(), "before", agent.Before)
	}
	now := time.Now()
	skew := time.UnixMilli(p.NowMS).Sub(now)
	c.agent, c.session = agent, a.Ingest.NewSession(agent, skew)
	c.pushed = a.Catalog.Connected(peer, p)
	a.agentCame(p.Host, peer)
	a.Log.Info("agent connected", "host", p.Host, "remote", peer.RemoteAddr(), "version", p.Version, "skew", skew.Round(time.Millisecond))
	return wire.HelloResult{
		Protocol: wire.Version, Version: a.Version, NowMS: now.UnixMilli(), AckedSeq: agent.Reports.Acked(),
		Takes: []string{wire.TakesEnds, wire.TakesAbout},
	}, nil
}

func (a *API) checkHello(c *conn, p *wire.HelloParams, remote string) error {
	if p.Protocol != wire.Version {
		return &rpc.CloseError{Code: wire.CloseVersion, Reason: fmt.Sprintf(
			"this master speaks protocol %d, the agent %d; install the same version on both", wire.Version, p.Protocol)}
	}
	if err := inspectors.ValidateHost(p.Host); err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "host: %v", err)
	}
	if _, err := inspectors.LabelsFromMap(p.Labels); err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "labels: %v", err)
	}
	if p.Policy != nil && p.Policy.Size() > wire.MaxPolicy {
		return rpc.Errorf(rpc.CodeInvalidParams, "policy: it names %d places and paths; at most %d are told", p.Policy.Size(), wire.MaxPolicy)
	}
	if p.AgentID == "" || p.BootID == "" {
		return rpc.Errorf(rpc.CodeInvalidParams, "agent_id and boot_id must not be empty")
	}
	if err := c.who().MayReportFor(p.Host); err != nil {
		a.claimed(p.Host, remote, err)
		return rpc.Errorf(wire.CodeForbidden, "%v", err)
	}
	return nil
}

func (a *API) report(ctx context.Context, p wire.ReportParams) (wire.ReportResult, error) {
	c := connOf(rpc.PeerFrom(ctx))
	agent, err := c.helloSaid()
	if err != nil {
		return wire.ReportResult{}, err
	}
	result, err := c.session.Report(ctx, &p)
	if errors.As(err, new(*ingest.EarlyError)) && c.tellRefused(time.Now()) {
		a.Log.Warn("samples cannot be taken yet", "host", agent.Host, "reason", err)
	}
	if err != nil {
		return result, takeError(err, fmt.Sprintf("report %d", p.Seq))
	}
	if result.Refused > 0 && c.tellRefused(time.Now()) {
		a.Log.Warn("samples refused", "host", agent.Host, "count", result.Refused, "first", result.Reason)
	}
	return result, nil
}

// takeError says why samples were not taken: temporarily, with how long to wait,
// or for good.
func takeError(err error, what string) *rpc.Error {
	if busy, ok := errors.AsType[*history.BusyError](err); ok {
		e := rpc.Errorf(wire.CodeBusy, "%s: %v", what, busy)
		e.Data = map[string]any{"retry_after_ms": busy.RetryAfter.Milliseconds()}
		return e
	}
	if early, ok := errors.AsType[*ingest.EarlyError](err); ok {
		e := rpc.Errorf(wire.CodeEarly, "%s: %v", what, early)
		e.Data = map[string]any{"retry_after_ms": early.After.Milliseconds()}
		return e
	}
	if errors.Is(err, ingest.ErrNumbers) {
		return rpc.Errorf(wire.CodeConflict, "%s: %v", what, err)
	}
	if errors.Is(err, history.ErrClosed) {
		return rpc.Errorf(wire.CodeBusy, "%s: the master stops", what)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return rpc.Errorf(rpc.CodeCancelled, "%s: %v", what, err)
	}
	return rpc.Errorf(rpc.CodeInvalidParams, "%s: %v", what, err)
}

func (a *API) status(ctx context.Context, p wire.StatusParams) (wire.Empty, error) {
	agent, err := connOf(rpc.PeerFrom(ctx)).helloSaid()
	if err != nil {
		return wire.Empty{}, err
	}
	for _, inspector := range p.Inspectors {
		if err := inspectors.ValidateKey(inspector.Name); err != nil {
			return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "inspectors: %v", err)
		}
	}
	for _, inspector := range a.Registry.Status(agent, p) {
		if inspector.State == wire.StateQuarantined || inspector.State == wire.StateFailing {
			a.Log.Warn("inspector is "+inspector.State, "host", agent.Host, "inspector", inspector.Name, "error", inspector.Error)
		}
	}
	return wire.Empty{}, nil
}

func (a *API) reportMetric(ctx context.Context, p wire.ReportMetricParams) (*wire.Empty, error) {
	c := connOf(rpc.PeerFrom(ctx))
	if err := c.who().MayReportFor(p.Hostname); err != nil {
		a.claimed(p.Hostname, rpc.PeerFrom(ctx).RemoteAddr(), err)
		return nil, rpc.Errorf(wire.CodeForbidden, "%v", err)
	}
	notKept, err := a.Ingest.Metric(ctx, p.Hostname, &p.Metric)
	if err != nil {
		return nil, takeError(err, "reportMetric")
	}
	if notKept != nil && c.tellRefused(time.Now()) {
		a.Log.Warn("a sample is shown and not kept", "host", p.Hostname, "key", p.Metric.Key, "reason", notKept)
	}
	a.Log.Debug("took metric", "host", p.Hostname, "key", p.Metric.Key, "val", *p.Metric.Val)
	return nil, nil
}

// tellRefused reports whether it is time to log that samples were refused: once a
// minute for each connection, because all samples of a host whose clock is wrong are
// refused.
func (c *conn) tellRefused(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.refusedTold.Add(time.Minute)) {
		return false
	}
	c.refusedTold = now
	return true
}

func (c *conn) helloSaid() (*hosts.Agent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.agent == nil {
		return nil, rpc.Errorf(wire.CodeConflict, "call %s first on each connection", wire.MasterHello.Name)
	}
	return c.agent, nil
}
