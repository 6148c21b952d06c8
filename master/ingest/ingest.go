// Package ingest takes the samples that agents report. It checks them, puts them into the
// history, passes them to watchers, and then acknowledges them. Reports are not trusted:
// names, numbers, times and lengths are checked before anything is stored, and the answer
// to a faulty report says what was wrong and where.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Limits of what one agent may send.
const (
	// MaxReportSamples bounds one report.
	MaxReportSamples = 100_000
	// maxShown bounds how many reports of a connection are remembered as shown and not yet
	// stored. Beyond it some are shown again.
	maxShown = 10_000
	// maxBootBytes bounds the boot id of a report, which is remembered.
	maxBootBytes = 128
	// MaxFuture is how far ahead of the master's clock a sample may be. An
	// agent's skew, as measured at its hello, is allowed on top.
	MaxFuture = 10 * time.Minute
)

// Ingest is the way in for samples.
type Ingest struct {
	hub      *live.Hub
	registry *hosts.Registry
	store    *history.Store
	remote   remoteCache
	mapped   func(what string, n int) // counts series that are shown under other names than they are stored
	refused  func(reason string, n int)
}

// CountRefused counts samples of remote write that were refused for a reason.
func (i *Ingest) CountRefused(reason string, n int) { i.refused(reason, n) }

// New makes the path from agents to the history, the hub and the registry.
func New(store *history.Store, hub *live.Hub, registry *hosts.Registry) *Ingest {
	return &Ingest{
		hub: hub, registry: registry, store: store,
		mapped: store.Counter("remote_write_mapped_series_total",
			"Series of remote write that are shown under another name than the history keeps, by what of them is.", "what"),
		refused: store.Counter("remote_write_refused_samples_total", "Samples of remote write that were refused for good, by reason.", "reason"),
	}
}

// series is a series as watchers and the history know it.
type series struct {
	live *live.Series
	kept *history.Series
}

// number is the meaning of a number on a connection: a series, or the declaration of one
// for which its host had no room. There may be room later.
type number struct {
	series
	waits *wire.Series // or nil
}

// errNoRoom is wrapped by the error for a series beyond the limit of its host.
var errNoRoom = errors.New("which is the limit (master.history.max_series_per_host)")

// ErrNumbers is the error of a report on a connection that has declared too many series.
// On the next connection the agent declares only those that it still uses.
var ErrNumbers = errors.New("this connection has used up its numbers of series; connect again")

// Session is one connection of an agent. Its methods may be called from any goroutine;
// reports are taken in the order of the calls.
type Session struct {
	ingest *Ingest
	agent  *hosts.Agent

	mu       sync.Mutex
	skew     time.Duration // of the agent's clock
	declared map[uint32]number
	waiting  int // how many of declared wait for room
	appender *history.Appender
	batch    []live.Sample
	kept     []history.Sample  // the same as batch
	shown    map[reportID]bool // reports that were shown and not stored
}

// reportID identifies a report on a connection: reports left over from an earlier run of
// the agent have their own numbering.
type reportID struct {
	boot string
	seq  uint64
}

// NewSession starts a connection on which no series is declared.
func (i *Ingest) NewSession(agent *hosts.Agent, skew time.Duration) *Session {
	return &Session{ingest: i, agent: agent, skew: skew, declared: make(map[uint32]number), shown: make(map[reportID]bool), appender: i.store.NewAppender()}
}

// Report takes one report and returns its acknowledgement when its samples are in the
// history. A report that was taken before is acknowledged again and not counted. A bad
// sample is left out, and the result says so. A report that makes no sense as a whole is
// an error; nothing of it is kept but its good declarations. If the history cannot take a
// report now, the error is a *history.BusyError: the report is shown to watchers, nothing
// of it is kept, and the agent must send it again. The same holds for a report that is
// ahead of time, of an agent that tells its clock, with an *EarlyError, except that its
// declarations hold.
func (s *Session) Report(ctx context.Context, p *wire.ReportParams) (wire.ReportResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkReport(p); err != nil {
		return wire.ReportResult{}, err
	}
	if len(p.BootID) > maxBootBytes {
		return wire.ReportResult{}, fmt.Errorf("boot_id is %d bytes long; at most %d are allowed", len(p.BootID), maxBootBytes)
	}
	if p.NowMS != 0 {
		s.skew = time.Until(time.UnixMilli(p.NowMS))
	}
	result := wire.ReportResult{Seq: p.Seq}
	refuse := func(err error) {
		if result.Refused++; result.Refused == 1 {
			result.Reason = err.Error()
		}
	}
	if err := s.declareLocked(p.Series, refuse); err != nil {
		return wire.ReportResult{}, err
	}
	_, err := s.ingest.registry.ReportsOf(s.agent, p.BootID).Take(p.Seq, func() error {
		return s.takeLocked(ctx, reportID{p.BootID, p.Seq}, p, refuse)
	})
	if p.NowMS != 0 {
		s.ingest.registry.Clock(s.agent, s.skew, s.notKept())
	}
	if busy, ok := errors.AsType[*history.BusyError](err); ok {
		// An agent gives new numbers each time it sends again. The numbers of this attempt
		// would never be used, and fill the table.
		for i := range p.Series {
			s.forgetLocked(p.Series[i].ID)
		}
		return wire.ReportResult{}, busy
	}
	return result, err
}

// declareLocked records the numbers of series, also for a report that was taken before,
// because later ones refer to them. It returns ErrNumbers if there are too many: a
// connection may have as many numbers as a host may have series, and as many again for
// series that have ended since it began.
func (s *Session) declareLocked(series []wire.Series, refuse func(error)) error {
	most := s.ingest.store.MaxSeriesPerHost()
	for _, declaration := range series {
		s.forgetLocked(declaration.ID)
		if len(s.declared)-s.waiting >= 2*most {
			return ErrNumbers
		}
		known, err := s.ingest.series(s.agent.Host, &declaration)
		if a := declaration.About; a != nil && err == nil {
			s.ingest.store.Describe(a.Metric, a.Type, a.Unit, a.Help)
		}
		switch {
		case err == nil:
			s.declared[declaration.ID] = number{series: known}
			continue
		case errors.Is(err, errNoRoom) && s.waiting < most:
			s.declared[declaration.ID] = number{waits: &declaration}
			s.waiting++
		}
		refuse(fmt.Errorf("series %d: %w", declaration.ID, err))
	}
	return nil
}

// forgetLocked forgets a number.
func (s *Session) forgetLocked(id uint32) {
	if s.declared[id].waits != nil {
		s.waiting--
	}
	delete(s.declared, id)
}

// knownLocked returns the series of a number. If it waits for room, it is looked up again.
func (s *Session) knownLocked(id uint32) (series, error) {
	n, ok := s.declared[id]
	switch {
	case !ok:
		return series{}, fmt.Errorf("series %d was not declared on this connection", id)
	case n.waits == nil:
		return n.series, nil
	}
	known, err := s.ingest.series(s.agent.Host, n.waits)
	if err != nil {
		return series{}, fmt.Errorf("series %d: %w", id, err)
	}
	s.forgetLocked(id)
	s.declared[id] = number{series: known}
	return known, nil
}

func (s *Session) takeLocked(ctx context.Context, id reportID, p *wire.ReportParams, refuse func(error)) error {
	if early := earlyError(p); early != nil {
		s.checkLocked(&p.Columns, func(error) {}) // the agent is told when the samples are taken
		s.showLocked(id)
		return early
	}
	s.checkLocked(&p.Columns, refuse)
	s.endLocked(p.Ends, refuse)
	result, err := s.appender.Append(ctx, s.kept)
	if errors.As(err, new(*history.BusyError)) {
		s.showLocked(id)
		s.shown[id] = true
		return err
	}
	if err != nil {
		return err
	}
	if result.Refused > 0 {
		what := "the end of a series"
		if result.First < len(s.batch) {
			first := s.batch[result.First].Series
			what = fmt.Sprintf("a sample of %s%s", first.Key, first.Labels)
		}
		refuse(fmt.Errorf("%s is not kept: %w", what, result.Reason))
		for range result.Refused - 1 {
			refuse(result.Reason)
		}
	}
	s.showLocked(id)
	delete(s.shown, id)
	return s.ingest.registry.Seen(s.agent.Host, len(s.batch), s.ingest.hub.SeriesCount(s.agent.Host))
}

// showLocked passes the batch to watchers, unless it was shown when it was sent before. So
// charts continue while the history cannot take samples.
func (s *Session) showLocked(id reportID) {
	if !s.shown[id] {
		s.ingest.hub.Publish(s.batch)
	}
	if len(s.shown) >= maxShown {
		clear(s.shown)
	}
}

// checkLocked fills the batch with the samples that pass the checks.
func (s *Session) checkLocked(columns *wire.Columns, refuse func(error)) {
	s.batch = slices.Grow(s.batch[:0], len(columns.T))
	s.kept = slices.Grow(s.kept[:0], len(columns.T))
	latest := time.Now().Add(MaxFuture + max(s.skew, 0)).UnixMilli()
	for i, t := range columns.T {
		series, err := s.knownLocked(columns.S[i])
		if err != nil {
			refuse(fmt.Errorf("sample %d: %w", i, err))
			continue
		}
		if err := checkPoint(t, columns.V[i], latest); err != nil {
			refuse(fmt.Errorf("sample %d of %s%s: %w", i, series.live.Key, series.live.Labels, err))
			continue
		}
		s.batch = append(s.batch, live.Sample{Series: series.live, Point: live.Point{T: t, V: columns.V[i]}})
		s.kept = append(s.kept, history.Sample{Series: series.kept, T: t, V: columns.V[i]})
	}
}

// endLocked adds the ends of series to the batch. They are not shown: a chart gets no more
// values of these series anyway.
func (s *Session) endLocked(ends *wire.Ends, refuse func(error)) {
	if ends == nil {
		return
	}
	latest := time.Now().Add(MaxFuture + max(s.skew, 0)).UnixMilli()
	for i, t := range ends.T {
		series, err := s.knownLocked(ends.S[i])
		if err == nil {
			err = checkPoint(t, 0, latest)
		}
		if err != nil {
			refuse(fmt.Errorf("end %d: %w", i, err))
			continue
		}
		s.kept = append(s.kept, history.Sample{Series: series.kept, T: t, V: history.End()})
	}
}

// Show passes samples to watchers, and stores nothing. The numbers of series hold for this
// call. Bad samples are left out; nobody waits for an answer.
func (s *Session) Show(p *wire.LiveParams) error {
	if err := checkColumns(&p.Columns); err != nil {
		return err
	}
	declared := make(map[uint32]*live.Series, min(len(p.Series), len(p.T)))
	for i := range p.Series {
		if known, err := s.ingest.liveSeries(s.agent.Host, &p.Series[i]); err == nil {
			declared[p.Series[i].ID] = known
		}
	}
	batch := make([]live.Sample, 0, len(p.T))
	latest := time.Now().Add(MaxFuture + max(s.skew, 0)).UnixMilli()
	for i, t := range p.T {
		if known := declared[p.S[i]]; known != nil && checkPoint(t, p.V[i], latest) == nil {
			batch = append(batch, live.Sample{Series: known, Point: live.Point{T: t, V: p.V[i]}})
		}
	}
	s.ingest.hub.Publish(batch)
	return nil
}

// Metric takes one sample in the form of master.reportMetric. It is shown to watchers
// whatever the history does, because programs that report in this form seldom send again.
// The error is a *history.BusyError if the history cannot take it now. notKept says why
// the history will never take it, for example because a clock is days behind.
func (i *Ingest) Metric(ctx context.Context, host string, metric *wire.Metric) (notKept, err error) {
	if err := inspectors.ValidateHost(host); err != nil {
		return nil, err
	}
	if metric.Val == nil {
		return nil, errors.New("val is missing or null; it must be a finite number")
	}
	if err := checkPoint(metric.TS, *metric.Val, time.Now().Add(MaxFuture).UnixMilli()); err != nil {
		return nil, err
	}
	series, err := i.series(host, &wire.Series{Key: metric.Key, Labels: metric.Labels})
	if err != nil {
		return nil, err
	}
	if err := i.registry.Seen(host, 1, i.hub.SeriesCount(host)); err != nil {
		return nil, err
	}
	result, err := i.store.NewAppender().Append(ctx, []history.Sample{{Series: series.kept, T: metric.TS, V: *metric.Val}})
	i.hub.Publish([]live.Sample{{Series: series.live, Point: live.Point{T: metric.TS, V: *metric.Val}}})
	return result.Reason, err
}

func (i *Ingest) series(host string, declaration *wire.Series) (series, error) {
	shown, err := i.liveSeries(host, declaration)
	if err != nil {
		return series{}, err
	}
	return series{live: shown, kept: i.store.NewSeries(host, shown.Key, shown.Labels, shown.Kind)}, nil
}

func (i *Ingest) liveSeries(host string, declaration *wire.Series) (*live.Series, error) {
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
	return i.intern(host, declaration.Key, labels, kind)
}

// intern returns the series of these names. A known one is always found; a new one needs
// room.
func (i *Ingest) intern(host, key string, labels inspectors.Labels, kind inspectors.Kind) (*live.Series, error) {
	most := i.store.MaxSeriesPerHost()
	if s := i.hub.Intern(host, key, labels, kind, most); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("host %q has %d series, %w", host, most, errNoRoom)
}

// checkReport checks the lengths in a report.
func checkReport(p *wire.ReportParams) error {
	if err := checkColumns(&p.Columns); err != nil || p.Ends == nil {
		return err
	}
	if len(p.Ends.S) != len(p.Ends.T) {
		return fmt.Errorf("the columns t and s of ends hold %d and %d values; they must be of one length", len(p.Ends.T), len(p.Ends.S))
	}
	if n := len(p.T) + len(p.Ends.T); n > MaxReportSamples {
		return fmt.Errorf("%d samples and ends in one report; at most %d are allowed", n, MaxReportSamples)
	}
	return nil
}

func checkColumns(c *wire.Columns) error {
	if len(c.S) != len(c.T) || len(c.V) != len(c.T) {
		return fmt.Errorf("the columns t, s and v hold %d, %d and %d values; they must be of one length", len(c.T), len(c.S), len(c.V))
	}
	if len(c.T) > MaxReportSamples {
		return fmt.Errorf("%d samples in one report; at most %d are allowed", len(c.T), MaxReportSamples)
	}
	return nil
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
