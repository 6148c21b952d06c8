package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHost is the other end of a stream.
type fakeHost struct {
	ctx      context.Context
	requests chan *pb.Execution
	answers  chan *pb.Executed
}

func (h *fakeHost) Context() context.Context { return h.ctx }

func (h *fakeHost) Send(e *pb.Executed) error { h.answers <- e; return nil }

func (h *fakeHost) Recv() (*pb.Execution, error) {
	select {
	case e, ok := <-h.requests:
		if !ok {
			return nil, io.EOF
		}
		return e, nil
	case <-h.ctx.Done():
		return nil, h.ctx.Err()
	}
}

// serve starts an agent for a host that may run /a. The function that is returned
// ends the stream and waits for the agent.
func serve(t *testing.T, slots Slots, run func(ctx context.Context, path string, args []string) (Outcome, error)) (*fakeHost, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := &fakeHost{ctx: ctx, requests: make(chan *pb.Execution), answers: make(chan *pb.Executed, 10*MaxRequests)}
	a := &Agent{Programs: []string{"/a"}, Run: run, Slots: slots}
	var done sync.WaitGroup
	done.Go(func() { a.Serve(h) })
	end := sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(end)
	return h, end
}

const long = 3_600_000 // ms

func TestHostsAreNotTrusted(t *testing.T) {
	h, _ := serve(t, NewSlots(), func(_ context.Context, path string, args []string) (Outcome, error) {
		return Outcome{Output: []byte(path + strings.Join(args, ","))}, nil
	})
	ask := func(e *pb.Execution) *pb.Executed {
		h.requests <- e
		return <-h.answers
	}
	for i, path := range []string{"/b", "", "/bin/../a", "/a/", "a", "/a\x00"} {
		if got := ask(&pb.Execution{Id: uint64(i), Path: path, TimeoutMs: long}); got.GetError() == "" || got.GetId() != uint64(i) {
			t.Errorf("%q: %v", path, got)
		}
	}
	if got := ask(&pb.Execution{Path: "/a", Args: [][]byte{make([]byte, inspectors.MaxExecArgBytes)}, TimeoutMs: long}); got.GetError() == "" {
		t.Error("too many arguments are taken")
	}
	if got := ask(&pb.Execution{Id: 7, Path: "/a", Args: [][]byte{[]byte("x"), []byte("y")}, TimeoutMs: 1 << 62}); string(got.GetOutput()) != "/ax,y" ||
		got.GetId() != 7 {
		t.Errorf("%v", got)
	}
	h.requests <- &pb.Execution{Id: 99, Cancel: true} // of nothing
}

func TestProgramsAreBounded(t *testing.T) {
	slots := NewSlots()
	running, release := make(chan struct{}, MaxRequests), make(chan struct{})
	run := func(ctx context.Context, _ string, _ []string) (Outcome, error) {
		running <- struct{}{}
		select {
		case <-release:
			return Outcome{}, nil
		case <-ctx.Done():
			return Outcome{}, ctx.Err()
		}
	}
	h, end := serve(t, slots, run)
	for i := range MaxRequests {
		h.requests <- &pb.Execution{Id: uint64(i), Path: "/a", TimeoutMs: long}
	}
	for range MaxPerHost {
		<-running
	}
	h.requests <- &pb.Execution{Id: MaxRequests, Path: "/a", TimeoutMs: long}
	if got := <-h.answers; got.GetId() != MaxRequests || !strings.Contains(got.GetError(), "run or wait already") {
		t.Errorf("one more than may wait: %v", got)
	}
	if len(slots) != MaxPerHost || len(running) > 0 {
		t.Errorf("%d slots are taken", len(slots))
	}
	// One that waits is called off, one that runs ends: the next one runs.
	release <- struct{}{}
	if got := <-h.answers; got.GetError() != "" {
		t.Errorf("%v", got)
	}
	<-running
	end()
	if len(slots) != 0 || len(h.answers) != MaxRequests-1 {
		t.Errorf("%d slots are taken and %d answered when the host is gone", len(slots), len(h.answers))
	}
}

func TestCancel(t *testing.T) {
	running := make(chan struct{})
	h, _ := serve(t, NewSlots(), func(ctx context.Context, _ string, _ []string) (Outcome, error) {
		close(running)
		<-ctx.Done()
		return Outcome{}, ctx.Err()
	})
	h.requests <- &pb.Execution{Id: 3, Path: "/a", TimeoutMs: long}
	<-running
	h.requests <- &pb.Execution{Id: 3, Cancel: true}
	if got := <-h.answers; got.GetId() != 3 || got.GetError() != context.Canceled.Error() {
		t.Errorf("%v", got)
	}
}

// shell makes a shell script.
func shell(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNative(t *testing.T) {
	t.Setenv("SECRET", "x")
	out, err := Native(t.Context(), shell(t, `echo "$1 $SECRET $LANG $(cat) $(pwd)"; sleep 1000 &`), []string{"a b"})
	if string(out) != "a b  C  /\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	out, err = Native(t.Context(), shell(t, "echo out; echo err >&2; exit 4"), nil)
	var exit *inspectors.ExitError
	if !errors.As(err, &exit) || exit.Code != 4 || exit.Stderr != "err\n" || string(out) != "out\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err = Native(t.Context(), shell(t, "exec yes"), nil); !errors.Is(err, errTooMuch) {
		t.Errorf("%v", err)
	}
	if _, err = Native(t.Context(), "/nowhere/program", nil); !errors.Is(err, os.ErrNotExist) || strings.Contains(fmt.Sprint(err), "nowhere") {
		t.Errorf("%v", err)
	}
}

func TestNativeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	fifo := filepath.Join(t.TempDir(), "started")
	path := shell(t, fmt.Sprintf("trap '' TERM\nsleep 1000 &\necho x >%s\nsleep 1000", fifo))
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan error)
	go func() {
		_, err := Native(ctx, path, nil)
		done <- err
	}()
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
