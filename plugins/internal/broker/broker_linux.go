package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bounds of the help for one host.
const (
	maxContent = 64 << 10 // bytes of a file
	maxAtOnce  = 4        // file systems that are asked at the same time: one that hangs blocks a thread
)

// Broker answers one script host.
type Broker struct {
	log   *slog.Logger
	procs []string
	conn  *os.File      // the host hands over its listener here
	sizes chan struct{} // a token for each file system that is being asked
	reach Reach
	names *names
	opens chan struct{} // a token for each connection that is being opened
	blind sync.Once     // an unreadable memory of the host is logged once
	done  sync.WaitGroup

	mu       sync.Mutex
	listener *os.File // guarded by mu, like closed
	closed   bool
}

// New makes a broker, and the socket that its host inherits. procs are the folders
// in which the host finds processes; reach says where it may connect to. It starts
// nothing.
func New(log *slog.Logger, procs []string, reach Reach) (b *Broker, forHost *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a socket for the broker: %w", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_, _ = unix.Close(ends[0]), unix.Close(ends[1])
		return nil, nil, fmt.Errorf("cannot prepare the socket of the broker: %w", err)
	}
	b = &Broker{
		log: log, procs: procs,
		conn:  os.NewFile(uintptr(ends[0]), "broker"),
		sizes: make(chan struct{}, maxAtOnce),
		reach: reach, names: newNames(), opens: make(chan struct{}, maxConnects),
	}
	return b, os.NewFile(uintptr(ends[1]), "broker of the host"), nil
}

// Run answers until the host ends or Close is called.
func (b *Broker) Run() {
	listener, err := receive(b.conn)
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
			b.log.Warn("the agent cannot answer the calls of a script host, which may then not see other users' disks and processes", "reason", err)
		}
		return
	}
	b.mu.Lock()
	b.listener = listener
	b.stopLocked()
	b.mu.Unlock()
	b.serve(listener)
	end := func() {
		b.done.Wait()
		_ = listener.Close()
	}
	if len(b.sizes) == 0 && len(b.opens) == 0 {
		end()
		return
	}
	go end() // a file system or a name server may hang; do not wait for it
}

// Close makes Run return. The host must be dead: its calls are not answered any
// more.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	_ = b.conn.Close()
	b.stopLocked()
}

// stopLocked makes serve return once the broker is closed. The listener stays open
// for answers that are still being made.
func (b *Broker) stopLocked() {
	if b.closed && b.listener != nil {
		_ = b.listener.SetReadDeadline(time.Unix(1, 0))
	}
}

// receive takes the listener from the host, which sends its process id and the
// number of the descriptor there, because it may not send a descriptor. No foreign
// code has run in it yet.
func receive(conn *os.File) (*os.File, error) {
	var said [8]byte
	if _, err := io.ReadFull(conn, said[:]); err != nil {
		return nil, err // io.EOF if the host has none, or is dead
	}
	fd, err := listenerOf(int(binary.NativeEndian.Uint32(said[:])), int(binary.NativeEndian.Uint32(said[4:])))
	answer := []byte{0}
	if err != nil {
		answer[0] = 1
	}
	if _, e := conn.Write(answer); e != nil && err == nil {
		err = e
		_ = unix.Close(fd)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot take the listener of the host: %w", err)
	}
	return os.NewFile(uintptr(fd), "listener"), nil
}

func listenerOf(pid, number int) (int, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	fd, err := unix.PidfdGetfd(process, number, 0)
	if err != nil {
		return 0, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// The messages of seccomp_unotify(2).
type (
	request struct {
		id    uint64
		pid   uint32 // the calling thread
		flags uint32
		call  struct {
			number  int32
			arch    uint32
			pointer uint64
			args    [6]uint64
		}
	}
	response struct {
		id    uint64
		value int64
		errno int32 // negative
		flags uint32
	}
	addition struct { // a descriptor to be added to those of the host
		id       uint64
		flags    uint32
		source   uint32
		target   uint32
		newFlags uint32
	}
)

// Numbers of ioctl calls that package unix does not name.
const (
	ioctlValid = 0x40082102 // SECCOMP_IOCTL_NOTIF_ID_VALID
	ioctlAdd   = 0x40182103 // SECCOMP_IOCTL_NOTIF_ADDFD
)

// serve answers calls from the listener until nobody can make any more.
func (b *Broker) serve(listener *os.File) {
	raw, err := listener.SyscallConn()
	if err != nil {
		return
	}
	for over := false; !over; {
		err := raw.Read(func(fd uintptr) bool {
			for {
				switch state := pending(int(fd)); {
				case state&unix.POLLIN != 0:
					if !b.take(int(fd)) {
						return true
					}
				case state != 0: // the last thread of the host is gone
					over = true
					return true
				default:
					return false
				}
			}
		})
		if err != nil {
			return
		}
	}
}

// pending returns what can be read, as poll(2) does. Receiving would block.
func pending(fd int) int16 {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, 0); err != unix.EINTR {
			return fds[0].Revents
		}
	}
}

// take receives one call and answers it, a slow one in the background. It returns
// false if nothing more can be received.
func (b *Broker) take(fd int) bool {
	var r request
	switch err := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&r)); err {
	case nil:
	case unix.ENOENT, unix.EINTR: // the calling thread is gone
		return true
	default:
		return false
	}
	c := &call{listener: fd, request: r}
	switch r.call.number {
	case unix.SYS_STATFS:
		b.aside(b.sizes, c, b.size, unix.EBUSY)
	case unix.SYS_CONNECT:
		b.aside(b.opens, c, b.connect, unix.EAGAIN)
	default:
		b.look(c)
	}
	return true
}

// aside answers a call in the background, or with an error if too many are being
// answered already.
func (b *Broker) aside(places chan struct{}, c *call, answer func(*call), full unix.Errno) {
	select {
	case places <- struct{}{}:
		// The descriptor stays open for this: Run waits before it closes it.
		b.done.Go(func() {
			answer(c)
			<-places
		})
	default:
		c.fail(full)
	}
}

func ioctl(fd int, number uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(number), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// size answers a call of statfs.
func (b *Broker) size(c *call) {
	path, err := c.path(0)
	if err != nil || !sizable(path) {
		c.goOn()
		return
	}
	var st unix.Statfs_t
	for {
		if err = unix.Statfs(path, &st); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.write(1, unsafe.Slice((*byte)(unsafe.Pointer(&st)), unsafe.Sizeof(st)), 0)
}

// look answers a call that opens a file or reads a link.
func (b *Broker) look(c *call) {
	at, reads := c.pathArgument()
	path, err := c.path(at)
	if err != nil {
		c.goOn()
		return
	}
	switch q := classify(path, b.procs); {
	case q == link && reads:
		target, err := os.Readlink(path)
		if err != nil {
			c.fail(errnoOf(err))
			return
		}
		text := []byte(target)
		text = text[:min(uint64(len(text)), c.request.call.args[at+2])]
		c.write(at+1, text, int64(len(text)))
	case q == content && !reads:
		c.give(contentOf(path))
	case q == folder && !reads:
		c.give(os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0))
	default:
		c.goOn()
	}
}

// contentOf returns a file in memory with the content of a small one. The kernel
// checks who reads a process's files, not who opened them.
func contentOf(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxContent))
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("vedette-content", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	memory := os.NewFile(uintptr(fd), "content")
	defer memory.Close()
	if _, err := memory.Write(text); err != nil {
		return nil, err
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", fd)) // from the start, and read-only
}

func errnoOf(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EACCES
}

// call is one call of the host that waits for its answer.
type call struct {
	listener int
	request  request
}

// valid reports whether the thread still waits. If so, the memory that was read
// before was that thread's.
func (c *call) valid() bool {
	return ioctl(c.listener, ioctlValid, unsafe.Pointer(&c.request.id)) == nil
}

// path copies the path that an argument points to.
func (c *call) path(argument int) (string, error) {
	address := uintptr(c.request.call.args[argument])
	var path strings.Builder
	for path.Len() < unix.PathMax {
		// One page at a time: the next one may not exist.
		page := uintptr(os.Getpagesize())
		buffer := make([]byte, min(page-address%page, uintptr(unix.PathMax-path.Len())))
		n, err := unix.ProcessVMReadv(int(c.request.pid),
			[]unix.Iovec{{Base: &buffer[0], Len: uint64(len(buffer))}},
			[]unix.RemoteIovec{{Base: address, Len: len(buffer)}}, 0)
		if err != nil {
			return "", err
		}
		text, _, end := strings.Cut(string(buffer[:n]), "\x00")
		path.WriteString(text)
		if end {
			if !c.valid() {
				return "", unix.ESRCH
			}
			return path.String(), nil
		}
		address += uintptr(n)
	}
	return "", unix.ENAMETOOLONG
}

// write writes data to the address in an argument, and answers with a value.
func (c *call) write(argument int, data []byte, value int64) {
	if !c.valid() {
		return
	}
	if len(data) > 0 {
		n, err := unix.ProcessVMWritev(int(c.request.pid),
			[]unix.Iovec{{Base: &data[0], Len: uint64(len(data))}},
			[]unix.RemoteIovec{{Base: uintptr(c.request.call.args[argument]), Len: len(data)}}, 0)
		if err != nil || n != len(data) {
			c.fail(unix.EFAULT)
			return
		}
	}
	c.answer(response{value: value})
}

// give answers with a descriptor of a file, and closes the file.
func (c *call) give(f *os.File, err error) {
	if err != nil {
		c.fail(errnoOf(err))
		return
	}
	defer f.Close()
	a := addition{id: c.request.id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, source: uint32(f.Fd()), newFlags: unix.O_CLOEXEC}
	if err := ioctl(c.listener, ioctlAdd, unsafe.Pointer(&a)); err != nil {
		c.fail(errnoOf(err))
	}
}

// fail answers with an error.
func (c *call) fail(err error) {
	errno, ok := err.(unix.Errno)
	if !ok {
		errno = unix.EIO
	}
	c.answer(response{errno: -int32(errno)})
}

// goOn lets the kernel make the call, with the rights of the host.
func (c *call) goOn() {
	c.answer(response{flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
}

// answer sends a response. It is no fault if nobody waits for it any more.
func (c *call) answer(r response) {
	r.id = c.request.id
	_ = ioctl(c.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}
