package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// terminalLines is the height of the scripts' terminals.
const terminalLines = 24

// terminal is the terminal of a process.
type terminal struct {
	*os.File        // the end of the person at the terminal
	seen     string // output since the last look, without control sequences
}

// onTerminal NAME COLUMNS PROGRAM ARGS… starts a process on a terminal with so many
// columns. Then types and shows refer to it, and finishes waits for it.
func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: on-terminal NAME COLUMNS PROGRAM ARGS...")
	}
	columns, err := strconv.ParseUint(args[1], 10, 16)
	ts.Check(err)
	person, inner, err := openTerminal(uint16(columns))
	ts.Check(err)
	defer inner.Close()
	cmd := command(ts, args[2:])
	cmd.Env = append(cmd.Env, "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inner, inner, inner
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	processesOf(ts).running[args[0]] = &process{cmd: cmd, stdout: bufio.NewReader(person), terminal: &terminal{File: person}}
	ts.Defer(func() { _ = person.Close() })
}

// openTerminal makes a terminal and returns both of its ends.
func openTerminal(columns uint16) (person, inner *os.File, err error) {
	person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(person.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: terminalLines, Col: columns})
	}
	if err == nil {
		inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		_ = person.Close()
		return nil, nil, err
	}
	return person, inner, nil
}

// types NAME TEXT types on the terminal of a process; the text ^C is that key.
func types(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: types NAME TEXT")
	}
	_, err := io.WriteString(processesOf(ts).running[args[0]].terminal, strings.ReplaceAll(args[1], "^C", "\x03"))
	ts.Check(err)
}

// control matches the sequences that move the cursor, clear or colour.
var control = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\r`)

// shows NAME REGEXP waits until the terminal of a process shows something that matches,
// after the previous match. Lines must not be wider than the terminal.
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shows NAME REGEXP")
	}
	want, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	p := processesOf(ts).running[args[0]]
	defer p.limit()()
	for {
		if at := want.FindStringIndex(p.terminal.seen); at != nil {
			p.terminal.seen = p.terminal.seen[at[1]:]
			return
		}
		line, err := p.stdout.ReadString('\n')
		p.terminal.seen += control.ReplaceAllString(line, "")
		if err != nil {
			ts.Fatalf("%s ended and has shown nothing that matches %q (%v), but:\n%s", args[0], args[1], err, p.terminal.seen)
		}
	}
}

// finishes NAME [STATUS] waits until a process, on a terminal or not, has ended with a
// status, 0 if none is given.
func finishes(ts *testscript.TestScript, neg bool, args []string) {
	status := 0
	if len(args) == 2 {
		var err error
		status, err = strconv.Atoi(args[1])
		ts.Check(err)
		args = args[:1]
	}
	p := take(ts, neg, args)
	defer p.limit()()
	_, _ = io.Copy(io.Discard, p.stdout) // the terminal ends with it
	err := p.cmd.Wait()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended || p.cmd.ProcessState.ExitCode() != status {
		ts.Fatalf("%s: %v, not status %d", args[0], p.cmd.ProcessState, status)
	}
}
