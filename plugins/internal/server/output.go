package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/mask"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// gather is how long results wait for others of their batch, to share a
	// message with them, because each message wakes two processes.
	gather = 10 * time.Millisecond
	// messageBytes is the size from which a message takes no more results.
	messageBytes = 1 << 20
	// maxErrorBytes bounds the text of one error.
	maxErrorBytes = 8 << 10
	// maxLines and maxLineBytes bound what one run may print.
	maxLines     = 100
	maxLineBytes = 1 << 10
)

// outbox takes the results of one call from the runs, and passes them to the
// stream. Runs never wait for the stream, and may end after it.
type outbox struct {
	want int           // how many results to expect
	wake chan struct{} // holds a token while there is something new

	mu      sync.Mutex
	results []*pb.Result // guarded by mu, like all below
	outputs []*pb.Output
	got     int
}

func newOutbox(want int) *outbox {
	return &outbox{want: want, wake: make(chan struct{}, 1)}
}

func (b *outbox) result(r *pb.Result) {
	b.mu.Lock()
	b.results = append(b.results, r)
	b.got++
	b.mu.Unlock()
	b.signal()
}

func (b *outbox) output(name, line string) {
	b.mu.Lock()
	b.outputs = append(b.outputs, &pb.Output{Name: name, Line: line})
	b.mu.Unlock()
	b.signal()
}

func (b *outbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns the waiting results, and whether they are the last ones.
func (b *outbox) take() (results []*pb.Result, outputs []*pb.Output, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	results, outputs = b.results, b.outputs
	b.results, b.outputs = nil, nil
	return results, outputs, b.got >= b.want
}

func (b *outbox) complete() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got >= b.want
}

// send sends everything until the last result is out, or ctx ends.
func (b *outbox) send(ctx context.Context, stream grpc.ServerStreamingServer[pb.RunReply], health func() health) error {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for !b.complete() {
		select {
		case <-b.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		timer.Reset(gather)
		if err := b.gather(ctx, timer.C); err != nil {
			return err
		}
		results, outputs, last := b.take()
		if err := deliver(stream, results, outputs, health()); err != nil || last {
			return err
		}
	}
	results, outputs, _ := b.take()
	return deliver(stream, results, outputs, health())
}

// gather waits a moment for more results, or for the last one.
func (b *outbox) gather(ctx context.Context, over <-chan time.Time) error {
	for !b.complete() {
		select {
		case <-b.wake:
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// deliver sends results in messages of a reasonable size.
func deliver(stream grpc.ServerStreamingServer[pb.RunReply], results []*pb.Result, outputs []*pb.Output, h health) error {
	reply := h.reply()
	reply.Outputs = outputs
	size := 0
	for _, r := range results {
		reply.Results = append(reply.Results, r)
		if size += proto.Size(r); size < messageBytes {
			continue
		}
		if err := stream.Send(reply); err != nil {
			return err
		}
		reply, size = h.reply(), 0
	}
	if len(reply.Results) == 0 && len(reply.Outputs) == 0 {
		return nil
	}
	return stream.Send(reply)
}

// lineWriter splits what a script prints into lines. Text that is printed between
// runs is kept for the next run.
type lineWriter struct {
	mask *mask.Mask // of secrets, or nil

	mu      sync.Mutex
	emit    func(line string) // guarded by mu, like all below; nil between runs
	pending []string
	partial []byte
	lines   int // since the run began
}

// Write takes the next part of the output.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := maxLineBytes + w.mask.Reach() - len(w.partial); room > 0 {
			w.partial = append(w.partial, line[:min(room, len(line))]...)
		}
		if !whole {
			return n, nil
		}
		w.flushLocked()
		p = rest
	}
}

// open begins a run, whose lines go to emit.
func (w *lineWriter) open(emit func(line string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.emit = emit
	for _, line := range w.pending {
		emit(line)
	}
	w.pending, w.lines = nil, 0
}

// close ends a run.
func (w *lineWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 {
		w.flushLocked()
	}
	if dropped := w.lines - maxLines; dropped > 0 {
		w.emit(fmt.Sprintf("… and %d more lines", dropped))
	}
	w.emit, w.lines = nil, 0
}

func (w *lineWriter) flushLocked() {
	line := strings.ToValidUTF8(w.mask.Cut(string(w.partial), maxLineBytes), "\uFFFD")
	w.partial = w.partial[:0]
	w.lines++
	switch {
	case w.lines > maxLines:
	case w.emit == nil:
		w.pending = append(w.pending, line)
	default:
		w.emit(line)
	}
}

// cut makes text fit for the wire: valid UTF-8 of a bounded length, and without
// secrets.
func cut(m *mask.Mask, s string, most int) string {
	long := len(s) > most
	if s = m.Cut(s, most); long {
		s += " …"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// diagnosticsOf returns the diagnostics that an error wraps, or nil.
func diagnosticsOf(err error) inspectors.Diagnostics {
	var all inspectors.Diagnostics
	if errors.As(err, &all) {
		return all
	}
	var one inspectors.Diagnostic
	if errors.As(err, &one) {
		return inspectors.Diagnostics{one}
	}
	return nil
}
