//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/internal/statfs"
)

// FilterOptions say which system calls a filter lets through.
type FilterOptions struct {
	// PID is the process itself, the only one that it may signal.
	PID int
	// Net lets it make sockets for connections over IP, Unix sockets for those
	// within the file system.
	Net, Unix bool
	// Connect makes the agent open the connections. Without it there are none.
	Connect bool
	// Help lets the agent answer what a user without rights may not know about
	// file systems, HelpOpen also for files in /proc.
	Help, HelpOpen bool
}

// asks reports whether the agent is asked anything.
func (o FilterOptions) asks() bool { return o.Help || o.HelpOpen || o.Connect }

// The layout of a filter's input (struct seccomp_data).
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16 // each of 8 bytes, the low half first
)

// Instructions of a filter.
const (
	load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	and       = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	ret       = unix.BPF_RET | unix.BPF_K
	jumpEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jumpLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
)

// Verdicts on a call.
const (
	allow   = unix.SECCOMP_RET_ALLOW
	ask     = unix.SECCOMP_RET_USER_NOTIF
	deny    = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS) // a library then uses the older call
)

// condition is a demand on an argument. Arguments here are numbers of 32 bits,
// whose upper half the kernel ignores, or addresses, which are compared with 0.
type condition struct {
	arg   int
	wide  bool     // the upper half counts too, and must be 0
	mask  uint32   // of the bits that count
	among []uint32 // the allowed values
}

// rule decides about one system call: verdict if all conditions hold; otherwise
// what it says, or EPERM if it says nothing.
type rule struct {
	number    uint32
	when      []condition
	verdict   uint32
	otherwise uint32
}

const allBits = ^uint32(0)

// is demands that an argument is one of some numbers.
func is(arg int, values ...uint32) condition {
	return condition{arg: arg, mask: allBits, among: values}
}

// lacks demands that some bits of an argument are not set.
func lacks(arg int, bits uint32) condition {
	return condition{arg: arg, mask: bits, among: []uint32{0}}
}

// has demands that all of some bits are set.
func has(arg int, bits uint32) condition {
	return condition{arg: arg, mask: bits, among: []uint32{bits}}
}

// null demands that an argument is a nil pointer.
func null(arg int) condition {
	return condition{arg: arg, wide: true, mask: allBits, among: []uint32{0}}
}

// writing are the flags of open that allow a file to be changed.
const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND | (unix.O_TMPFILE &^ unix.O_DIRECTORY)

// netlinkAddress is the length of an address of AF_NETLINK. Bind is needed to ask
// the kernel for its interfaces. No other address that can be bound is so short,
// except that of a nameless local socket.
const netlinkAddress = unix.SizeofSockaddrNetlink

// Numbers of ioctl calls that package unix does not name; they are the same
// everywhere (asm-generic/ioctls.h).
const (
	ioctlNonblocking = 0x5421 // FIONBIO
	ioctlCloseOnExec = 0x5451 // FIOCLEX
)

// rules are the calls that are examined more closely, and those that the agent is
// asked about or that are unknown. All in calls are allowed; any call that is in
// neither is denied.
func (o FilterOptions) rules() []rule {
	self, group := uint32(o.PID), uint32(-int32(o.PID))
	open := uint32(allow)
	if o.HelpOpen {
		open = ask
	}
	rules := []rule{
		{number: unix.SYS_OPENAT, when: []condition{lacks(2, writing)}, verdict: open},
		{number: unix.SYS_READLINKAT, verdict: open},
		{number: unix.SYS_OPENAT2, verdict: unknown},
		{number: unix.SYS_CLONE3, verdict: unknown},
		// Threads, but no processes.
		{number: unix.SYS_CLONE, when: []condition{has(0, unix.CLONE_THREAD|unix.CLONE_VM|unix.CLONE_SIGHAND), lacks(0, newNamespaces)}, verdict: allow},
		{number: unix.SYS_TGKILL, when: []condition{is(0, self)}, verdict: allow},
		{number: unix.SYS_KILL, when: []condition{is(0, self, group)}, verdict: allow},
		{
			number: unix.SYS_FCNTL, when: []condition{is(1, unix.F_DUPFD, unix.F_DUPFD_CLOEXEC, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL)},
			verdict: allow,
		},
		{number: unix.SYS_IOCTL, when: []condition{is(1, unix.TCGETS, unix.TIOCINQ, ioctlNonblocking, ioctlCloseOnExec)}, verdict: allow},
		{number: unix.SYS_PRCTL, when: []condition{is(0, unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_SET_VMA, unix.PR_GET_DUMPABLE)}, verdict: allow},
		{number: unix.SYS_PRLIMIT64, when: []condition{is(0, 0, self), null(2)}, verdict: allow},
		{number: unix.SYS_BIND, when: []condition{is(2, netlinkAddress)}, verdict: allow},
	}
	rules = append(rules, o.socketRules()...)
	if o.Help {
		rules = append(rules, rule{number: unix.SYS_STATFS, when: []condition{is(2, statfs.Mark)}, verdict: ask, otherwise: allow})
	} else {
		rules = append(rules, rule{number: unix.SYS_STATFS, verdict: allow})
	}
	return append(rules, archRules(open)...)
}

// newNamespaces are the flags of clone that make namespaces.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// socketRules allow sockets for permitted connections. The sockets that ask the
// kernel for its interfaces are always allowed.
func (o FilterOptions) socketRules() []rule {
	families := []uint32{unix.AF_NETLINK}
	if o.Net {
		families = append(families, unix.AF_INET, unix.AF_INET6)
	}
	if o.Unix {
		families = append(families, unix.AF_UNIX)
	}
	// No raw sockets: they see the traffic of others. Those of netlink are called
	// raw and are not.
	const kind = 0xf
	types := condition{arg: 1, mask: kind, among: []uint32{unix.SOCK_STREAM, unix.SOCK_DGRAM}}
	protocols := is(2, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP)
	if !o.Net && !o.Unix {
		types.among = []uint32{unix.SOCK_RAW, unix.SOCK_DGRAM}
		protocols = is(2, unix.NETLINK_ROUTE)
	} else {
		types.among = append(types.among, unix.SOCK_RAW) // needs a right that the process lacks
	}
	rules := []rule{{number: unix.SYS_SOCKET, when: []condition{is(0, families...), types, protocols}, verdict: allow}}
	if o.Connect {
		rules = append(rules, rule{number: unix.SYS_CONNECT, verdict: ask})
	}
	// Sending to an address needs no connection. The sockets that ask the kernel
	// have to send to it; no IP address is as short as the kernel's.
	rules = append(rules, rule{number: unix.SYS_SENDTO, when: []condition{is(5, 0, netlinkAddress)}, verdict: allow})
	if !o.Net && !o.Unix {
		// These have addresses too, which a filter cannot see.
		rules = append(rules, rule{number: unix.SYS_SENDMSG, verdict: allow}, rule{number: unix.SYS_SENDMMSG, verdict: allow})
	}
	return rules
}

// program assembles the filter.
func (o FilterOptions) program() []unix.SockFilter {
	at := func(offset uint32) unix.SockFilter { return unix.SockFilter{Code: load, K: offset} }
	p := []unix.SockFilter{
		at(offsetArch),
		{Code: jumpEqual, K: auditArch, Jt: 1},
		{Code: ret, K: deny},
		at(offsetNumber),
	}
	if foreignNumbers != 0 {
		p = append(p,
			unix.SockFilter{Code: jumpLeast, K: foreignNumbers, Jf: 1},
			unix.SockFilter{Code: ret, K: deny})
	}
	// The kernel remembers the calls for which it need not run the filter, so a
	// long list costs nothing.
	for _, number := range calls() {
		p = append(p,
			unix.SockFilter{Code: jumpEqual, K: number, Jf: 1},
			unix.SockFilter{Code: ret, K: allow})
	}
	for _, r := range o.rules() {
		body := r.body()
		p = append(p, unix.SockFilter{Code: jumpEqual, K: r.number, Jf: uint8(len(body))})
		p = append(p, body...)
	}
	return append(p, unix.SockFilter{Code: ret, K: deny})
}

// body is the code for the call of a rule. It always returns.
func (r rule) body() []unix.SockFilter {
	var p []unix.SockFilter
	otherwise := r.otherwise
	if otherwise == 0 {
		otherwise = deny
	}
	for _, c := range r.when {
		p = append(p, c.check(otherwise)...)
	}
	return append(p, unix.SockFilter{Code: ret, K: r.verdict})
}

// check continues after itself if the condition holds, and otherwise returns a
// verdict.
func (c condition) check(otherwise uint32) []unix.SockFilter {
	low := uint32(offsetArgs + 8*c.arg)
	var p []unix.SockFilter
	if c.wide {
		p = append(p,
			unix.SockFilter{Code: load, K: low + 4},
			unix.SockFilter{Code: jumpEqual, K: 0, Jt: 1},
			unix.SockFilter{Code: ret, K: otherwise})
	}
	p = append(p, unix.SockFilter{Code: load, K: low})
	if c.mask != allBits {
		p = append(p, unix.SockFilter{Code: and, K: c.mask})
	}
	for i, value := range c.among {
		p = append(p, unix.SockFilter{Code: jumpEqual, K: value, Jt: uint8(len(c.among) - i)})
	}
	return append(p, unix.SockFilter{Code: ret, K: otherwise})
}

// installFilter puts the filter in force for every thread of the process. It
// returns the listener for the calls that the agent is asked about, or 0 if there
// are none.
func installFilter(o FilterOptions) (listener int, err error) {
	program := o.program()
	if len(program) > 4096 { // BPF_MAXINSNS
		return 0, fmt.Errorf("the filter has %d instructions", len(program))
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)}
	flags := uintptr(unix.SECCOMP_FILTER_FLAG_TSYNC)
	var waitKillable uintptr
	if o.asks() {
		flags |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
		// A signal, such as those that the runtime sends, does not make a call ask
		// again.
		waitKillable = unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	}
	install := func(flags uintptr) (uintptr, syscall.Errno) {
		fd, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
		return fd, errno
	}
	fd, errno := install(flags | waitKillable)
	if errno == unix.EINVAL && waitKillable != 0 {
		fd, errno = install(flags) // before Linux 5.19
	}
	if errno != 0 {
		return 0, fmt.Errorf("cannot install the filter of system calls: %w", errno)
	}
	return int(fd), nil
}

// calls are the system calls that are always allowed: to compute, to wait, to read
// what is open or may be opened, and to use existing connections.
func calls() []uint32 {
	common := []uint32{
		// the most frequent calls first
		unix.SYS_FUTEX, unix.SYS_READ, unix.SYS_WRITE, unix.SYS_EPOLL_PWAIT, unix.SYS_CLOSE, unix.SYS_NANOSLEEP,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_CLOCK_GETTIME,
		// memory
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_MPROTECT, unix.SYS_MINCORE, unix.SYS_BRK,
		unix.SYS_MEMBARRIER,
		// threads and signals of this process
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGTIMEDWAIT,
		unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SET_TID_ADDRESS,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPRIORITY,
		unix.SYS_SETITIMER, unix.SYS_GETITIMER, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE,
		// files
		unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_LSEEK,
		unix.SYS_FSTAT, newFstatat, unix.SYS_STATX, unix.SYS_FSTATFS, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2,
		unix.SYS_GETDENTS64, unix.SYS_GETCWD, unix.SYS_FADVISE64, unix.SYS_READAHEAD,
		unix.SYS_DUP, unix.SYS_DUP3, unix.SYS_CLOSE_RANGE, unix.SYS_PIPE2, unix.SYS_EVENTFD2,
		unix.SYS_SENDFILE, unix.SYS_SPLICE, unix.SYS_TEE, unix.SYS_COPY_FILE_RANGE,
		// waiting
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT2, unix.SYS_PPOLL, unix.SYS_PSELECT6,
		unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
		// existing connections
		unix.SYS_ACCEPT4, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
		unix.SYS_SHUTDOWN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SETSOCKOPT, unix.SYS_GETSOCKOPT,
		// identity and location
		unix.SYS_GETPPID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID, unix.SYS_GETRESUID, unix.SYS_GETRESGID,
		unix.SYS_GETGROUPS, unix.SYS_GETPGID, unix.SYS_GETSID, unix.SYS_CAPGET,
		unix.SYS_UNAME, unix.SYS_SYSINFO, unix.SYS_GETRANDOM, unix.SYS_GETCPU, unix.SYS_GETRUSAGE, unix.SYS_TIMES,
	}
	return slices.Concat(common, archCalls())
}
