package server

import (
	"context"
	"runtime"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vedettehq/vedette/internal/meter"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// weighWait is how long to wait for a run before its script is weighed.
const weighWait = 200 * time.Millisecond

// Weigh drops one script after the other and reports what each drop freed. That is
// the one exact way to find out which script holds memory of a shared heap: memory
// that only this script could reach is free when it is gone.
func (s *Server) Weigh(ctx context.Context, _ *pb.WeighRequest) (*pb.WeighReply, error) {
	if s.options.Build == nil {
		return nil, status.Error(codes.Unimplemented, "this process holds no scripts")
	}
	s.mu.Lock()
	units := s.units
	s.units = make(map[string]*unit)
	s.mu.Unlock()
	names := make([]string, 0, len(units))
	for name := range units {
		names = append(names, name)
	}
	slices.Sort(names)
	reply := &pb.WeighReply{}
	bytes, files := weighProcess()
	for _, name := range names {
		u := units[name]
		u.leave()
		if !u.settle(ctx) {
			continue
		}
		delete(units, name)
		u.program.Close()
		u = nil
		lessBytes, lessFiles := weighProcess()
		reply.Weights = append(reply.Weights, &pb.Weight{
			Name: name, Bytes: max(bytes-lessBytes, 0), Files: uint32(max(files-lessFiles, 0)),
		})
		bytes, files = lessBytes, lessFiles
	}
	slices.SortStableFunc(reply.Weights, func(a, b *pb.Weight) int { return int(b.Bytes - a.Bytes) })
	reply.RestBytes, reply.RestFiles = bytes, uint32(files)
	return reply, nil
}

// settle waits for the end of the current run, and keeps another from beginning.
// It returns false if that run does not end.
func (u *unit) settle(ctx context.Context) bool {
	timer := time.NewTimer(weighWait)
	defer timer.Stop()
	select {
	case <-u.idle:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// weighProcess returns how much the process holds, without garbage. Files that are
// no longer reachable are closed by their finalizers, which run after the first
// collection.
func weighProcess() (bytes, files int64) {
	runtime.GC()
	done := make(chan struct{})
	runtime.AddCleanup(new(sentinel), func(done chan struct{}) { close(done) }, done)
	runtime.GC()
	select {
	case <-done: // it was queued after those of the files
	case <-time.After(weighWait):
	}
	runtime.GC()
	return int64(meter.HeapAfterGC()), int64(openFiles())
}

// sentinel is large enough not to share its memory with another object, so that it
// is freed alone.
type sentinel struct{ _ [64]byte }
