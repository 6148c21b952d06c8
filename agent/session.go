package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// callTimeout is how long a call may stay unanswered, on a connection that
	// is alive, before the session gives the connection up.
	callTimeout = 30 * time.Second
	// refusalWait is about how long the agent waits after a refusal that only a
	// person can resolve. It keeps trying at that pace for ever: the person may be
	// at the master, and must not have to visit the agent.
	refusalWait = time.Minute
	// logEvery is how often the log repeats, while the master is away, that it
	// still is.
	logEvery = 5 * time.Minute
)

// Waits between two statuses, by the urgency of the change.
var statusGap = map[urgency]time.Duration{
	atOnce:  50 * time.Millisecond,
	soon:    time.Second,
	routine: 15 * time.Second,
}

// sessionOptions are what a session works with.
type sessionOptions struct {
	Log    *slog.Logger
	Client rpc.Client // without its callbacks
	// Hello introduces the agent, except for NowMS and Assigned. It is called once
	// for each connection.
	Hello    func() wire.HelloParams
	Assigned func() string // the hash of the current assignment

	Outbox   *delivery.Outbox
	Track    *tracker
	Receipts *assignment.Receipts
	Live     *liveFeed
	Runner   schedule.Runner
	// Starved says how long work on this host has waited for a processor. It may
	// be nil.
	Starved *plugins.Starvation
}

// session keeps the agent connected to its master, and carries reports and
// statuses while it is connected.
type session struct {
	sessionOptions
	client  rpc.Client
	replace context.CancelCauseFunc // ends the client's run; set by connectOften

	callTimeout time.Duration
	refusalWait time.Duration

	noReceipts sync.Once // the log says once that the master takes none
	noAlerts   sync.Once // the same for alerts

	// These faults are logged once in a while: a master that refuses one report
	// refuses the next.
	early, refused, dropped sparse

	mu       sync.Mutex
	downFrom time.Time // since when there is no connection; zero while connected
	toldAt   time.Time // when the log was last written to
	up       bool      // connected
	ups      uint64    // number of connections so far
}

// errReplaced says that a connection ended because another agent took it over.
var errReplaced = errors.New("another agent with this agent's id has connected; is it running twice with one data folder?")

func newSession(o sessionOptions) *session {
	s := &session{sessionOptions: o, client: o.Client, callTimeout: callTimeout, refusalWait: refusalWait}
	s.client.OnConnect, s.client.OnDown = s.connected, s.down
	return s
}

// run stays connected until ctx ends. A final refusal is final only until somebody
// changes the master's settings, so run tries again, slowly.
func (s *session) run(ctx context.Context) {
	s.Log.Info("connecting to the master", "master", s.client.URL)
	for ctx.Err() == nil {
		err := s.connectOften(ctx)
		if err == nil {
			return
		}
		wait := s.refusalWait/2 + rand.N(s.refusalWait)
		s.markDown()
		s.Log.Error("the master does not accept this agent; inspectors go on, and it is asked again",
			"master", s.client.URL, "reason", err, "retry_in", wait.Round(time.Second))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// connectOften runs the client until ctx ends, then returns nil. It returns an
// error when the agent is refused or replaced.
func (s *session) connectOften(ctx context.Context) error {
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.replace = stop
	err := s.client.Run(run)
	if err == nil && errors.Is(context.Cause(run), errReplaced) {
		return errReplaced
	}
	if pe, ok := errors.AsType[*rpc.PermanentError](err); ok {
		return pe.Err
	}
	return err
}

// connected handles one connection from its start to its end.
func (s *session) connected(ctx context.Context, p *rpc.Peer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result, err := s.sayHello(ctx, p)
	if err != nil {
		return err
	}
	s.markUp(p, result)
	defer s.markOver()
	link := s.Outbox.Connect(result.AckedSeq, result.Takes...)
	defer link.End()
	var parts sync.WaitGroup
	parts.Go(func() { cancel(s.sendStatuses(ctx, p)) })
	parts.Go(func() { cancel(s.sendReports(ctx, p, link)) })
	parts.Go(func() { cancel(s.sendReceipts(ctx, p)) })
	parts.Go(func() { cancel(s.sendAlerts(ctx, p)) })
	parts.Go(func() { cancel(s.Live.send(ctx, p)) })
	parts.Wait()
	if ce, ok := errors.AsType[*rpc.CloseError](p.Err()); ok && ce.Code == wire.CloseReplaced && !ce.Local {
		s.replace(errReplaced)
	}
	return context.Cause(ctx)
}

func (s *session) sayHello(ctx context.Context, p *rpc.Peer) (*wire.HelloResult, error) {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	hello := s.Hello()
	hello.NowMS, hello.Assigned = time.Now().UnixMilli(), s.Assigned()
	result, err := wire.MasterHello.Call(ctx, p, hello)
	if err != nil {
		err = fmt.Errorf("cannot say hello as host %q: %w", hello.Host, err)
		if refusedForGood(err) {
			return nil, &rpc.PermanentError{Err: err}
		}
		return nil, err
	}
	if result.Protocol != wire.Version {
		return nil, &rpc.PermanentError{Err: fmt.Errorf("the master speaks protocol %d, this agent %d; install the same version on both", result.Protocol,
			wire.Version)}
	}
	return &result, nil
}

// refusedForGood reports whether the master refused the identity of this agent.
func refusedForGood(err error) bool {
	re, ok := errors.AsType[*rpc.Error](err)
	return ok && (re.Code == wire.CodeUnauthenticated || re.Code == wire.CodeForbidden)
}

// sendStatuses tells the master the state of all inspectors, and then every
// change. It returns when ctx ends or the connection is unusable.
func (s *session) sendStatuses(ctx context.Context, p *rpc.Peer) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	all, last := true, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.Track.bell:
		case <-timer.C:
		}
		wait := time.Duration(0)
		if !all {
			gap, ok := statusGap[s.Track.pending()]
			if !ok {
				continue
			}
			wait = time.Until(last.Add(gap))
		}
		if wait > 0 {
			timer.Reset(wait)
			continue
		}
		if err := s.sendStatus(ctx, p, all); err != nil {
			return err
		}
		all, last = false, time.Now()
		if s.Track.pending() > settled {
			timer.Reset(statusGap[atOnce])
		}
	}
}

func (s *session) sendStatus(ctx context.Context, p *rpc.Peer, all bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	status := s.Track.take(all)
	status.Agent = s.Outbox.Status()
	status.Agent.Isolation = isolationOf(s.Runner)
	status.Agent.Starved = s.Starved.Reason(time.Now())
	status.Agent.StarvedSeconds = s.Starved.Total().Seconds()
	_, err := wire.MasterStatus.Call(ctx, p, status)
	if re, ok := errors.AsType[*rpc.Error](err); ok && !refusedForGood(err) && re.Code != wire.CodeConflict {
		s.Log.Error("the master refused a status", "reason", re)
		return nil
	}
	return err
}

// sendReports sends the reports of the outbox. It returns when no report is in
// flight, after ctx ended or the connection became unusable.
func (s *session) sendReports(ctx context.Context, p *rpc.Peer, l *delivery.Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var calls sync.WaitGroup
	defer calls.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.Outbox.Ready():
		case <-timer.C:
		}
		for {
			r, params, wait := l.Next()
			if r == nil {
				if wait > 0 {
					timer.Reset(wait)
				}
				break
			}
			calls.Go(func() {
				if err := s.sendReport(ctx, p, l, r, params); err != nil {
					cancel(err)
				}
			})
		}
	}
}

// sendReport sends one report and tells the link its outcome. An error means that
// the connection is unusable.
func (s *session) sendReport(ctx context.Context, p *rpc.Peer, l *delivery.Link, r *delivery.Report, params *wire.ReportParams) error {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	result, err := wire.MasterReport.Call(ctx, p, *params)
	switch re, answered := errors.AsType[*rpc.Error](err); {
	case err == nil:
		if result.Refused > 0 {
			s.refused.log(s.Log, slog.LevelWarn, "the master refused samples", result.Refused, result.Reason)
		}
		l.Acknowledged(r, result.Refused)
		return nil
	case answered && re.Code == wire.CodeEarly:
		s.early.log(s.Log, slog.LevelWarn, "samples are ahead of the clock of the master; they are kept here until it takes them", len(params.T), re.Message)
		l.Held(r, busyPause(err))
		return nil
	case answered && re.Code == wire.CodeBusy:
		l.Returned(r, busyPause(err))
		return nil
	case answered && (refusedForGood(err) || re.Code == wire.CodeConflict),
		errors.Is(err, rpc.ErrClosed), ctx.Err() != nil:
		l.Returned(r, 0)
		return fmt.Errorf("cannot report: %w", err)
	}
	if !l.Refused(r, triesOf(err), time.Second) {
		s.dropped.log(s.Log, slog.LevelError, "the master refused reports; their samples are dropped", len(params.T), err.Error())
	}
	return nil
}

// triesOf is how often a report is sent that the master answers with an error. The
// number is bounded, so that a bad report does not hold a place in the window of
// every future connection. It is more than one, because the fault may have been
// the master's, or that of a report which declared a series for this one.
func triesOf(err error) int {
	if re, ok := errors.AsType[*rpc.Error](err); ok && re.Code == rpc.CodeInternal {
		return 10
	}
	return 2
}

// busyPause is how long to pause for a master that says it is busy.
func busyPause(err error) time.Duration {
	if d, ok := rpc.RetryAfter(err); ok {
		return d
	}
	return time.Second
}

// markUp notes and logs that there is a connection.
func (s *session) markUp(p *rpc.Peer, result *wire.HelloResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	attrs := []any{"master", s.client.URL, "host", s.Hello().Host, "codec", p.Codec(), "version", result.Version, "reports_queued", s.Outbox.Measures().Queued()}
	if !s.downFrom.IsZero() {
		attrs = append(attrs, "after", time.Since(s.downFrom).Round(time.Millisecond))
	}
	s.Log.Info("connected to the master", attrs...)
	s.downFrom, s.toldAt = time.Time{}, time.Time{}
	s.up = true
	s.ups++
}

// state reports whether there is a connection, and how many there have been.
func (s *session) state() (up bool, connections uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up, s.ups
}

// markOver notes that the connection has ended.
func (s *session) markOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = false
}

// markDown notes that there is no connection, and reports whether it is time to
// log that again.
func (s *session) markDown() (tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.downFrom.IsZero() {
		s.downFrom = now
	}
	if s.toldAt.IsZero() || now.Sub(s.toldAt) >= logEvery {
		s.toldAt = now
		return true
	}
	return false
}

// down is called for each connection that was lost or could not be made.
func (s *session) down(err error, retryIn time.Duration) {
	level := slog.LevelDebug
	if s.markDown() {
		level = slog.LevelWarn
	}
	told := s.Outbox.Measures()
	s.Log.Log(context.Background(), level, "not connected to the master; trying again",
		"master", s.client.URL, "reason", err, "retry_in", retryIn.Round(time.Millisecond),
		"reports_queued", told.Queued(), "samples_dropped", told.Dropped)
}
