// Package ingest takes the samples that agents report: it checks them, gives
// them to those who watch, and acknowledges them. What comes in is not trusted:
// names, numbers, times and lengths are checked before anything is kept, and a
// fault is answered with what was wrong and where.
package ingest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Limits of what one agent may send.
const (
	// MaxSeriesPerHost bounds the series of one host, and the numbers that one
	// connection may declare.
	MaxSeriesPerHost = 50_000
	// MaxReportSamples bounds one report.
	MaxReportSamples = 100_000
	// MaxFuture is how far ahead of the master's clock a sample may be. An
	// agent's skew, as measured at its hello, is allowed on top.
	MaxFuture = 10 * time.Minute
)

// Ingest is the way in for samples.
type Ingest struct {
	hub      *live.Hub
	registry *hosts.Registry
}

// New makes the way from agents to the hub and the registry.
func New(hub *live.Hub, registry *hosts.Registry) *Ingest {
	return &Ingest{hub: hub, registry: registry}
}

// Session is one connection of an agent. Its methods may be called from any
// goroutine; reports are taken in the order of the calls.
type Session struct {
	ingest *Ingest
	agent  *hosts.Agent
	skew   time.Duration

	mu       sync.Mutex
	declared map[uint32]*live.Series
	batch    []live.Sample
}

// NewSession starts a connection on which no series is declared.
func (i *Ingest) NewSession(agent *hosts.Agent, skew time.Duration) *Session {
	return &Session{ingest: i, agent: agent, skew: skew, declared: make(map[uint32]*live.Series)}
}

// Report takes one report and returns its acknowledgement. A report that was
// taken before is acknowledged again and not counted. A single bad sample is
// left out and told in the result; a report that makes no sense as a whole is
// an error, and nothing of it is kept but the series that it declared well.
func (s *Session) Report(p *wire.ReportParams) (wire.ReportResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.S) != len(p.T) || len(p.V) != len(p.T) {
		return wire.ReportResult{}, fmt.Errorf("the columns t, s and v hold %d, %d and %d values; they must be of one length", len(p.T), len(p.S), len(p.V))
	}
	if len(p.T) > MaxReportSamples {
		return wire.ReportResult{}, fmt.Errorf("%d samples in one report; at most %d are allowed", len(p.T), MaxReportSamples)
	}
	result := wire.ReportResult{Seq: p.Seq}
	refuse := func(err error) {
		if result.Refused++; result.Refused == 1 {
			result.Reason = err.Error()
		}
	}
	s.declareLocked(p.Series, refuse)
	_, err := s.agent.Reports.Take(p.Seq, func() error {
		return s.takeLocked(&p.Columns, refuse)
	})
	return result, err
}

// declareLocked notes the numbers of series, for a report that was taken before
// too: later ones refer to them.
func (s *Session) declareLocked(series []wire.Series, refuse func(error)) {
	for _, declaration := range series {
		known, err := s.ingest.series(s.agent.Host, &declaration, len(s.declared))
		if err != nil {
			refuse(fmt.Errorf("series %d: %w", declaration.ID, err))
			delete(s.declared, declaration.ID)
			continue
		}
		s.declared[declaration.ID] = known
	}
}

func (s *Session) takeLocked(columns *wire.Columns, refuse func(error)) error {
	s.batch = slices.Grow(s.batch[:0], len(columns.T))
	latest := time.Now().Add(MaxFuture + max(s.skew, 0)).UnixMilli()
	for i, t := range columns.T {
		series, ok := s.declared[columns.S[i]]
		if !ok {
			refuse(fmt.Errorf("sample %d: series %d was not declared on this connection", i, columns.S[i]))
			continue
		}
		if err := checkPoint(t, columns.V[i], latest); err != nil {
			refuse(fmt.Errorf("sample %d of %s%s: %w", i, series.Key, series.Labels, err))
			continue
		}
		s.batch = append(s.batch, live.Sample{Series: series, Point: live.Point{T: t, V: columns.V[i]}})
	}
	s.ingest.hub.Publish(s.batch)
	return s.ingest.registry.Seen(s.agent.Host, len(s.batch), s.ingest.hub.SeriesCount(s.agent.Host))
}

// Metric takes one sample in the walkthrough's form.
func (i *Ingest) Metric(host string, metric *wire.Metric) error {
	if err := inspectors.ValidateHost(host); err != nil {
		return err
	}
	if metric.Val == nil {
		return errors.New("val is missing or null; it must be a finite number")
	}
	if err := checkPoint(metric.TS, *metric.Val, time.Now().Add(MaxFuture).UnixMilli()); err != nil {
		return err
	}
	series, err := i.series(host, &wire.Series{Key: metric.Key, Labels: metric.Labels}, 0)
	if err != nil {
		return err
	}
	if err := i.registry.Seen(host, 1, i.hub.SeriesCount(host)); err != nil {
		return err
	}
	i.hub.Publish([]live.Sample{{Series: series, Point: live.Point{T: metric.TS, V: *metric.Val}}})
	return nil
}

func (i *Ingest) series(host string, declaration *wire.Series, declared int) (*live.Series, error) {
	if err := inspectors.ValidateKey(declaration.Key); err != nil {
		return nil, err
	}
	labels, err := inspectors.LabelsFromMap(declaration.Labels)
	if err != nil {
		return nil, err
	}
	kind, err := inspectors.ParseKind(declaration.Kind)
	if err != nil {
		return nil, err
	}
	if declared >= MaxSeriesPerHost || i.hub.SeriesCount(host) >= MaxSeriesPerHost {
		return nil, fmt.Errorf("host %q has %d series, which is the limit", host, MaxSeriesPerHost)
	}
	return i.hub.Intern(host, declaration.Key, labels, kind), nil
}

func checkPoint(t int64, v float64, latest int64) error {
	switch {
	case t <= 0:
		return fmt.Errorf("time %d is not in milliseconds since 1970", t)
	case t > latest:
		return fmt.Errorf("time %s is in the future", time.UnixMilli(t).UTC().Format(time.RFC3339))
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("value %v is not a finite number", v)
	}
	return nil
}
