package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// The scripts run the real command in its own processes: the test binary under the name
// vedette is that command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vedette": main, "fake-master": fakeMaster})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script", "")
}

// The commands that push code, against a fake master with fixed answers.
func TestPushCommands(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/catalog", "")
}

// Pushed code on its way from the file to the hosts, with a real master and real agents.
func TestPushScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/push", "")
}

// The lean binary, built as for a release, beside a master.
func TestLeanAgentRuns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	build := exec.Command("go", "build", "-o", folder, "../vedette-agent")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build vedette-agent: %v\n%s", err, out)
	}
	runScripts(t, "testdata/lean", folder)
}

// quickExit makes a process with the race detector exit at once; it would otherwise sleep
// for a second, and the scripts run hundreds.
const quickExit = "atexit_sleep_ms=10"

// runScripts runs the scripts of a folder, with the programs of another one.
func runScripts(t *testing.T, dir, programs string) {
	compiles := compiler(t)
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			short, err := os.MkdirTemp("", "v") // sockets need short names
			if err != nil {
				return err
			}
			env.Defer(func() { _ = os.RemoveAll(short) })
			if err := os.Chmod(short, 0o711); err != nil { // scripts run as another user
				return err
			}
			env.Setenv("TMPDIR", short)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("VEDETTE_HOST", "box")
			env.Setenv("GORACE", quickExit)
			env.Setenv("VEDETTE_TIMEOUT", patience.Limit.String()) // a busy machine answers late
			address, err := freeport.Find()                        // for a master that is restarted
			if err != nil {
				return err
			}
			env.Setenv("ADDRESS", address)
			compiles(env)
			if programs != "" {
				env.Setenv("PATH", programs+string(filepath.ListSeparator)+env.Getenv("PATH"))
			}
			p := &processes{running: make(map[string]*process)}
			env.Values[processesKey{}] = p
			env.Defer(p.killAll)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"spawn":    spawn,
			"opens":    opens,
			"prints":   prints,
			"kill9":    kill9,
			"stops":    stops,
			"types":    types,
			"shows":    shows,
			"finishes": finishes,
			"await":    await,
			"status":   status,
			"cert":     cert,
			"provider": provider,
			"confirms": confirms,
			"denies":   denies,

			"on-terminal": onTerminal,
			"without-go":  withoutGo,
		},
	})
}

// processesKey finds the processes of a script.
type processesKey struct{}

// processes are the running processes of a script, by name.
type processes struct{ running map[string]*process }

type process struct {
	cmd      *exec.Cmd
	stdout   *bufio.Reader
	terminal *terminal // or nil
}

// limit kills the process if the script waits too long for it, so that its log shows what
// it did. The returned function lifts the limit.
func (p *process) limit() func() bool {
	return time.AfterFunc(patience.Limit, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }).Stop
}

func (p *processes) killAll() {
	for _, p := range p.running {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

func processesOf(ts *testscript.TestScript) *processes {
	return ts.Value(processesKey{}).(*processes)
}

// spawn NAME PROGRAM ARGS… starts a process. Its standard error goes to the file NAME.log.
func spawn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: spawn NAME PROGRAM ARGS...")
	}
	log, err := os.OpenFile(ts.MkAbs(args[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	cmd := command(ts, args[1:])
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	processesOf(ts).running[args[0]] = &process{cmd: cmd, stdout: bufio.NewReader(stdout)}
}

// command makes a command of a program and its arguments, with the variables of the script
// that it needs.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(lookPath(ts, args[0]), args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "VEDETTE_HOST", "VEDETTE_MASTER", "VEDETTE_TOKEN", "VEDETTE_CA", "VEDETTE_TIMEOUT", "GORACE"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// lookPath finds a program in the script's PATH.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(path) {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	ts.Fatalf("there is no program %s", name)
	return ""
}

// opens NAME waits until the process prints the address to open, and puts it into NAME_URL,
// and its host:port into NAME_ADDR.
func opens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: opens NAME")
	}
	p := processesOf(ts).running[args[0]]
	defer p.limit()()
	for {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			log, _ := os.ReadFile(ts.MkAbs(args[0] + ".log"))
			ts.Fatalf("%s ended without an address to open: %v\n%s", args[0], err, log)
		}
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "Open "); ok {
			ts.Setenv(args[0]+"_URL", url)
			_, address, _ := strings.Cut(url, "://")
			ts.Setenv(args[0]+"_ADDR", address)
			return
		}
	}
}

// prints NAME REGEXP reads the output of a process until a line matches.
func prints(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: prints NAME REGEXP")
	}
	want := regexp.MustCompile(args[1])
	p := processesOf(ts).running[args[0]]
	defer p.limit()()
	for {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			log, _ := os.ReadFile(ts.MkAbs(args[0] + ".log"))
			ts.Fatalf("%s ended without a line that matches %q: %v\n%s", args[0], args[1], err, log)
		}
		if want.MatchString(line) {
			return
		}
	}
}

// kill9 NAME kills a process with SIGKILL.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	p := take(ts, neg, args)
	ts.Check(p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}

// stops NAME sends ^C to a process, which must end with status 0.
func stops(ts *testscript.TestScript, neg bool, args []string) {
	p := take(ts, neg, args)
	ts.Check(p.cmd.Process.Signal(syscall.SIGINT))
	defer p.limit()()
	if err := p.cmd.Wait(); err != nil {
		log, _ := os.ReadFile(ts.MkAbs(args[0] + ".log"))
		ts.Fatalf("%s: %v\n%s", args[0], err, log)
	}
}

func take(ts *testscript.TestScript, neg bool, args []string) *process {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: kill9|stops|finishes NAME")
	}
	all := processesOf(ts)
	p := all.running[args[0]]
	if p == nil {
		ts.Fatalf("there is no process %s", args[0])
	}
	delete(all.running, args[0])
	return p
}

// pollEvery is the time between two looks of a script.
const pollEvery = 20 * time.Millisecond

// await REGEXP PROGRAM ARGS… runs a program repeatedly until its output, on both streams,
// matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await REGEXP PROGRAM ARGS...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	last := ""
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for ; ctx.Err() == nil; <-poll.C {
		_ = ts.Exec(args[1], args[2:]...)
		last = ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if pattern.MatchString(last) {
			return
		}
	}
	logs, _ := filepath.Glob(ts.MkAbs("*.log"))
	for _, log := range logs {
		text, _ := os.ReadFile(log)
		last += fmt.Sprintf("--- %s\n%s", filepath.Base(log), text)
	}
	ts.Fatalf("no output matched %q; the last was\n%s", args[0], last)
}

// status N PROGRAM ARGS… runs a program, which must end with that status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARGS...")
	}
	got := "0"
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = strconv.Itoa(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("%v ended with status %s, not %s", args[1:], got, args[0])
	}
}

// cert NAME writes a self-signed certificate for this machine, NAME.pem, and its key,
// NAME.key.
func cert(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cert NAME")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: args[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}
