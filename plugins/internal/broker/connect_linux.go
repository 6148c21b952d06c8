package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxConnects is how many connections of one host are opened at once.
const maxConnects = 32

// maxAddress is the length of the longest address, that of a local socket.
const maxAddress = unix.SizeofSockaddrUnix

// connect answers a call of connect. The host may change its memory meanwhile, so
// the agent itself connects a copy of the host's descriptor, to the address that
// it has checked.
func (b *Broker) connect(c *call) {
	address, err := c.memory(1, c.request.call.args[2], maxAddress)
	if err != nil {
		b.blind.Do(func() {
			b.log.Warn("script hosts get no connections, because the agent cannot see the addresses", "reason", err,
				"fix", "give the agent CAP_SYS_PTRACE, or set kernel.yama.ptrace_scope to 0 or 1")
		})
		c.fail(unix.EACCES)
		return
	}
	fd, err := c.descriptor(0)
	if err != nil {
		c.fail(errnoOf(err))
		return
	}
	defer unix.Close(fd)
	switch family := familyOf(address); family {
	case unix.AF_UNSPEC: // ends a connection
		err = connectTo(fd, address)
	case unix.AF_INET, unix.AF_INET6:
		to, ok := addrPortOf(address)
		switch {
		case !ok:
			err = unix.EINVAL
		case b.mayConnect(to):
			err = connectTo(fd, address)
		default:
			err = unix.EACCES
		}
	case unix.AF_UNIX:
		err = b.connectLocal(fd, address)
	default:
		err = unix.EACCES
	}
	if err != nil {
		c.fail(errnoOf(err))
		return
	}
	c.answer(response{})
}

// mayConnect reports whether the host may reach an address. Names are looked up
// again if they did not have that address before.
func (b *Broker) mayConnect(to netip.AddrPort) bool {
	return b.reach.allows(to, b.names.remembered) || b.reach.allows(to, b.names.ask)
}

func familyOf(address []byte) int {
	if len(address) < 2 {
		return -1
	}
	return int(binary.NativeEndian.Uint16(address))
}

// addrPortOf reads an IPv4 or IPv6 address.
func addrPortOf(address []byte) (to netip.AddrPort, ok bool) {
	if len(address) < unix.SizeofSockaddrInet4 {
		return to, false
	}
	port := binary.BigEndian.Uint16(address[2:])
	if familyOf(address) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[4:8])), port), true
	}
	if len(address) < unix.SizeofSockaddrInet6-4 { // the interface number may be missing
		return to, false
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(address[8:24])).Unmap(), port), true
}

func connectTo(fd int, address []byte) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address)))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// connectLocal connects to a socket in the file system, as the user of the host,
// so that the listener and the permissions see that user.
func (b *Broker) connectLocal(fd int, address []byte) error {
	path, _, _ := bytes.Cut(address[2:], []byte{0})
	if !filepath.IsAbs(string(path)) { // and sockets that are not files
		return unix.EACCES
	}
	var err error
	onThread(func() {
		if b.reach.User != 0 {
			if err = becomeThread(b.reach.User); err != nil {
				return
			}
		}
		err = b.connectPath(fd, string(path))
	})
	return err
}

// connectPath connects to exactly the socket that was checked, even if its path
// has changed since.
func (b *Broker) connectPath(fd int, path string) error {
	place, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(place)
	link := "/proc/self/fd/" + strconv.Itoa(place)
	real, err := os.Readlink(link)
	if err != nil {
		return errnoOf(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(place, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK || !b.reach.holdsSocket(real) {
		return unix.EACCES
	}
	address := binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX)
	return connectTo(fd, append(append(address, link...), 0))
}

// onThread runs f on a thread that ends with it. It is not the first thread of the
// process, whose user is the one that /proc shows.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked, so that no other goroutine gets the thread
		if unix.Gettid() == unix.Getpid() {
			onThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}

// becomeThread gives this thread alone another user and group, and takes all its
// rights.
func becomeThread(user int) error {
	id := uintptr(user)
	for _, call := range [][4]uintptr{{unix.SYS_SETGROUPS}, {unix.SYS_SETRESGID, id, id, id}, {unix.SYS_SETRESUID, id, id, id}} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	return nil
}

// memory copies the memory at the address in an argument.
func (c *call) memory(argument int, size, most uint64) ([]byte, error) {
	if size < 2 || size > most {
		return nil, unix.EINVAL
	}
	data := make([]byte, size)
	n, err := unix.ProcessVMReadv(int(c.request.pid),
		[]unix.Iovec{{Base: &data[0], Len: size}},
		[]unix.RemoteIovec{{Base: uintptr(c.request.call.args[argument]), Len: int(size)}}, 0)
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, unix.EFAULT
	}
	if !c.valid() {
		return nil, unix.ESRCH
	}
	return data, nil
}

// descriptor returns a copy of the descriptor in an argument.
func (c *call) descriptor(argument int) (int, error) {
	process, err := processOf(int(c.request.pid))
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	fd, err := unix.PidfdGetfd(process, int(int32(c.request.call.args[argument])), 0)
	if err != nil {
		return 0, err
	}
	if !c.valid() {
		_ = unix.Close(fd)
		return 0, unix.ESRCH
	}
	return fd, nil
}

// processOf opens the process of a thread.
func processOf(thread int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "\nTgid:")
	line, _, _ := strings.Cut(rest, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, fmt.Errorf("cannot tell the process of thread %d: %w", thread, err)
	}
	return unix.PidfdOpen(pid, 0)
}
