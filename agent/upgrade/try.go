package upgrade

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// variable tells a program that it is on trial, and where to report that it does well.
	variable = "VEDETTE_UPGRADE_FD"
	// well is that report.
	well = "well\n"
	// stopWithin is how long a program may take to stop after it has done well.
	stopWithin = 90 * time.Second
	// beatEvery is how often the service manager gets a sign of life during a trial.
	beatEvery = time.Second
)

// Trial is how a program is tried.
type Trial struct {
	Args    []string // those of this process, from the first
	Environ []string // as this process found it
	Beat    func()   // called every now and then meanwhile
}

// Try tries a program in place of an agent that has stopped. It returns the program that
// this process must become: the new one, or its present one. It returns "" if ctx has
// ended and the process should stop.
func (u *Upgrader) Try(ctx context.Context, c Candidate, t Trial) string {
	err := u.try(ctx, c, t)
	_ = os.Remove(u.staged())
	switch {
	case err == nil:
		return u.File
	case ctx.Err() != nil: // the agent is stopped, and nobody was killed
		if j, err := readJournal(u.Data); err == nil && j.Revision == c.Revision && j.Attempts > 0 {
			j.Attempts--
			if err := j.write(u.Data); err != nil {
				u.Log.Error("a stop counts as a failed attempt to run the new program", "reason", err)
			}
		}
		return ""
	}
	u.Log.Error("the agent goes back to the program that it had", "reason", err)
	j := journal{Revision: c.Revision, Failure: "the host went back to the program that it had: " + err.Error()}
	if before, err := readJournal(u.Data); err == nil && !c.back {
		j.SHA256, j.Before = before.SHA256, before.Before
	}
	if err := j.write(u.Data); err != nil {
		u.Log.Error("the upgrade may be tried again", "reason", err)
	}
	if _, err := os.Stat(u.File); err != nil {
		return "/proc/self/exe" // somebody has taken the file away
	}
	return u.File
}

func (u *Upgrader) try(ctx context.Context, c Candidate, t Trial) error {
	own, err := u.own()
	if err != nil {
		return err
	}
	j, err := readJournal(u.Data)
	if err != nil {
		return err
	}
	if j.Revision != c.Revision {
		j.Revision, j.Attempts = c.Revision, 0
	}
	if j.Attempts++; j.Attempts > maxAttempts {
		return fmt.Errorf("it was tried %d times, and the agent was killed each time", maxAttempts)
	}
	j.Failure = ""
	if err := j.write(u.Data); err != nil {
		return err
	}
	if err := u.runs(ctx, t); err != nil {
		return err
	}
	done := journal{Revision: c.Revision, SHA256: c.SHA256, Before: own}
	if c.back {
		done = journal{}
	}
	if err := done.write(u.Data); err != nil {
		return err
	}
	return replace(u.File, u.staged())
}

// runs runs the new program until it has reported that it does well, and stops it.
func (u *Upgrader) runs(ctx context.Context, t Trial) error {
	said, says, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot try the new program: %w", err)
	}
	defer said.Close()
	cmd := exec.Command(u.staged(), t.Args[1:]...)
	cmd.Args[0] = t.Args[0]
	for _, v := range t.Environ { // the service manager waits for this process, not for that
		if name, _, _ := strings.Cut(v, "="); name != "NOTIFY_SOCKET" && name != "WATCHDOG_USEC" && name != "WATCHDOG_PID" {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, variable+"=3")
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = []*os.File{says}, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the child dies with the thread that started it
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	err = <-started
	_ = says.Close()
	if err != nil {
		return fmt.Errorf("cannot start the new program: %w", err)
	}
	told := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(said).ReadString('\n')
		told <- line == well
	}()
	return u.watch(ctx, cmd.Process, t, told, ended)
}

// watch waits until the new program does well, and then until it has stopped. After an
// error the program is dead.
func (u *Upgrader) watch(ctx context.Context, child *os.Process, t Trial, told <-chan bool, ended <-chan error) (err error) {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	late := time.NewTimer(u.Host.Within)
	defer late.Stop()
	stopping := false
	stop := func() {
		stopping, told = true, nil
		_ = child.Signal(syscall.SIGTERM)
		late.Reset(stopWithin)
	}
	cancelled := ctx.Done()
	for {
		select {
		case <-beat.C:
			t.Beat()
		case <-cancelled: // this process is to stop, and so is the child
			cancelled, err = nil, ctx.Err()
			stop()
		case ok := <-told:
			if told = nil; ok {
				stop()
			}
		case how := <-ended:
			switch {
			case err != nil || stopping && how == nil:
				return err
			case how == nil:
				how = errors.New("it ended by itself")
			}
			return fmt.Errorf("the new program ended before the master had a report of it, or not well: %w", how)
		case <-late.C:
			err = errors.Join(err, fmt.Errorf("the master had no report of the new program within %v", u.Host.Within))
			if stopping {
				err = fmt.Errorf("the new program did not stop within %v", stopWithin)
			}
			_ = child.Kill()
			<-ended
			return err
		}
	}
}

// OnTrial returns the function that reports that this process does well, or nil if it is
// not on trial. The environment says so; children do not see that variable.
func OnTrial() (func(), error) {
	text := os.Getenv(variable)
	if text == "" {
		return nil, nil
	}
	if err := os.Unsetenv(variable); err != nil {
		return nil, fmt.Errorf("cannot hide the upgrade from children: %w", err)
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("cannot read $%s %q: it has to be the number of an open file", variable, text)
	}
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "upgrade")
	return func() {
		_, _ = f.WriteString(well)
		_ = f.Close()
	}, nil
}

// Tried is an Upgrader in a process that is on trial. It accepts no further program.
type Tried struct{}

// Allows accepts the program that is on trial.
func (Tried) Allows(*wire.Assigned, wire.Artefact) error { return nil }

// Take leaves the decision to the process that tries this one.
func (Tried) Take(context.Context, *wire.Assigned, wire.Artefact, string, func()) (bool, error) {
	return false, nil
}

// None does nothing.
func (Tried) None(context.Context) {}

// Become executes a program in this process, with the same arguments and environment. It
// returns only if that fails.
func Become(program string, t Trial) error {
	return fmt.Errorf("cannot run the program %q: %w", program, syscall.Exec(program, t.Args, t.Environ))
}
