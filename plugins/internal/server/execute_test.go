package server

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// fakeAgent is the other end of a call of Execute.
type fakeAgent struct {
	grpc.ServerStream
	requests chan *pb.Execution
	answers  chan *pb.Executed // closed where the agent is done
}

func (a *fakeAgent) Send(e *pb.Execution) error { a.requests <- e; return nil }

func (a *fakeAgent) Recv() (*pb.Executed, error) {
	if e, ok := <-a.answers; ok {
		return e, nil
	}
	return nil, io.EOF
}

func TestExecAsksTheAgent(t *testing.T) {
	s := New(Options{Build: func(inspectors.Definition, io.Writer) (Program, error) { return nil, errors.New("none") }})
	a := &fakeAgent{requests: make(chan *pb.Execution), answers: make(chan *pb.Executed)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	type result struct {
		out []byte
		err error
	}
	exec := func(ctx context.Context, path string) <-chan result {
		done := make(chan result, 1)
		go func() {
			out, err := s.Exec(ctx, path, []string{"x", "y"})
			done <- result{out, err}
		}()
		return done
	}
	first := exec(ctx, "/a") // waits for the agent
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.Execute(a); err != nil {
			t.Errorf("Execute: %v", err)
		}
	})
	one := <-a.requests
	second := exec(ctx, "/b")
	two := <-a.requests
	if one.GetPath() != "/a" || string(one.GetArgs()[1]) != "y" || one.GetTimeoutMs() <= 0 || one.GetId() == two.GetId() {
		t.Errorf("it asks %v and %v", one, two)
	}
	// In another order, and to nobody.
	a.answers <- &pb.Executed{Id: 12345, Output: []byte("stray")}
	a.answers <- &pb.Executed{Id: two.GetId(), Output: []byte("out"), Code: 2, Reason: "exit status 2", Stderr: []byte("err")}
	a.answers <- &pb.Executed{Id: one.GetId(), Error: "it is refused"}
	var exit *inspectors.ExitError
	if r := <-second; string(r.out) != "out" || !errors.As(r.err, &exit) || exit.Code != 2 || exit.Stderr != "err" || exit.Path != "/b" {
		t.Errorf("%q, %v", r.out, r.err)
	}
	if r := <-first; r.err == nil || r.err.Error() != "it is refused" {
		t.Errorf("%v", r.err)
	}
	// Called off.
	short, stop := context.WithCancel(ctx)
	third := exec(short, "/c")
	three := <-a.requests
	stop()
	if e := <-a.requests; !e.GetCancel() || e.GetId() != three.GetId() {
		t.Errorf("it asks %v", e)
	}
	if r := <-third; !errors.Is(r.err, context.Canceled) {
		t.Errorf("%v", r.err)
	}
	// The agent is done.
	fourth := exec(ctx, "/d")
	<-a.requests
	close(a.answers)
	serving.Wait()
	for _, done := range []<-chan result{fourth, exec(ctx, "/e")} {
		if r := <-done; !errors.Is(r.err, errNoAgent) {
			t.Errorf("%v", r.err)
		}
	}
	if err := s.Execute(a); status.Code(err) != codes.AlreadyExists {
		t.Errorf("a second call: %v", err)
	}
	if _, err := s.Exec(t.Context(), "/a", nil); err == nil || !strings.Contains(err.Error(), "no deadline") {
		t.Errorf("without a deadline: %v", err)
	}
}

func TestPluginsDoNotExecute(t *testing.T) {
	if err := New(Options{}).Execute(&fakeAgent{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("%v", err)
	}
}
