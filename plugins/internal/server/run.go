package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/meter"
	"github.com/vedettehq/vedette/plugins/internal/link"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// stagger is how long a run may keep the next from starting. Shorter runs go
	// one after the other, so that a crash has one suspect; a longer one does not
	// delay the rest.
	stagger = 5 * time.Millisecond
	// slack is how long after its timeout a run may take to notice it, before it
	// is answered without its result.
	slack = 100 * time.Millisecond
)

// errGoexit is the error of code that ended its goroutine and so never returned.
var errGoexit = errors.New("the inspector ended its goroutine (runtime.Goexit) instead of returning")

// gate lets the runs of all calls start one after the other.
type gate chan struct{}

// enter waits for its turn. The turn ends when leave is called, or by itself
// after the stagger.
func (g gate) enter(ctx context.Context) (leave func(), ok bool) {
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	pass := sync.OnceFunc(func() { <-g })
	timer := time.AfterFunc(stagger, pass)
	return func() { timer.Stop(); pass() }, true
}

// Run runs the jobs and answers each as it ends.
func (s *Server) Run(req *pb.RunRequest, stream grpc.ServerStreamingServer[pb.RunReply]) error {
	ctx := stream.Context()
	box := newOutbox(len(req.GetJobs()))
	go s.start(ctx, req.GetJobs(), box)
	return box.send(ctx, stream, s.health)
}

// start starts each job on its own goroutine. It ends early with ctx.
func (s *Server) start(ctx context.Context, jobs []*pb.Job, box *outbox) {
	for _, job := range jobs {
		u := s.unit(job.GetInspector())
		if u == nil {
			box.result(&pb.Result{Name: job.GetName(), Status: pb.Status_STATUS_NOT_LOADED})
			continue
		}
		leave, ok := s.gate.enter(ctx)
		if !ok {
			return
		}
		go func() {
			defer leave()
			s.run(ctx, u, job, box)
		}()
	}
}

// run is one run of one inspector. The result is put into box exactly once: by the
// run itself, or at its timeout, or, if the run does not notice that it has been
// cut off for its budget, at that moment.
func (s *Server) run(ctx context.Context, u *unit, job *pb.Job, box *outbox) {
	timeout := time.Duration(job.GetTimeoutMs()) * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	u, refusal := s.hold(ctx, u, job.GetInspector())
	if refusal != pb.Status_STATUS_UNSPECIFIED {
		box.result(&pb.Result{Name: job.GetName(), Status: refusal, CpuNs: int64(u.takeCPU())})
		return
	}
	s.flying.Add(1)
	r := &run{server: s, unit: u, job: job, box: box, start: time.Now(), err: errGoexit}
	s.options.Marker.Mark(job.GetSlot(), link.Running)
	var giveUp *time.Timer
	r.meter = meter.New(limitsOf(job), s.alone, func(*meter.Excess) {
		cancel()
		giveUp.Reset(slack)
	})
	giveUp = time.AfterFunc(timeout+slack, r.abandon) // it reads the meter
	u.meter.Store(r.meter)
	r.meter.Start()
	defer func() {
		r.meter.Stop()
		giveUp.Stop()
		s.options.Marker.Mark(job.GetSlot(), u.rest())
		s.flying.Add(-1)
		r.finish(ctx)
		u.idle <- struct{}{}
	}()
	metered := meter.With(ctx, r.meter)
	switch {
	case job.GetShown():
		metered = inspectors.WithShown(metered)
	case job.Kept != nil:
		r.kept = inspectors.NewKept(job.GetKept())
		metered = inspectors.WithKept(metered, r.kept)
	}
	r.err = r.inspect(metered)
}

// hold waits until no run of the unit is in progress, and keeps others from
// beginning. If the unit is replaced meanwhile, it continues with its replacement.
// A status other than 0 means that it holds nothing.
func (s *Server) hold(ctx context.Context, u *unit, name string) (*unit, pb.Status) {
	for {
		select {
		case <-u.gone:
			next := s.unit(name)
			if next == nil || next == u {
				return u, pb.Status_STATUS_NOT_LOADED
			}
			u = next
			continue
		default:
		}
		select {
		case <-u.idle:
			return u, pb.Status_STATUS_UNSPECIFIED
		case <-u.gone:
		case <-ctx.Done():
			return u, pb.Status_STATUS_STUCK
		}
	}
}

// alone reports whether at most one run is in progress.
func (s *Server) alone() bool { return s.flying.Load() <= 1 }

func limitsOf(job *pb.Job) meter.Limits {
	return meter.Limits{
		CPU:    time.Duration(job.GetCpuBudgetNs()),
		Heap:   job.GetHeapBudgetBytes(),
		Output: job.GetOutputBudgetBytes(),
	}
}

// run is the state of one run.
type run struct {
	server   *Server
	unit     *unit
	job      *pb.Job
	box      *outbox
	start    time.Time
	meter    *meter.Meter
	report   *inspectors.Report
	err      error            // how the run ended
	kept     *inspectors.Kept // or nil
	answered atomic.Bool      // whoever sets it sends the answer
}

// inspect runs the foreign code, on a goroutine that carries its name.
func (r *run) inspect(ctx context.Context) error {
	name := r.job.GetName()
	label(link.LabelInspector, name)
	if r.unit.lines != nil {
		r.unit.lines.open(func(line string) { r.box.output(name, line) })
		defer r.unit.lines.close()
	}
	r.report = inspectors.NewReport(name, r.start)
	inspectors.Weigh(r.report, r.meter.Yield)
	inspectors.Guard(r.report, r.server.mask.Find)
	err := contain(func() error {
		if r.unit.program == nil { // a program attaches itself
			defer r.meter.Attach()()
		}
		return r.unit.inspector.Inspect(ctx, r.report)
	})
	r.unit.counters.Hold(r.report)
	return errors.Join(err, r.report.Err())
}

// finish answers a run that has ended, unless it was given up before.
func (r *run) finish(ctx context.Context) {
	if !r.answered.CompareAndSwap(false, true) {
		r.server.abandoned.Add(-1)
		return
	}
	result := r.result(pb.Status_STATUS_DONE)
	result.Samples = link.EncodeSamples(r.job.GetName(), r.report.Samples())
	if r.err != nil {
		result.Error = cut(&r.server.mask, r.err.Error(), maxErrorBytes)
	}
	// Even if a run ends without an error: a sleep that its timeout cut short has
	// measured nothing.
	if result.Excess == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		result.Status = pb.Status_STATUS_TIMED_OUT
	}
	if excess := result.GetExcess(); excess != nil && excess.GetWhat() == meter.Output {
		result.Samples, result.Error = nil, "" // a part of them, and that the rest was refused
	}
	if result.GetStatus() == pb.Status_STATUS_DONE && r.kept != nil {
		if state, changed := r.kept.Leave(); changed {
			result.Kept = state
		}
	}
	r.box.result(result)
}

// result has what is known about any run, including one that exceeded its budget.
func (r *run) result(status pb.Status) *pb.Result {
	result := &pb.Result{
		Name:        r.job.GetName(),
		Status:      status,
		StartUnixNs: r.start.UnixNano(),
		DurationNs:  int64(time.Since(r.start)),
		CpuNs:       int64(r.meter.Take()),
		StarvedNs:   int64(r.meter.Starved()),
	}
	if e := r.meter.Excess(); e != nil {
		result.Status = pb.Status_STATUS_OVER_BUDGET
		result.Excess = &pb.Excess{What: e.What, Used: e.Used, Allowed: e.Allowed}
	}
	return result
}

// abandon answers a run that does not end. Its report still belongs to it, and is
// not read.
func (r *run) abandon() {
	if !r.answered.CompareAndSwap(false, true) {
		return
	}
	r.server.abandoned.Add(1)
	result := r.result(pb.Status_STATUS_TIMED_OUT)
	result.Error = "the run ignores its context and does not end; the next runs wait for it"
	r.box.result(result)
}

// label names the goroutine, and all that it starts, in the trace of a crash.
func label(key, name string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(key, name)))
}

// contain calls f and turns a panic into an error.
func contain(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v%s", v, panicSite())
		}
	}()
	return f()
}

// panicSite says where the code panicked, such as " (gpu.go:12)". It is called
// from the function that recovered.
func panicSite() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf(" (%s:%d)", frame.File[strings.LastIndexByte(frame.File, '/')+1:], frame.Line)
		}
		if !more {
			return ""
		}
	}
}
