//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attack is something that code in a script host tries. It returns nil where it
// succeeds.
type attack struct {
	name    string
	harmful bool // not to be tried where nothing holds it off
	do      func(*stage) error
}

func attacks() []attack {
	var all []attack
	for _, family := range [][]attack{changing(), reading(), running(), networking(), meddling(), escaping()} {
		all = append(all, family...)
	}
	return all
}

// try makes a system call.
func try(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := syscall.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func text(s string) uintptr {
	p, err := unix.BytePtrFromString(s)
	if err != nil {
		panic(err)
	}
	return uintptr(unsafe.Pointer(p))
}

func write(path string) error { return os.WriteFile(path, []byte("x"), 0o666) }

// read returns nil where a file could be read and is not empty.
func read(path string) error {
	data, err := os.ReadFile(path)
	if err == nil && len(data) == 0 {
		return errors.New("it is empty")
	}
	return err
}

func changing() []attack {
	return []attack{
		{"write a file", false, func(s *stage) error { return write(filepath.Join(s.Dir, "new")) }},
		{"write a temporary file", false, func(*stage) error {
			f, err := os.CreateTemp("/tmp", "probe")
			if err != nil {
				return err
			}
			return errors.Join(f.Close(), os.Remove(f.Name()))
		}},
		{"write into shared memory", false, func(*stage) error {
			return errors.Join(write("/dev/shm/vedette-probe"), os.Remove("/dev/shm/vedette-probe"))
		}},
		{"write over a file", false, func(s *stage) error { return write(filepath.Join(s.Dir, "victim")) }},
		{"truncate", false, func(s *stage) error { return os.Truncate(filepath.Join(s.Dir, "victim"), 1) }},
		{"change a mode", false, func(s *stage) error { return os.Chmod(filepath.Join(s.Dir, "victim"), 0o777) }},
		{"change a mode by descriptor", false, func(s *stage) error {
			f, err := os.Open(filepath.Join(s.Granted, "good"))
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Chmod(0o777)
		}},
		{"change an owner", false, func(s *stage) error { return os.Chown(filepath.Join(s.Dir, "victim"), os.Getuid(), os.Getgid()) }},
		{"change times", false, func(s *stage) error {
			return os.Chtimes(filepath.Join(s.Dir, "victim"), time.Unix(1, 0), time.Unix(1, 0))
		}},
		{"make a folder", false, func(s *stage) error { return os.Mkdir(filepath.Join(s.Dir, "folder"), 0o777) }},
		{"make a link", false, func(s *stage) error {
			return os.Link(filepath.Join(s.Dir, "victim"), filepath.Join(s.Dir, "hard"))
		}},
		{"make a symbolic link", false, func(s *stage) error { return os.Symlink("x", filepath.Join(s.Dir, "soft")) }},
		{"make a pipe with a name", false, func(s *stage) error { return unix.Mkfifo(filepath.Join(s.Dir, "fifo"), 0o666) }},
		{"rename", false, func(s *stage) error {
			return os.Rename(filepath.Join(s.Dir, "victim"), filepath.Join(s.Dir, "victim2"))
		}},
		{"remove", false, func(s *stage) error { return os.Remove(filepath.Join(s.Dir, "victim2")) }},
		{"make a file without a name", false, func(s *stage) error {
			fd, err := unix.Open(s.Dir, unix.O_TMPFILE|unix.O_RDWR, 0o600)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{"make a file in memory", false, func(*stage) error {
			fd, err := unix.MemfdCreate("probe", 0)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{"write to its own score", false, func(*stage) error { return os.WriteFile("/proc/self/oom_score_adj", []byte("400"), 0) }},
	}
}

func reading() []attack {
	of := func(s *stage, name string) string { return fmt.Sprintf("/proc/%d/%s", s.Parent, name) }
	return []attack{
		{"read the token", false, func(s *stage) error { return read(s.Token) }},
		{"list the private folder", false, func(s *stage) error {
			entries, err := os.ReadDir(s.Private)
			if err == nil && len(entries) == 0 {
				return errors.New("it is empty")
			}
			return err
		}},
		{"read the token by a link", false, func(s *stage) error { return read(filepath.Join(s.Granted, "link")) }},
		{"read what nobody granted", false, func(s *stage) error { return read(filepath.Join(s.Dir, "bystander")) }},
		{"read the token by its own root", false, func(s *stage) error { return read("/proc/self/root" + s.Token) }},
		{"read the token by the agent's root", false, func(s *stage) error { return read(of(s, "root") + s.Token) }},
		{"read the token by the folder of the agent", false, func(s *stage) error { return read(of(s, "cwd") + s.Token) }},
		{"read the token by an open folder", false, func(s *stage) error {
			fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return read(fmt.Sprintf("/proc/self/fd/%d%s", fd, s.Token))
		}},
		{"read the shadow file", false, func(*stage) error { return read("/etc/shadow") }},
		{"list the home of root", false, func(*stage) error {
			entries, err := os.ReadDir("/root")
			if err == nil && len(entries) == 0 {
				return errors.New("it is empty")
			}
			return err
		}},
		{"read the agent's environment", false, func(s *stage) error { return read(of(s, "environ")) }},
		{"read the agent's environment by its thread", false, func(s *stage) error {
			return read(of(s, fmt.Sprintf("task/%d/environ", s.Parent)))
		}},
		{"open the agent's memory", false, func(s *stage) error {
			f, err := os.Open(of(s, "mem"))
			if err != nil {
				return err
			}
			return f.Close()
		}},
		{"read where the agent's memory is", false, func(s *stage) error { return read(of(s, "maps")) }},
		{"list what the agent has open", false, func(s *stage) error {
			_, err := os.ReadDir(of(s, "fd"))
			return err
		}},
		{"read the agent's memory", false, func(s *stage) error {
			buffer := make([]byte, 1)
			_, err := unix.ProcessVMReadv(s.Parent, []unix.Iovec{{Base: &buffer[0], Len: 1}},
				[]unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&landmark)), Len: 1}}, 0)
			if errors.Is(err, unix.EFAULT) {
				return nil // it was looked for
			}
			return err
		}},
	}
}

// landmark is something whose address is good in every process of this program.
var landmark = [1]byte{1}

func running() []attack {
	return []attack{
		{"execute a program", false, func(*stage) error { return exec.Command("/bin/true").Run() }},
		{"execute itself", false, func(*stage) error {
			again := exec.Command(self, "-test.run=^$")
			again.Env = []string{}
			return again.Run()
		}},
		{"become another program", true, func(*stage) error { return syscall.Exec("/bin/true", []string{"true"}, nil) }},
		{"execute a descriptor", true, func(*stage) error {
			fd, err := unix.Open(self, unix.O_PATH, 0)
			if err != nil {
				return err
			}
			return try(unix.SYS_EXECVEAT, uintptr(fd), text(""), 0, 0, unix.AT_EMPTY_PATH)
		}},
		{"make a process", true, func(*stage) error { return try(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) }},
		{"make a process that shares memory", true, func(*stage) error {
			return try(unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK|uintptr(unix.SIGCHLD))
		}},
		{"make a process in the new way", true, func(*stage) error { return try(unix.SYS_CLONE3, text("x"), 1) }},
	}
}

// socket makes a socket and does something with it.
func socket(family, kind, protocol int, use func(fd int) error) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	return errors.Join(use(fd), unix.Close(fd))
}

func networking() []attack {
	anyPort := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	bind := func(address unix.Sockaddr) func(int) error {
		return func(fd int) error { return unix.Bind(fd, address) }
	}
	return []attack{
		{"connect over TCP", false, func(s *stage) error { return dial("tcp", s.TCP) }},
		{"connect to a local socket", false, func(s *stage) error { return dial("unix", s.Unix) }},
		{"connect over UDP", false, func(s *stage) error { return dial("udp", s.TCP) }},
		{"send a message over UDP", false, func(*stage) error {
			return socket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error {
				return unix.Sendmsg(fd, []byte("x"), nil, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}, 0)
			})
		}},
		{"send over TCP without connecting", false, func(s *stage) error {
			address, err := net.ResolveTCPAddr("tcp", s.TCP)
			if err != nil {
				return err
			}
			return socket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
				return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Addr: [4]byte(address.IP.To4()), Port: address.Port})
			})
		}},
		{"connect elsewhere by changing the address", false, func(s *stage) error { return connectElsewhere(s.TCP, s.Other) }},
		{"connect to a name that is no file", false, func(s *stage) error { return dial("unix", s.Abstract) }},
		{"send over UDP", false, func(*stage) error {
			return socket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error {
				return unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9})
			})
		}},
		{"listen as Go does", false, func(*stage) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			return l.Close()
		}},
		{"bind over TCP", false, func(*stage) error { return socket(unix.AF_INET, unix.SOCK_STREAM, 0, bind(anyPort)) }},
		{"bind over UDP", false, func(*stage) error { return socket(unix.AF_INET, unix.SOCK_DGRAM, 0, bind(anyPort)) }},
		{"listen without binding", false, func(*stage) error {
			return socket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Listen(fd, 1) })
		}},
		{"listen on a local socket", false, func(s *stage) error {
			return socket(unix.AF_UNIX, unix.SOCK_STREAM, 0, bind(&unix.SockaddrUnix{Name: filepath.Join(s.Dir, "new-socket")}))
		}},
		{"bind a name that is no file", false, func(*stage) error {
			return socket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error {
				return errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: "@vedette-probe"}), unix.Listen(fd, 1))
			})
		}},
		{"see every packet", false, func(*stage) error {
			return socket(unix.AF_PACKET, unix.SOCK_RAW, 0, func(int) error { return nil })
		}},
		{"make raw packets", false, func(*stage) error {
			return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP, func(int) error { return nil })
		}},
	}
}

// connectElsewhere asks to be connected to one address and, while somebody looks
// at that, writes another one in its place.
func connectElsewhere(shown, wanted string) error {
	first, err := net.ResolveTCPAddr("tcp", shown)
	if err != nil {
		return err
	}
	second, err := net.ResolveTCPAddr("tcp", wanted)
	if err != nil {
		return err
	}
	address := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte(first.IP.To4())}
	raw := (*atomic.Uint32)(unsafe.Pointer(&address)) // family and port
	with := func(port int) uint32 {
		a := unix.RawSockaddrInet4{Family: unix.AF_INET}
		*(*[2]byte)(unsafe.Pointer(&a.Port)) = [2]byte{byte(port >> 8), byte(port)}
		return *(*uint32)(unsafe.Pointer(&a))
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				raw.Store(with(first.Port))
				raw.Store(with(second.Port))
			}
		}
	}()
	defer func() {
		close(stop)
		<-done
	}()
	for i := range 200 {
		reached := false
		raw.Store(with([]int{first.Port, second.Port}[i%2])) // where the other goroutine does not get to run
		runtime.Gosched()
		err := socket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
			if err := try(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&address)), unsafe.Sizeof(address)); err != nil {
				return nil
			}
			peer, err := unix.Getpeername(fd)
			if p, ok := peer.(*unix.SockaddrInet4); ok && err == nil {
				reached = p.Port == second.Port
			}
			return nil
		})
		if err != nil {
			return err
		}
		if reached {
			return nil
		}
	}
	return errors.New("it was never connected elsewhere")
}

func dial(network, address string) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func meddling() []attack {
	return []attack{
		{"signal the agent", false, func(s *stage) error { return unix.Kill(s.Parent, unix.SIGCONT) }},
		{"signal a thread of the agent", false, func(s *stage) error { return unix.Tgkill(s.Parent, s.Parent, unix.SIGCONT) }},
		{"signal the agent by a descriptor", false, func(s *stage) error {
			fd, err := unix.PidfdOpen(s.Parent, 0)
			if err != nil {
				return err
			}
			return errors.Join(unix.PidfdSendSignal(fd, unix.SIGCONT, nil, 0), unix.Close(fd))
		}},
		{"have the kernel signal the agent", false, func(s *stage) error {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			defer r.Close()
			defer w.Close()
			_, err = unix.FcntlInt(r.Fd(), unix.F_SETOWN, s.Parent)
			return err
		}},
		{"trace the agent", true, func(s *stage) error { return try(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(s.Parent), 0, 0) }},
		{"write into the agent's memory", true, func(s *stage) error {
			f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", s.Parent), os.O_RDWR, 0)
			if err != nil {
				return err
			}
			return f.Close()
		}},
		{"slow the agent down", false, func(s *stage) error { return unix.Setpriority(unix.PRIO_PROCESS, s.Parent, 19) }},
		{"hurry itself", false, func(*stage) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, 5) }},
		{"lift its limits", false, func(*stage) error {
			var limit unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
				return err
			}
			return unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil)
		}},
		{"choose its processors", false, func(*stage) error {
			var set unix.CPUSet
			if err := unix.SchedGetaffinity(0, &set); err != nil {
				return err
			}
			return unix.SchedSetaffinity(0, &set)
		}},
	}
}

func escaping() []attack {
	return []attack{
		{"become root", true, func(*stage) error { return rawCall(unix.SYS_SETRESUID, 0, 0, 0) }},
		{"join a group", true, func(*stage) error { return rawCall(unix.SYS_SETGROUPS, 0, 0, 0) }},
		{"keep rights", false, func(*stage) error { return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0) }},
		{"show its memory", false, func(*stage) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }},
		{"mount", true, func(s *stage) error { return unix.Mount("x", s.Dir, "tmpfs", 0, "") }},
		{"unmount", true, func(s *stage) error { return unix.Unmount(s.Private, unix.MNT_DETACH) }},
		{"make the file system writable", true, func(*stage) error {
			return unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
		}},
		{"get a view of its own", true, func(*stage) error { return unix.Unshare(unix.CLONE_NEWNS) }},
		{"get users of its own", true, func(*stage) error { return unix.Unshare(unix.CLONE_NEWUSER) }},
		{"enter the agent's view", true, func(s *stage) error {
			fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/mnt", s.Parent), unix.O_RDONLY, 0)
			if err != nil {
				return err
			}
			return unix.Setns(fd, unix.CLONE_NEWNS)
		}},
		{"change its root", true, func(s *stage) error { return unix.Chroot(s.Dir) }},
		{"change its folder", true, func(*stage) error { return unix.Chdir("/proc") }},
		{"open in the new way", false, func(s *stage) error {
			fd, err := unix.Openat2(unix.AT_FDCWD, filepath.Join(s.Granted, "good"), &unix.OpenHow{Flags: unix.O_RDONLY})
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{"open by a handle", true, func(s *stage) error {
			fd, err := unix.OpenByHandleAt(0, unix.NewFileHandle(1, []byte("12345678")), unix.O_RDONLY)
			if errors.Is(err, unix.ESTALE) || errors.Is(err, unix.EINVAL) {
				return nil // it was looked for
			}
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{"use a ring", true, func(*stage) error { return try(unix.SYS_IO_URING_SETUP, 1, text(string(make([]byte, 0)))) }},
		{"load a program into the kernel", true, func(*stage) error { return try(unix.SYS_BPF, 0, 0, 0) }},
		{"load a module", true, func(*stage) error { return try(unix.SYS_INIT_MODULE, 0, 0, 0) }},
		{"watch the processor", true, func(*stage) error { return try(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0) }},
		{"read keys", true, func(*stage) error { return try(unix.SYS_KEYCTL, 0, ^uintptr(2), 1) }},
		{"catch page faults", true, func(*stage) error { return try(unix.SYS_USERFAULTFD, 0) }},
		{"type into a terminal", true, func(*stage) error { return try(unix.SYS_IOCTL, 0, unix.TIOCSTI, text("x")) }},
		{"put another filter over it", true, func(*stage) error {
			program := []unix.SockFilter{{Code: ret, K: allow}}
			prog := unix.SockFprog{Len: 1, Filter: &program[0]}
			return try(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
		}},
	}
}

// duties are what a script host must be able to do in its sandbox.
func duties() []attack {
	reads := func(path string) func(*stage) error { return func(*stage) error { return read(path) } }
	return []attack{
		{"read what was granted", false, func(s *stage) error { return read(filepath.Join(s.Granted, "good")) }},
		{"read the system", false, reads("/proc/stat")},
		{"read connections", false, reads("/proc/net/tcp")},
		{"read mounts", false, reads("/proc/1/mountinfo")},
		{"read about the agent", false, func(s *stage) error { return read(fmt.Sprintf("/proc/%d/stat", s.Parent)) }},
		{"read users", false, reads("/etc/passwd")},
		{"list interfaces", false, func(*stage) error {
			_, err := net.Interfaces()
			return err
		}},
		{"ask for the size of a file system", false, func(*stage) error {
			var st unix.Statfs_t
			return unix.Statfs("/", &st)
		}},
		{"run threads and collect garbage", false, func(*stage) error {
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					runtime.LockOSThread() // a thread each, which ends with it
					data := make([][]byte, 64)
					for i := range data {
						data[i] = bytes.Repeat([]byte("x"), 1<<12)
					}
					runtime.GC()
				})
			}
			group.Wait()
			return nil
		}},
		{"know the time zone", false, func(*stage) error {
			_, err := time.LoadLocation("UTC")
			return err
		}},
		{"be called what it is", false, func(s *stage) error {
			if s.Control {
				return nil
			}
			name, err := os.ReadFile("/proc/self/comm")
			if err == nil && string(name) != "probe\n" {
				err = fmt.Errorf("it is called %q", name)
			}
			return err
		}},
	}
}
