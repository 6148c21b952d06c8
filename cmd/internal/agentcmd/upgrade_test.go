package agentcmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// trailer stands in each program of these tests between the test's own binary and a word
// that says how the program behaves; a suffix makes its checksum unique.
const trailer = "\nthis program of a test is "

// variant returns how this process must behave if it is one of those programs.
func variant() (kind string, is bool) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", false
	}
	defer f.Close()
	tail := make([]byte, 100)
	if _, err := f.Seek(-int64(len(tail)), io.SeekEnd); err != nil {
		return "", false
	}
	if _, err := io.ReadFull(f, tail); err != nil {
		return "", false
	}
	_, text, is := strings.Cut(string(tail), trailer)
	kind, _, _ = strings.Cut(text, " ")
	return kind, is
}

// beAgent runs as the program of an agent, good or bad.
func beAgent(kind string) int {
	version := len(os.Args) > 1 && os.Args[1] == "version"
	switch {
	case kind == "speechless":
		fmt.Fprintln(os.Stderr, "error while loading shared libraries: libnone.so.1")
		return 127
	case version && kind == "foreign":
		fmt.Printf(`{"version":"v9","protocol":%d,"platform":"plan9/arm"}`, wire.Version)
		return 0
	case version:
	case kind == "crashing":
		return 2
	case kind == "hanging":
		signal.Ignore(syscall.SIGTERM)
		for {
			<-time.After(time.Hour)
		}
	case kind == "deaf":
		os.Args = append(os.Args, "--master", "http://127.0.0.1:1")
	}
	root := New("vedette-agent", "vedette-agent")
	root.AddCommand(ScriptHost(), cli.VersionCommand("vedette-agent"))
	return cli.Main(root)
}

// writeProgram writes a program with the given behaviour.
func writeProgram(t *testing.T, path, kind string) (sum string) {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if _, is := variant(); is {
		t.Fatal("the test itself is such a program")
	}
	text := fmt.Appendf(self, "%s%s %d", trailer, kind, rand.Uint64())
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

func sumOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

// upgraded is an agent in its own process whose program a master replaces.
type upgraded struct {
	*pusher
	key                  signing.PrivateKey
	dir, program, config string
	first                string // the checksum of its first program
	cmd                  *exec.Cmd
	said                 *bytes.Buffer
}

func newUpgraded(t *testing.T, settings string) *upgraded {
	t.Helper()
	key, err := signing.Generate()
	if err != nil {
		t.Fatal(err)
	}
	u := &upgraded{pusher: newPusher(t), key: key, dir: t.TempDir()}
	t.Cleanup(u.close)
	u.program, u.config = filepath.Join(u.dir, "vedette-agent"), filepath.Join(u.dir, "agent.yaml")
	u.first = writeProgram(t, u.program, "good")
	yaml := fmt.Sprintf("agent:\n  host: h\n  master: %s\n  data: %s\n  library: none\n  accept_pushed_inspectors: true\n  upgrade: { keys: [%q], %s }\n"+
		"inspectors:\n  one: { interval: 1s, go: 'return 1, nil' }\n", u.server.URL, filepath.Join(u.dir, "data"), key.Public(), settings)
	if err := os.WriteFile(u.config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	u.start()
	t.Cleanup(u.kill)
	return u
}

// start runs the installed program, as a service manager does.
func (u *upgraded) start() {
	u.Helper()
	u.said = &bytes.Buffer{}
	u.cmd = exec.Command(u.program, "--config", u.config)
	u.cmd.Stdout, u.cmd.Stderr = u.said, u.said
	u.cmd.WaitDelay = time.Minute
	if err := u.cmd.Start(); err != nil {
		u.Fatal(err)
	}
}

func (u *upgraded) kill() {
	_ = u.cmd.Process.Kill()
	_ = u.cmd.Wait()
	if u.Failed() {
		u.Logf("the agent said:\n%s", u.said)
	}
}

// code is what `vedette hosts upgrade` pushes for a program.
func (u *upgraded) code(path, sum, signature string) wire.Code {
	u.Helper()
	info, err := os.Stat(path)
	if err != nil {
		u.Fatal(err)
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	u.mu.Change(func() { u.programs[sum] = path })
	return wire.Code{Name: wire.AgentProgram, Plugin: &wire.PushedPlugin{
		Artefacts: map[string]wire.Artefact{platform: {SHA256: sum, Size: info.Size()}},
		Args:      []string{wire.ProgramSignature(platform, u.key.Public().ID(), signature)},
	}}
}

// offer assigns a program with the given behaviour to the agent.
func (u *upgraded) offer(kind string) (code wire.Code, sum string) {
	u.Helper()
	path := filepath.Join(u.T.TempDir(), "program")
	sum = writeProgram(u.T, path, kind)
	code = u.code(path, sum, u.key.SignFileSum(sum))
	u.push(code)
	return code, sum
}

// awaitFresh waits until a run of the agent that started after the first n reports.
func (u *upgraded) awaitFresh(n int) {
	u.Helper()
	u.await("a report of the agent", func() bool { return len(u.boots) > n && u.reported[u.boots[len(u.boots)-1]] })
	if err := u.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		u.Errorf("the process has ended: %v", err)
	}
}

func (u *upgraded) runs() (n int) {
	u.mu.Change(func() { n = len(u.boots) })
	return n
}

// A good program replaces the old one in the same process, and the host returns to the old
// one when the master withdraws it.
func TestUpgradeAndBack(t *testing.T) {
	t.Parallel()
	u := newUpgraded(t, "allow: true, within: 10m")
	u.awaitFresh(0)
	code, second := u.offer("good")
	u.awaitReceipt(code, wire.ReceiptHealthy)
	u.awaitFresh(2)
	if sumOf(t, u.program) != second || sumOf(t, u.program+".old") != u.first {
		t.Error("the new program is not in the place of the old one, which is beside it")
	}
	if target, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", u.cmd.Process.Pid)); err != nil || target != u.program {
		t.Errorf("the process runs %s, %v", target, err)
	}
	n := u.runs()
	u.push() // nothing is assigned any more
	u.awaitFresh(n + 1)
	patience.Until(t, "the program that was there first", func() bool { return sumOf(t, u.program) == u.first })
	u.stopped()
}

// stopped asks the agent to stop, and waits until it has.
func (u *upgraded) stopped() {
	u.Helper()
	if err := u.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		u.Error(err)
	}
	patience.Return(u, "the end of the agent", func() { _ = u.cmd.Wait() })
}

// Whatever is wrong with a program, the host keeps running the one that it had, and says
// why.
func TestBadPrograms(t *testing.T) {
	t.Parallel()
	u := newUpgraded(t, "allow: true, within: 2s")
	u.awaitFresh(0)
	pid := u.cmd.Process.Pid
	for _, c := range []struct{ kind, want string }{
		{"speechless", "libnone.so.1"},
		{"foreign", `it is for "plan9/arm"`},
		{"crashing", "exit status 2"},
		{"hanging", "no report of the new program within 2s"},
		{"deaf", "no report of the new program within 2s"},
	} {
		n := u.runs()
		code, _ := u.offer(c.kind)
		if r := u.awaitReceipt(code, wire.ReceiptFailed); !strings.Contains(r.Reason, c.want) {
			t.Errorf("%s: %s", c.kind, r.Reason)
		}
		if c.kind != "speechless" && c.kind != "foreign" { // for those the agent was not even stopped
			u.awaitFresh(n)
		}
		if sumOf(t, u.program) != u.first {
			t.Errorf("%s: the program is another", c.kind)
		}
		if _, err := os.Stat(filepath.Join(u.dir, ".vedette-agent.new")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: it is still there: %v", c.kind, err)
		}
	}
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || exe != u.program {
		t.Errorf("the process runs %s, %v", exe, err)
	}
	u.stopped()
}

// A host that has not agreed to upgrades takes no program, and does not even fetch it.
func TestUpgradesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ settings, want string }{
		"not allowed": {"allow: false", "agent.upgrade.allow is not true"},
		"signature":   {"allow: true", "has no good signature"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpgraded(t, c.settings)
			path := filepath.Join(t.TempDir(), "program")
			sum := writeProgram(t, path, "good")
			code := u.code(path, sum, u.key.SignFileSum(u.first)) // the checksum of another program
			u.mu.Change(func() { clear(u.programs) })
			u.push(code)
			if r := u.awaitReceipt(code, wire.ReceiptRefused); !strings.Contains(r.Reason, c.want) {
				t.Errorf("%s", r.Reason)
			}
			u.stopped()
		})
	}
}

// Wherever in an upgrade the agent is killed, the host has an agent that runs when it is
// started again, and the new program in the end.
func TestUpgradeIsKilledAtRandom(t *testing.T) {
	t.Parallel()
	u := newUpgraded(t, "allow: true, within: 10m")
	u.awaitFresh(0)
	for range 4 {
		code, sum := u.offer("good")
		select {
		case <-time.After(rand.N(3 * time.Second)):
		case <-t.Context().Done():
		}
		u.kill()
		n := u.runs()
		u.mu.Change(func() { u.peer = nil })
		u.start()
		u.awaitFresh(n)
		u.push(code)
		u.awaitReceipt(code, wire.ReceiptHealthy)
		if sumOf(t, u.program) != sum {
			t.Error("the program is not the one that is healthy")
		}
	}
	u.stopped()
}
