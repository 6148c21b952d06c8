package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// self is the running program, even if its file has been moved or replaced.
const self = "/proc/self/exe"

// Enter strips the process of everything that the settings in its environment do
// not leave it, and executes the program again with a Report in the environment.
// It returns if there are no settings: in that second life, or without an agent.
// After an error the process must not continue.
//
// It must be called before the program starts a goroutine that matters, and leaves
// no trace of the first life: same process, same arguments, same descriptors.
func Enter() error {
	text, given := os.LookupEnv(EnvSettings)
	if !given || os.Getenv(EnvReport) != "" {
		return nil
	}
	var s Settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("cannot read the sandbox in %s: %w", EnvSettings, err)
	}
	// The following is set for this thread, which is the one that survives.
	runtime.LockOSThread()
	report := s.enter()
	told, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("cannot tell of the sandbox: %w", err)
	}
	if err := syscall.Exec(self, os.Args, append(os.Environ(), EnvReport+"="+string(told))); err != nil {
		return fmt.Errorf("cannot run again within the sandbox: %w", err)
	}
	return nil
}

// enter sets every layer that can be set on the calling thread.
func (s *Settings) enter() *Report {
	report := &Report{}
	// Before writing is forbidden.
	if s.OOMScoreAdj > 0 {
		report.fault("offer itself first when memory runs out",
			os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(s.OOMScoreAdj)), 0))
	}
	if s.Name != "" {
		fd, err := unix.Open("/proc/self/comm", unix.O_WRONLY, 0) // survives the execution
		report.fault("name the process", err)
		report.Comm = max(fd, 0)
	}
	report.fault("give up gaining privileges", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))

	abi, rulesErr := landlockVersion()
	mountsErr := s.mounts(rulesErr != nil) // otherwise the rules hold back the homes
	report.set(LayerMounts, mountsErr)
	var rules *landlock
	if rulesErr == nil {
		// The files that they name are opened with the present rights.
		rules, rulesErr = s.landlockRules(abi, mountsErr == nil)
	}
	report.set(LayerUser, s.becomeUser())
	// A change of the user resets it.
	report.fault("end with the agent", unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0))
	if rulesErr == nil {
		rulesErr = rules.enforce()
	}
	report.set(LayerLandlock, rulesErr)
	return report
}

// becomeUser gives the thread another user and group and removes all capabilities.
func (s *Settings) becomeUser() error {
	if s.User == 0 {
		dropCapabilities()
		return errors.New(s.NoUser)
	}
	err := setUser(s.User)
	if err != nil {
		dropCapabilities()
	}
	return err
}

func setUser(user int) error {
	id := uintptr(user)
	if err := rawCall(unix.SYS_SETGROUPS, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot leave the agent's groups: %w", err)
	}
	if err := rawCall(unix.SYS_SETRESGID, id, id, id); err != nil {
		return fmt.Errorf("cannot become group %d: %w", user, err)
	}
	// The kernel removes every capability with it.
	if err := rawCall(unix.SYS_SETRESUID, id, id, id); err != nil {
		return fmt.Errorf("cannot become user %d: %w", user, err)
	}
	return nil
}

// dropCapabilities strips a root that must remain root of all rights beyond those
// of an owner of files. It does what it can.
func dropCapabilities() {
	if unix.Geteuid() != 0 {
		return
	}
	const locked = 1<<0 | 1<<1 // SECBIT_NOROOT and its lock: root gets no rights at the next execution
	_ = unix.Prctl(unix.PR_SET_SECUREBITS, locked, 0, 0, 0)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_ = unix.Capset(&header, &none[0])
}

// rawCall makes a system call for this thread alone. Package syscall would make it
// for all threads, which not every build can do.
func rawCall(number, a, b, c uintptr) error {
	if _, _, errno := syscall.RawSyscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

// UserFor returns the user that script hosts can become, or 0 and the reason why
// this process cannot give them another user.
func UserFor(wanted int) (user int, reason string) {
	if unix.Geteuid() != 0 {
		return 0, "the agent does not run as root"
	}
	if reason := lacksCapabilities(
		unix.CAP_SETUID, unix.CAP_SETGID,
		unix.CAP_CHOWN,        // for its folder of sockets
		unix.CAP_DAC_OVERRIDE, // to connect to it there
		unix.CAP_KILL,         // to end it
	); reason != "" {
		return 0, reason
	}
	var st unix.Stat_t
	if err := unix.Stat(self, &st); err != nil {
		return 0, fmt.Sprintf("cannot look at the agent's program: %v", err)
	}
	if st.Mode&0o005 != 0o005 {
		return 0, "other users may not run the agent's program; run: chmod o+rx on it"
	}
	return wanted, ""
}

// CannotHelp returns why this process cannot answer the calls of a script host,
// with another user or with its own, or "".
func CannotHelp(otherUser bool) string {
	if otherUser || unix.Geteuid() == 0 {
		return lacksCapabilities(unix.CAP_SYS_PTRACE) // to read the questions
	}
	const setting = "/proc/sys/kernel/yama/ptrace_scope"
	if scope, err := os.ReadFile(setting); err == nil && strings.TrimSpace(string(scope)) > "1" {
		return "the agent may not look at its own processes, because " + setting + " is " + strings.TrimSpace(string(scope))
	}
	return ""
}

// lacksCapabilities says which of some capabilities this process lacks, or returns
// "".
func lacksCapabilities(wanted ...int) string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return fmt.Sprintf("cannot read the agent's capabilities: %v", err)
	}
	names := map[int]string{
		unix.CAP_SETUID: "CAP_SETUID", unix.CAP_SETGID: "CAP_SETGID", unix.CAP_CHOWN: "CAP_CHOWN",
		unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE", unix.CAP_KILL: "CAP_KILL", unix.CAP_SYS_PTRACE: "CAP_SYS_PTRACE",
	}
	var lacking []string
	for _, c := range wanted {
		if caps[c/32].Effective&(1<<(c%32)) == 0 {
			lacking = append(lacking, names[c])
		}
	}
	if len(lacking) == 0 {
		return ""
	}
	return "the agent lacks " + strings.Join(lacking, ", ")
}

// Seal sets the last layer, the system calls, for every thread of the process.
// Everything that the process needs to start, above all its socket, must be there.
// It returns the report of all layers, and the settings.
func Seal() (Report, Settings) {
	var report Report
	var s Settings
	text := os.Getenv(EnvReport)
	if text == "" {
		return report, s
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		report.fault("read the report of the sandbox", err)
	}
	if err := json.Unmarshal([]byte(os.Getenv(EnvSettings)), &s); err != nil {
		report.fault("read the settings of the sandbox", err)
	}
	if report.Comm > 0 {
		_, err := unix.Write(report.Comm, []byte(s.Name))
		report.fault("name the process", err)
		_ = unix.Close(report.Comm)
	}
	if s.Sockets > 0 {
		_ = unix.Close(s.Sockets) // it can be written to
	}
	if !s.Watched {
		report.fault("hide its memory", HideMemory())
	}
	s.seal(&report)
	return report, s
}

// seal installs the filter of system calls, with a listener if there is a broker.
func (s *Settings) seal(report *Report) {
	filter := FilterOptions{
		PID: os.Getpid(), Net: s.Net, Unix: s.Unix, Connect: s.Broker > 0 && (s.Net || s.Unix),
		Help: s.Broker > 0 && !s.Watched, HelpOpen: s.Processes,
	}
	listener, err := installFilter(filter)
	if err != nil && filter.asks() {
		report.set(LayerBroker, err)
		filter.Help, filter.HelpOpen, filter.Connect = false, false, false
		_, err = installFilter(filter)
	} else if err == nil && filter.asks() {
		report.set(LayerBroker, handOver(s.Broker, listener))
	}
	if s.Broker > 0 {
		_ = unix.Close(s.Broker)
	}
	if s.NoBroker != "" {
		report.set(LayerBroker, errors.New(s.NoBroker))
	}
	report.set(LayerSeccomp, err)
}

// HideMemory keeps other processes of the same user from reading this one's
// memory, environment and open files. It also prevents core files, and keeps
// debuggers away unless they are root.
func HideMemory() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

// handOver lets the agent take the listener, and closes it here: a process that
// could answer itself would have no filter. It cannot be sent, because the filter
// stops the calls that send descriptors.
func handOver(socket, listener int) error {
	defer unix.Close(listener)
	said := binary.NativeEndian.AppendUint32(nil, uint32(os.Getpid()))
	said = binary.NativeEndian.AppendUint32(said, uint32(listener))
	if _, err := unix.Write(socket, said); err != nil {
		return fmt.Errorf("cannot tell the agent of the filter's listener: %w", err)
	}
	var answer [1]byte
	for {
		n, err := unix.Read(socket, answer[:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("cannot hear whether the agent has the filter's listener: %w", err)
		case n != 1 || answer[0] != 0:
			return errors.New("the agent cannot take the filter's listener; its log says why")
		default:
			return nil
		}
	}
}
