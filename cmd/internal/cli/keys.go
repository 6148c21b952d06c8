package cli

import (
	"context"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Keys passes on each key that is typed on the terminal of in, at once, until ctx ends; ^C
// keeps its meaning. If in is no terminal, there are no keys. The returned function
// restores the terminal, and must be called.
func Keys(ctx context.Context, in io.Reader) (<-chan byte, func()) {
	f, ok := in.(*os.File)
	if !ok || TerminalWidth(f) == 0 {
		return nil, func() {}
	}
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, func() {}
	}
	raw := *before
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, setTermios, &raw); err != nil {
		return nil, func() {}
	}
	keys := make(chan byte)
	ctx, stop := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { readKeys(ctx, fd, keys) })
	return keys, func() {
		stop()
		reading.Wait()
		_ = unix.IoctlSetTermios(fd, setTermios, before)
	}
}

// keyWait is how many ms a read waits for a key before it checks whether it is still
// needed.
const keyWait = 100

func readKeys(ctx context.Context, fd int, keys chan<- byte) {
	for ctx.Err() == nil {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(ready, keyWait); n < 1 || err != nil {
			continue // no key, or a signal
		}
		var key [1]byte
		if n, err := unix.Read(fd, key[:]); n < 1 || err != nil {
			return // the input was closed
		}
		select {
		case keys <- key[0]:
		case <-ctx.Done():
		}
	}
}
