package plugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/plugins/internal/link"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// stagger is how long one run may keep the next from starting, in the
	// child.
	stagger = 5 * time.Millisecond
	// grace is how long after the timeout of a run the process may leave it
	// unanswered before the process counts as hung and is killed; see patience.
	grace = time.Second
)

// task is one job until it has its outcome.
type task struct {
	job     Job
	budget  inspectors.Budget // of its member, without gaps; set when it is sent
	asked   time.Time         // when the batch was handed in
	crashed bool              // a process died while it ran, through no fault of this inspector
	kept    *keptState        // set when it is sent, or nil
}

// left returns how much of the timeout is left.
func (t *task) left() time.Duration { return t.job.Timeout - time.Since(t.asked) }

// batch is a set of tasks that one process runs in one call.
type batch struct {
	process *process
	report  func(*task, Outcome)
	heard   func(name string, s pb.Status) // called for every answer
	moved   func(name string) bool         // reports whether an inspector has another home by now
	sent    time.Time

	mu      sync.Mutex
	pending map[string][]*task  // guarded by mu: tasks without an answer, by name
	due     map[*task]time.Time // guarded by mu: the latest time for each answer
	strays  []*task             // guarded by mu: tasks whose inspector the process no longer knows

	answered int // guarded by mu: answers that came
}

// run runs tasks in the process, each with its member, and reports the outcome of
// each that was answered. It returns the others with the death that is the reason,
// or with an error if the process is alive. A process that takes no more calls
// returns errRetired.
func (p *process) run(ctx context.Context, tasks []*task, members map[*task]*member, b *batch) ([]*task, *death, error) {
	if !p.enter(tasks) {
		return tasks, nil, errRetired
	}
	defer p.leave()
	b.process, b.sent = p, time.Now()
	b.pending, b.due = make(map[string][]*task), make(map[*task]time.Time)
	req := &pb.RunRequest{Jobs: make([]*pb.Job, 0, len(tasks))}
	wait := p.backlog()
	for _, t := range tasks {
		m, timeout := members[t], t.left()
		t.budget = m.def.Budget.WithDefaults(m.def.Interval)
		var kept []byte
		t.kept, kept = p.pool.kept.of(t.job)
		req.Jobs = append(req.Jobs, &pb.Job{
			Name: t.job.Name, Inspector: p.known(t.job.Name), Slot: m.slot, TimeoutMs: max(timeout.Milliseconds(), 1),
			CpuBudgetNs: int64(t.budget.CPU), HeapBudgetBytes: t.budget.Heap, OutputBudgetBytes: t.budget.Output,
			Shown: t.job.Shown, Kept: kept,
		})
		b.pending[t.job.Name] = append(b.pending[t.job.Name], t)
		b.due[t] = b.sent.Add(wait + timeout)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer b.guard()()
	stream, err := p.rpc.Run(ctx, req)
	if err == nil {
		err = b.receive(stream)
	}
	rest := b.rest()
	if len(rest) == 0 {
		return nil, nil, nil
	}
	// Until the death has been examined they count as running.
	defer func() {
		for _, t := range rest {
			p.landed(t)
		}
	}()
	return b.fault(ctx, rest, err)
}

var errRetired = errors.New("the process is being replaced")

// backlog is how long the current runs may keep a new one from starting.
func (p *process) backlog() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(len(p.flying)) * stagger
}

// receive takes the results as they come, to the end of the stream.
func (b *batch) receive(stream grpc.ServerStreamingClient[pb.RunReply]) error {
	for {
		reply, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, o := range reply.GetOutputs() {
			if b.asked(o.GetName()) {
				b.process.hooks.output(o.GetName(), b.process.said(o.GetLine()))
			}
		}
		b.process.hooks.health(b.process, reply)
		for _, r := range reply.GetResults() {
			b.answer(r)
		}
	}
}

// asked reports whether the batch still waits for an answer for a name.
func (b *batch) asked(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pending[name]) > 0
}

// answer reports the outcome of one task. A result that nobody asked for is
// dropped.
func (b *batch) answer(r *pb.Result) {
	b.mu.Lock()
	queue := b.pending[r.GetName()]
	if len(queue) == 0 {
		b.mu.Unlock()
		b.process.spec.log.Warn("dropped a result that nobody asked for", "process", b.process.spec.what, "inspector", printable(r.GetName()))
		return
	}
	t := queue[0]
	b.pending[r.GetName()] = queue[1:]
	delete(b.due, t)
	b.answered++
	b.mu.Unlock()
	b.process.landed(t)
	if r.GetStatus() == pb.Status_STATUS_NOT_LOADED && b.moved(t.job.Name) {
		b.mu.Lock()
		b.strays = append(b.strays, t)
		b.mu.Unlock()
		return
	}
	o := outcome(t, r, b.sent, b.process.spec.mask)
	b.process.pool.kept.left(t.kept, r)
	b.process.pool.account(&o, r.GetStatus())
	b.heard(t.job.Name, r.GetStatus())
	b.report(t, o)
}

// rest removes and returns the tasks that have no answer.
func (b *batch) rest() []*task {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rest []*task
	for t := range b.due {
		rest = append(rest, t)
	}
	b.pending, b.due = nil, nil
	return rest
}

// guard is the second line of defence behind the timeouts that the child enforces:
// if a run has no answer although the child has had time to give one, the child
// hangs, and is killed.
func (b *batch) guard() (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var timer *time.Timer
	var w *patience // owned by this timer's goroutine; nil while nothing is late
	answered := 0
	timer = time.AfterFunc(b.nextLocked(), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		late := b.lateLocked()
		switch {
		case len(b.due) == 0:
			return
		case len(late) == 0:
			w = nil
			timer.Reset(b.nextLocked())
			return
		case w == nil || answered != b.answered:
			w, answered = b.process.pool.newPatience(b.process.child.id()), b.answered
		default:
			if err := w.look(0, lookEvery, grace); err != nil {
				b.process.giveUp(err, fmt.Sprintf("killed by the agent: no answer %v after the timeout of %s", grace, strings.Join(late, ", ")))
				return
			}
		}
		timer.Reset(lookEvery)
	})
	return func() { timer.Stop() }
}

// lateLocked names the runs whose answers are overdue.
func (b *batch) lateLocked() []string {
	var late []string
	now := time.Now()
	for t, due := range b.due {
		if !now.Before(due) {
			late = append(late, fmt.Sprintf("%s (timeout %v)", t.job.Name, t.job.Timeout))
		}
	}
	slices.Sort(late)
	return late
}

// nextLocked returns the time until the first answer is overdue.
func (b *batch) nextLocked() time.Duration {
	next := time.Duration(-1)
	for _, due := range b.due {
		if d := time.Until(due); next < 0 || d < next {
			next = max(d, 0)
		}
	}
	return max(next, 0)
}

// fault finds out why tasks have no answer.
func (b *batch) fault(ctx context.Context, rest []*task, err error) ([]*task, *death, error) {
	switch {
	case ctx.Err() != nil:
		return rest, nil, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	case status.Code(err) == codes.DeadlineExceeded: // ctx's own deadline; the child noticed it first
		return rest, nil, fmt.Errorf("%w: %w", ErrUnavailable, context.DeadlineExceeded)
	case err == nil:
		return rest, nil, errors.New("the plugin gave no result")
	}
	switch status.Code(err) {
	case codes.Unimplemented, codes.ResourceExhausted, codes.Internal, codes.InvalidArgument, codes.Unknown:
		select {
		case <-b.process.dead:
		default:
			return rest, nil, fmt.Errorf("%w: the call failed: %s", ErrUnavailable, b.process.said(status.Convert(err).Message()))
		}
	}
	return rest, b.process.awaitDeath(err), nil
}

// outcome reads one result. It trusts nothing in it, and removes secrets.
func outcome(t *task, r *pb.Result, sent time.Time, m *mask.Mask) Outcome {
	o := Outcome{
		Name:     t.job.Name,
		Start:    startOf(r, sent),
		Duration: min(max(time.Duration(r.GetDurationNs()), 0), time.Since(sent)),
		CPU:      max(time.Duration(r.GetCpuNs()), 0),
		Starved:  min(max(time.Duration(r.GetStarvedNs()), 0), time.Since(sent)),
	}
	said := m.Text(printable(r.GetError()))
	switch r.GetStatus() {
	case pb.Status_STATUS_DONE:
		if said != "" {
			o.Err = errors.New(said)
		}
	case pb.Status_STATUS_TIMED_OUT:
		o.Err = fmt.Errorf("%w after %v", ErrTimeout, t.job.Timeout)
		if err := starvedError(o.Starved, o.Duration); err != nil {
			o.Err = fmt.Errorf("%w: %w", o.Err, err)
			break
		}
		if said != "" && said != context.DeadlineExceeded.Error() {
			o.Err = fmt.Errorf("%w: %s", o.Err, said)
		}
	case pb.Status_STATUS_STUCK:
		o.Err = fmt.Errorf("%w: %w", ErrTimeout, ErrUnended)
	case pb.Status_STATUS_NOT_LOADED:
		o.Err = fmt.Errorf("%w: its process does not know it yet; it is loaded again", ErrNotLoaded)
	case pb.Status_STATUS_OVER_BUDGET:
		o.Err = excessError(r.GetExcess())
	default:
		o.Err = fmt.Errorf("the plugin answered with an unknown status %d", r.GetStatus())
	}
	if size := int64(proto.Size(r.GetSamples())); size > t.budget.Output {
		o.Err = errors.Join(o.Err, budgetError("output", inspectors.FormatBytes(size), inspectors.FormatBytes(t.budget.Output)))
		return o
	}
	samples, err := link.DecodeSamples(t.job.Name, o.Start, r.GetSamples(), m.Find)
	o.Samples = samples
	if err != nil {
		o.Err = errors.Join(o.Err, err)
	}
	return o
}

// startOf returns the time at which a run started, if the child reports a
// plausible one, or else the time at which it was requested.
func startOf(r *pb.Result, sent time.Time) time.Time {
	const tolerance = 10 * time.Millisecond
	start := time.Unix(0, r.GetStartUnixNs())
	if start.Before(sent.Add(-tolerance)) || start.After(time.Now().Add(tolerance)) {
		return sent
	}
	return start
}
