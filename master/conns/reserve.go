package conns

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
)

const (
	// mostSpare is how many descriptors a Reserve holds, or a sixteenth if there
	// are few: the history needs one to write on, and some to write a block.
	mostSpare = 24
	// reopen is how many must be free in addition before newcomers are let in.
	reopen = 8
)

// Reserve holds unused descriptors for the day when all others are taken: the
// limit was lowered, something leaks, or the whole machine has run out. Then it
// releases them to the files of the history, whose database ends the process when
// it cannot open one, and lets no connection in until there are some again. Its
// methods may be called from any goroutine.
type Reserve struct {
	log   *slog.Logger
	spare int

	mu      sync.Mutex
	held    []*os.File // nil while they are released
	refused int        // connections since then
	closed  bool
}

// NewReserve makes a reserve, and takes its descriptors.
func NewReserve(log *slog.Logger) *Reserve {
	r := &Reserve{log: log, spare: max(min(mostSpare, Descriptors()/16), 1)}
	r.held = take(r.spare)
	return r
}

// Close releases the descriptors for good.
func (r *Reserve) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.letGoLocked()
}

// Look checks whether there are descriptors left, and returns whether a newcomer
// may have one. It is cheap: it is called for each connection, and now and then in
// addition.
func (r *Reserve) Look() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return true
	case r.held == nil:
		return r.takeAgainLocked()
	}
	one, err := os.Open(os.DevNull)
	if err == nil {
		_ = one.Close()
		return true
	}
	if !exhausted(err) {
		return true
	}
	r.letGoLocked()
	r.log.Error("there are no descriptors left; the history gets those in reserve, and new connections are refused until there are some again",
		"limit", Descriptors(), "error", err)
	return false
}

// takeAgainLocked takes the descriptors back once so many are free that the
// history keeps some throughout.
func (r *Reserve) takeAgainLocked() bool {
	if free, known := unused(); known && free < r.spare+reopen {
		r.refused++
		return false
	}
	if r.held = take(r.spare); r.held == nil {
		r.refused++
		return false
	}
	r.log.Info("there are descriptors again, and connections are taken", "limit", Descriptors(), "refused", r.refused)
	r.refused = 0
	return true
}

func (r *Reserve) letGoLocked() {
	for _, f := range r.held {
		_ = f.Close()
	}
	r.held = nil
}

// take opens so many files, or none and returns nil.
func take(n int) []*os.File {
	var held []*os.File
	for range n {
		f, err := os.Open(os.DevNull)
		if err != nil {
			for _, f := range held {
				_ = f.Close()
			}
			return nil
		}
		held = append(held, f)
	}
	return held
}

// exhausted reports whether an error says that there are too many open files, in
// this process or in all.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// Listener returns a listener that closes connections at once while there are no
// descriptors for them.
func (r *Reserve) Listener(l net.Listener) net.Listener { return reserved{l, r} }

type reserved struct {
	net.Listener
	reserve *Reserve
}

func (l reserved) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if exhausted(err) {
				l.reserve.Look()
			}
			return nil, err
		}
		if l.reserve.Look() {
			return c, nil
		}
		_ = c.Close()
	}
}
