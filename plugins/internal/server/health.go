package server

import (
	"os"
	"sync"
	"time"

	"github.com/vedettehq/vedette/internal/meter"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// health is the process's report about itself, beside results, so that the agent
// sees a leak before a limit kills the process.
type health struct {
	leaked    uint32 // runs that were given up and still hold something
	heapBytes int64
	openFiles uint32
}

func (h health) reply() *pb.RunReply {
	return &pb.RunReply{Leaked: h.leaked, HeapBytes: h.heapBytes, OpenFiles: h.openFiles}
}

// health looks at the process.
func (s *Server) health() health {
	return health{leaked: s.leaked(), heapBytes: int64(meter.HeapAfterGC()), openFiles: s.files.count()}
}

// fileCounter counts the open files of the process, at most once a second.
type fileCounter struct {
	mu   sync.Mutex
	at   time.Time // guarded by mu, like all below: time of the last count
	last uint32
}

func (c *fileCounter) count() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.at) >= time.Second {
		c.at, c.last = now, openFiles()
	}
	return c.last
}

// openFiles counts the open files of the process; it is 0 if the system does not
// tell.
func openFiles() uint32 {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return uint32(max(len(names)-1, 0)) // without the folder itself
}
