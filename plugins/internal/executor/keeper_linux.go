package executor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/plugins/internal/sandbox"
)

// Asked reports whether this process was started as a keeper.
func Asked() bool { return os.Getenv(EnvKeeper) != "" }

// Keep is the main function of a keeper. It runs the program that its order names,
// and returns the exit status when nothing of the program is left.
func Keep() int {
	// The thread with the id of the process stays unconfined. The program's own
	// rules keep it from sending signals to processes outside of it, this one
	// included.
	runtime.LockOSThread()
	results := os.NewFile(resultFD, "results")
	unix.CloseOnExec(resultFD)
	// The descriptors that the agent itself inherited are not for programs. Linux
	// 5.11.
	_ = unix.CloseRange(resultFD+1, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	var o order
	orders := json.NewDecoder(os.Stdin)
	if err := orders.Decode(&o); err != nil {
		return 1 // called off
	}
	var r result
	if err := o.keep(&r); err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(results).Encode(&r); err != nil {
		return 1
	}
	return 0
}

// keep runs the program.
func (o *order) keep(r *result) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot look after what it leaves behind: %w", err)
	}
	started := make(chan error, 1)
	pid := 0
	go func() {
		// Never unlocked, and never ended: the program ends with the thread that
		// started it.
		runtime.LockOSThread()
		var err error
		pid, err = o.start(r)
		started <- err
		select {}
	}()
	if err := <-started; err != nil {
		return err
	}
	p := &program{pid: pid}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // to its end
		p.end()
	}()
	return p.await(r)
}

// program is the process that a keeper runs.
type program struct {
	pid int

	mu     sync.Mutex
	reaped bool // guarded by mu: its process id may be reused
}

// await waits for the end of the program, and then kills all processes that it has
// left behind and waits for their end.
func (p *program) await(r *result) error {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("cannot wait for its end: %w", err)
		}
	}
	p.end()
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	for {
		var status syscall.WaitStatus
		child, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.ECHILD):
			return nil
		case err != nil:
			return fmt.Errorf("cannot wait for what it left behind: %w", err)
		}
		if child == p.pid {
			r.Code, r.Reason = reasonOf(status)
		}
		p.end() // the children of that child now belong to this process
	}
}

// end kills the program with its group, and every other child of this process.
func (p *program) end() {
	p.mu.Lock()
	if !p.reaped {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // ESRCH when none is left
	}
	p.mu.Unlock()
	for _, child := range children() {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
}

// children returns the child processes of this process. It may miss some while
// they come and go.
func children() []int {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	self := strconv.Itoa(os.Getpid())
	var list []int
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		// PID (NAME) STATE PARENT ...; the name may have any characters.
		words := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(words) > 1 && string(words[1]) == self {
			list = append(list, pid)
		}
	}
	return list
}

// start starts the program from the calling thread, which it confines first.
func (o *order) start(r *result) (pid int, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	if r.Missing, err = o.confine(); err != nil {
		return 0, err
	}
	attributes := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if o.User > 0 {
		id := uint32(o.User)
		attributes.Credential = &syscall.Credential{Uid: id, Gid: id} // and no other group
	}
	pid, err = syscall.ForkExec(o.Path, append([]string{o.Path}, o.Args...), &syscall.ProcAttr{
		Dir: "/", Env: environment(), Files: []uintptr{null.Fd(), 1, 2}, Sys: attributes,
	})
	if err != nil {
		return 0, err
	}
	if o.OOMScoreAdj > 0 {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(strconv.Itoa(o.OOMScoreAdj)), 0)
	}
	return pid, nil
}

// confine strips the calling thread of everything that the program does not need.
// missing lists the parts that the system cannot do; after an error the program
// must not run.
func (o *order) confine() (missing []string, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("cannot keep it from gaining rights: %w", err)
	}
	if o.User == 0 && os.Geteuid() == 0 {
		return nil, errors.New("it would run as root")
	}
	limit := func(what string, resource int, n uint64) {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			missing = append(missing, fmt.Sprintf("cannot limit the %s of programs: %v", what, err))
		}
	}
	limit("core files", unix.RLIMIT_CORE, 0)
	if o.DataBytes > 0 {
		limit("memory", unix.RLIMIT_DATA, uint64(o.DataBytes))
	}
	if o.Files > 0 {
		limit("open files", unix.RLIMIT_NOFILE, uint64(o.Files))
	}
	if o.CPUSeconds > 0 {
		limit("processor time", unix.RLIMIT_CPU, o.CPUSeconds)
	}
	if o.User > 0 {
		limit("processes", unix.RLIMIT_NPROC, maxProcesses)
	}
	for _, err := range sandbox.ConfineProgram(o.Private) {
		missing = append(missing, err.Error())
	}
	return missing, nil
}

// maxProcesses is how many processes and threads the user of the scripts may have
// for a program to start one more.
const maxProcesses = 512
