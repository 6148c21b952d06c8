package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a stream that keeps what is sent.
type sink struct {
	grpc.ServerStream
	ctx     context.Context
	replies []*pb.RunReply
	err     error // of every Send
}

func (s *sink) Context() context.Context { return s.ctx }

func (s *sink) Send(r *pb.RunReply) error {
	s.replies = append(s.replies, r)
	return s.err
}

func (s *sink) results() map[string]*pb.Result {
	all := make(map[string]*pb.Result)
	for _, reply := range s.replies {
		for _, r := range reply.GetResults() {
			all[r.GetName()] = r
		}
	}
	return all
}

func function(f func(ctx context.Context) error) inspectors.Inspector {
	return inspectors.Func(func(ctx context.Context, r *inspectors.Report) error {
		r.Gauge("", 1)
		return f(ctx)
	})
}

func jobs(timeout time.Duration, names ...string) *pb.RunRequest {
	req := &pb.RunRequest{}
	for _, name := range names {
		req.Jobs = append(req.Jobs, &pb.Job{Name: name, Inspector: name, TimeoutMs: timeout.Milliseconds()})
	}
	return req
}

// Short runs go one after the other; a long one holds up the next for the
// stagger, and no longer.
func TestStagger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		at := make(map[string]time.Duration)
		inspect := func(name string, takes time.Duration) inspectors.Inspector {
			return function(func(context.Context) error {
				mu.Lock()
				at[name] = time.Since(began)
				mu.Unlock()
				time.Sleep(takes) // of the fake clock
				return nil
			})
		}
		s := New(Options{Offered: map[string]inspectors.Inspector{
			"a": inspect("a", 2*time.Millisecond), "b": inspect("b", time.Second),
			"c": inspect("c", time.Millisecond), "d": inspect("d", time.Millisecond),
		}})
		out := &sink{ctx: t.Context()}
		if err := s.Run(jobs(time.Minute, "a", "b", "c", "d"), out); err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"a": 0, "b": 2e6, "c": 7e6, "d": 8e6}
		for name, when := range want {
			if at[name] != when {
				t.Errorf("%s started after %v, want %v", name, at[name], when)
			}
		}
		if len(out.results()) != 4 || time.Since(began) != time.Second+2*time.Millisecond {
			t.Errorf("%d results after %v", len(out.results()), time.Since(began))
		}
		if first := out.replies[0].GetResults(); len(first) < 1 || first[0].GetName() != "a" {
			t.Errorf("the first message has %v; a result must not wait for a slow run", first)
		}
	})
}

func TestRunThatHeedsNoContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := New(Options{Offered: map[string]inspectors.Inspector{
			"deaf": function(func(context.Context) error { <-release; return nil }),
		}})
		began := time.Now()
		first := &sink{ctx: t.Context()}
		if err := s.Run(jobs(time.Second, "deaf"), first); err != nil {
			t.Fatal(err)
		}
		r := first.results()["deaf"]
		if r.GetStatus() != pb.Status_STATUS_TIMED_OUT || r.GetSamples() != nil || time.Since(began) != time.Second+slack {
			t.Errorf("after %v: %v", time.Since(began), r)
		}
		if n := first.replies[len(first.replies)-1].GetLeaked(); n != 1 {
			t.Errorf("%d runs are said to be left over", n)
		}
		second := &sink{ctx: t.Context()}
		if err := s.Run(jobs(time.Second, "deaf"), second); err != nil {
			t.Fatal(err)
		}
		if r := second.results()["deaf"]; r.GetStatus() != pb.Status_STATUS_STUCK {
			t.Errorf("beside the first: %v", r)
		}
		close(release)
		synctest.Wait()
		third := &sink{ctx: t.Context()}
		if err := s.Run(jobs(time.Second, "deaf"), third); err != nil {
			t.Fatal(err)
		}
		if r := third.results()["deaf"]; r.GetStatus() != pb.Status_STATUS_DONE || r.GetError() != "" {
			t.Errorf("after the end of the first: %v", r)
		}
		if n := s.leaked(); n != 0 {
			t.Errorf("%d runs are said to be left over after all have ended", n)
		}
	})
}

// A sleep that is cut short yields no error, and yet no measurement.
func TestGoodRunAfterItsTimeoutIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Offered: map[string]inspectors.Inspector{
			"sleeper": function(func(ctx context.Context) error { <-ctx.Done(); return nil }),
		}})
		out := &sink{ctx: t.Context()}
		if err := s.Run(jobs(time.Second, "sleeper"), out); err != nil {
			t.Fatal(err)
		}
		if r := out.results()["sleeper"]; r.GetStatus() != pb.Status_STATUS_TIMED_OUT || len(r.GetSamples().GetNames()) != 1 {
			t.Errorf("result %v", r)
		}
	})
}

func TestCancelledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := false
		s := New(Options{Offered: map[string]inspectors.Inspector{
			"a": function(func(ctx context.Context) error { <-ctx.Done(); ended = true; return ctx.Err() }),
		}})
		time.AfterFunc(time.Second, cancel)
		err := s.Run(jobs(time.Minute, "a", "a", "missing"), &sink{ctx: ctx})
		synctest.Wait()
		if !errors.Is(err, context.Canceled) || !ended {
			t.Errorf("Run: %v, the run was told: %v", err, ended)
		}
	})
}

func TestUnknownInspector(t *testing.T) {
	out := &sink{ctx: t.Context()}
	if err := New(Options{}).Run(jobs(time.Second, "x"), out); err != nil {
		t.Fatal(err)
	}
	if r := out.results()["x"]; r.GetStatus() != pb.Status_STATUS_NOT_LOADED {
		t.Errorf("result %v", r)
	}
}

func TestEmptyAndBrokenStreams(t *testing.T) {
	s := New(Options{Offered: map[string]inspectors.Inspector{"a": function(func(context.Context) error { return nil })}})
	if err := s.Run(&pb.RunRequest{}, &sink{ctx: t.Context()}); err != nil {
		t.Errorf("no jobs: %v", err)
	}
	broken := errors.New("broken")
	if err := s.Run(jobs(time.Second, "a"), &sink{ctx: t.Context(), err: broken}); !errors.Is(err, broken) {
		t.Errorf("a broken stream: %v", err)
	}
}

// Results of any size are sent in messages that a peer takes.
func TestLargeResultsAreSplit(t *testing.T) {
	offered := make(map[string]inspectors.Inspector)
	var names []string
	for i := range 5 {
		name := fmt.Sprintf("i%d", i)
		names = append(names, name)
		offered[name] = inspectors.Func(func(_ context.Context, r *inspectors.Report) error {
			for j := range 1500 {
				r.Gauge("x", 1, "n", fmt.Sprint(j), "padding", strings.Repeat("y", 450))
			}
			return nil
		})
	}
	out := &sink{ctx: t.Context()}
	if err := New(Options{Offered: offered}).Run(jobs(time.Minute, names...), out); err != nil {
		t.Fatal(err)
	}
	if len(out.results()) != 5 || len(out.replies) < 3 {
		t.Errorf("%d results in %d messages", len(out.results()), len(out.replies))
	}
}

// fake is a program for Load.
type fake struct {
	inspectors.Inspector
	closed chan struct{}
}

func (f *fake) Leaked() int { return 0 }
func (f *fake) Close()      { close(f.closed) }

func TestLoadReplacesAndCloses(t *testing.T) {
	var built []*fake
	s := New(Options{Build: func(d inspectors.Definition, out io.Writer) (Program, error) {
		switch d.Script.Source {
		case "bad":
			return nil, inspectors.Diagnostics{{File: d.Script.File, Line: d.Script.Line, Col: 3, Message: "wrong", Fix: "write right"}}
		case "panic":
			panic("boom")
		}
		fmt.Fprintf(out, "building %s\n", d.Script.Source)
		f := &fake{function(func(context.Context) error { return nil }), make(chan struct{})}
		built = append(built, f)
		return f, nil
	}})
	load := func(source string) *pb.LoadReply {
		t.Helper()
		reply, err := s.Load(t.Context(), &pb.LoadRequest{Name: "a", File: "a.go", Line: 7, Source: source})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if r := load("one"); r.GetError() != "" {
		t.Error(r)
	}
	if r := load("bad"); r.GetError() != "a.go:7:3: wrong; write right" || len(r.GetDiagnostics()) != 1 || r.GetDiagnostics()[0].GetColumn() != 3 {
		t.Errorf("a script with a fault: %v", r)
	}
	if r := load("panic"); !strings.Contains(r.GetError(), "panic: boom (server_test.go:") {
		t.Errorf("a build that panics: %v", r)
	}
	if r := load("two"); r.GetError() != "" {
		t.Error(r)
	}
	<-built[0].closed
	out := &sink{ctx: t.Context()}
	if err := s.Run(jobs(time.Second, "a"), out); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, reply := range out.replies {
		for _, o := range reply.GetOutputs() {
			lines = append(lines, o.GetName()+": "+o.GetLine())
		}
	}
	if !slices.Equal(lines, []string{"a: building two"}) {
		t.Errorf("output %q", lines)
	}
	if _, err := s.Unload(t.Context(), &pb.UnloadRequest{Name: "a"}); err != nil {
		t.Error(err)
	}
	<-built[1].closed
}

// A build that the agent no longer waits for is dropped when it ends.
func TestLoadGivenUp(t *testing.T) {
	release, closed := make(chan struct{}), make(chan struct{})
	s := New(Options{Build: func(inspectors.Definition, io.Writer) (Program, error) {
		<-release
		return &fake{nil, closed}, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, &pb.LoadRequest{Name: "a"}); status.Code(err) != codes.Canceled {
		t.Errorf("Load: %v", err)
	}
	close(release)
	<-closed
	if s.unit("a") != nil {
		t.Error("it was put in place all the same")
	}
}

func TestPluginTakesNoScripts(t *testing.T) {
	s := New(Options{Offered: map[string]inspectors.Inspector{"b": nil, "a": nil}, Warnings: func() []string { return []string{"w"} }})
	if _, err := s.Load(t.Context(), &pb.LoadRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("Load: %v", err)
	}
	if _, err := s.Unload(t.Context(), &pb.UnloadRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("Unload: %v", err)
	}
	about, err := s.Describe(t.Context(), nil)
	if err != nil || !slices.Equal(about.GetInspectors(), []string{"a", "b"}) || about.GetLoadsScripts() || len(about.GetWarnings()) != 1 {
		t.Errorf("Describe: %v, %v", about, err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	var w lineWriter
	var lines []string
	emit := func(line string) { lines = append(lines, line) }
	w.open(emit)
	fmt.Fprint(&w, strings.Repeat("x", 3*maxLineBytes)+"\nbad \xff byte\n")
	for range 2 * maxLines {
		fmt.Fprintln(&w, "again")
	}
	fmt.Fprint(&w, "half a line")
	w.close()
	if len(lines) != maxLines+1 || len(lines[0]) != maxLineBytes || lines[1] != "bad \uFFFD byte" {
		t.Errorf("%d lines, the first of %d bytes, the second %q", len(lines), len(lines[0]), lines[1])
	}
	if last := lines[len(lines)-1]; last != fmt.Sprintf("… and %d more lines", maxLines+3) {
		t.Errorf("the last line is %q", last)
	}
	lines = nil
	for range 2 * maxLines { // while no run is under way
		fmt.Fprintln(&w, "between")
	}
	w.open(emit)
	if len(lines) != maxLines {
		t.Errorf("%d lines were kept from between the runs", len(lines))
	}
	w.close()
}
