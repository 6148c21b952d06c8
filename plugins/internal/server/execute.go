package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/internal/meter"
	"github.com/vedettehq/vedette/plugins/internal/executor"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// executions are the programs that the agent runs for this process.
type executions struct {
	mu      sync.Mutex
	stream  executeStream                // guarded by mu, like all below; nil until the agent has called
	ready   chan struct{}                // closed when there is a stream
	ended   bool                         // the agent has ended the call
	last    uint64                       // the last number that was used
	waiting map[uint64]chan *pb.Executed // by number; each receives one answer
	sending sync.Mutex                   // held while a message is sent
}

type executeStream = grpc.BidiStreamingServer[pb.Executed, pb.Execution]

func newExecutions() *executions {
	return &executions{ready: make(chan struct{}), waiting: make(map[uint64]chan *pb.Executed)}
}

// backstop is how much later than ctx the agent ends a program that was not
// cancelled. If both used the same moment, the slower side would see an error
// instead of its timeout.
const backstop = time.Second

var errNoAgent = errors.New("the agent no longer answers this process")

// Execute is the call in which the agent receives the programs to run.
func (s *Server) Execute(stream executeStream) error {
	if s.options.Build == nil {
		return status.Error(codes.Unimplemented, "this process runs its programs itself, and has no secrets")
	}
	return s.executions.serve(stream)
}

func (x *executions) serve(stream executeStream) error {
	x.mu.Lock()
	if x.stream != nil {
		x.mu.Unlock()
		return status.Error(codes.AlreadyExists, "the agent runs programs already")
	}
	x.stream = stream
	close(x.ready)
	x.mu.Unlock()
	defer x.end()
	for {
		answer, err := stream.Recv()
		if err != nil {
			return nil // the agent has finished
		}
		x.mu.Lock()
		if c := x.waiting[answer.GetId()]; c != nil {
			delete(x.waiting, answer.GetId())
			c <- answer
		}
		x.mu.Unlock()
	}
}

// end tells everybody who waits that there will be no answer.
func (x *executions) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = true
	for id, c := range x.waiting {
		delete(x.waiting, id)
		close(c)
	}
}

// Exec has the agent run a program. It is an inspectors.Executor.
func (s *Server) Exec(ctx context.Context, path string, args []string) ([]byte, error) {
	e := &pb.Execution{Path: path}
	for _, arg := range args {
		e.Args = append(e.Args, []byte(arg))
	}
	answer, err := s.executions.ask(ctx, e)
	meter.From(ctx).Charge(time.Duration(answer.GetCpuNs()))
	switch {
	case err != nil:
		return nil, err
	case answer.GetError() != "":
		return nil, errors.New(answer.GetError())
	}
	return executor.Outcome{
		Output: answer.GetOutput(), Code: int(answer.GetCode()), Reason: answer.GetReason(), Stderr: answer.GetStderr(),
	}.Result(path)
}

// Secret asks the agent for the value of a secret. It is an
// inspectors.SecretSource.
func (s *Server) Secret(ctx context.Context, name string) (string, error) {
	answer, err := s.executions.ask(ctx, &pb.Execution{Secret: name})
	switch {
	case err != nil:
		return "", err
	case answer.GetError() != "":
		return "", errors.New(answer.GetError())
	}
	s.mask.Learn(name, answer.GetValue())
	return answer.GetValue(), nil
}

// ask asks for one run of a program, or for a secret, and waits for the answer or
// for the end of ctx, which ends the program.
func (x *executions) ask(ctx context.Context, e *pb.Execution) (*pb.Executed, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, errors.New("the context has no deadline")
	}
	select {
	case <-x.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := make(chan *pb.Executed, 1)
	x.mu.Lock()
	if x.ended {
		x.mu.Unlock()
		return nil, errNoAgent
	}
	x.last++
	e.Id, e.TimeoutMs = x.last, max(time.Until(deadline)+backstop, 1).Milliseconds()
	x.waiting[e.Id] = c
	x.mu.Unlock()
	if err := x.send(e); err != nil {
		return nil, errNoAgent
	}
	select {
	case answer, ok := <-c:
		if !ok {
			return nil, errNoAgent
		}
		return answer, nil
	case <-ctx.Done():
		x.mu.Lock()
		delete(x.waiting, e.Id)
		x.mu.Unlock()
		_ = x.send(&pb.Execution{Id: e.Id, Cancel: true})
		return nil, ctx.Err()
	}
}

// send sends a message, to a stream that is there.
func (x *executions) send(e *pb.Execution) error {
	x.sending.Lock()
	defer x.sending.Unlock()
	return x.stream.Send(e)
}
