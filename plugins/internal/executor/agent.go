package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/mask"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// MaxPerHost is how many programs run at a time for one script host. More of
	// them wait.
	MaxPerHost = 4
	// MaxRequests is how many may run and wait in total. More are refused.
	MaxRequests = 64
)

// Slots bound how many programs run at a time, for all script hosts together.
type Slots chan struct{}

// NewSlots makes the slots of one agent.
func NewSlots() Slots { return make(Slots, 4*MaxPerHost) }

// stream is the agent's end of a call of Execute.
type stream interface {
	Recv() (*pb.Execution, error)
	Send(*pb.Executed) error
	Context() context.Context
}

// Agent answers one script host. Nothing that the host says is trusted.
type Agent struct {
	// Programs are the paths that the scripts of the host need, and may run.
	Programs []string
	// Run runs a program; see Keepers.Run.
	Run func(ctx context.Context, path string, args []string) (Outcome, error)
	// Slots are those of the agent.
	Slots Slots
	// Secrets are the names of the secrets that the scripts of the host need, and
	// may have.
	Secrets []string
	// Secret returns the value of a secret.
	Secret func(name string) (string, error)
	// Mask has the values that Secret has returned.
	Mask *mask.Mask
}

// Serve answers the messages of a stream until it ends. It returns when all
// programs have ended, which it makes them do.
func (a *Agent) Serve(s stream) {
	ctx, cancel := context.WithCancel(s.Context())
	c := &conversation{agent: a, stream: s, running: make(map[uint64]context.CancelFunc), own: make(Slots, MaxPerHost)}
	defer c.done.Wait()
	defer cancel()
	for {
		e, err := s.Recv()
		if err != nil {
			return
		}
		c.take(ctx, e)
	}
}

// conversation is one call of Serve.
type conversation struct {
	agent  *Agent
	stream stream
	own    Slots // of this host
	done   sync.WaitGroup

	sending sync.Mutex // held while an answer is sent

	mu      sync.Mutex
	running map[uint64]context.CancelFunc // guarded by mu: requests without an answer
}

// take begins to do what a message asks for.
func (c *conversation) take(ctx context.Context, e *pb.Execution) {
	id := e.GetId()
	c.mu.Lock()
	defer c.mu.Unlock()
	cancel, known := c.running[id]
	switch {
	case e.GetCancel():
		if known {
			cancel()
		}
		return
	case known:
		return // it could not be told apart from the one that runs
	case len(c.running) >= MaxRequests:
		c.done.Go(func() {
			c.send(&pb.Executed{Id: id, Error: fmt.Sprintf("%d programs of this script host run or wait already", MaxRequests)})
		})
		return
	}
	timeout := min(max(e.GetTimeoutMs(), 0), inspectors.MaxInterval.Milliseconds())
	ctx, cancel = context.WithTimeout(ctx, time.Duration(timeout)*time.Millisecond)
	c.running[id] = cancel
	c.done.Go(func() {
		defer cancel()
		answer := c.execute(ctx, e)
		answer.Id = id
		c.mu.Lock()
		delete(c.running, id)
		c.mu.Unlock()
		c.send(answer)
	})
}

// send sends an answer. If the host is gone nothing happens.
func (c *conversation) send(answer *pb.Executed) {
	c.sending.Lock()
	defer c.sending.Unlock()
	_ = c.stream.Send(answer)
}

// execute does what a message asks for.
func (c *conversation) execute(ctx context.Context, e *pb.Execution) *pb.Executed {
	if e.GetSecret() != "" {
		return c.tell(e.GetSecret())
	}
	o, err := c.allowed(ctx, e)
	if err != nil {
		return &pb.Executed{Error: err.Error(), CpuNs: int64(o.CPU)}
	}
	return &pb.Executed{Output: o.Output, Code: int32(o.Code), Reason: o.Reason, Stderr: []byte(c.agent.Mask.Tail(string(o.Stderr))), CpuNs: int64(o.CPU)}
}

// tell answers a request for a secret.
func (c *conversation) tell(name string) *pb.Executed {
	if !slices.Contains(c.agent.Secrets, name) {
		return &pb.Executed{Error: "no script of this script host needs it"}
	}
	value, err := c.agent.Secret(name)
	if err != nil {
		return &pb.Executed{Error: err.Error()}
	}
	return &pb.Executed{Value: value}
}

func (c *conversation) allowed(ctx context.Context, e *pb.Execution) (Outcome, error) {
	if !slices.Contains(c.agent.Programs, e.GetPath()) {
		return Outcome{}, errors.New("no script of this script host needs it")
	}
	args := make([]string, len(e.GetArgs()))
	size := 0
	for i, arg := range e.GetArgs() {
		args[i] = string(arg)
		size += len(arg) + 1
	}
	if size > inspectors.MaxExecArgBytes {
		return Outcome{}, fmt.Errorf("its arguments are %d bytes long", size)
	}
	for _, slots := range []Slots{c.own, c.agent.Slots} {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return Outcome{}, errors.New("it waited for other programs to end")
		}
	}
	return c.agent.Run(ctx, e.GetPath(), args)
}
