package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// within bounds everything that a test waits for.
const within = 5 * time.Minute

// guest is a system of its own; see guest.sh.
type guest struct {
	t    *testing.T
	root string // as seen from inside
	pid  string // of its first process
}

// newGuest starts one that has systemd, or nothing, as its first process. A test is
// skipped where that cannot be.
func newGuest(t *testing.T, first string) *guest { return newGuestOf(t, first, "/") }

// newGuestOf starts one with the system in a folder.
func newGuestOf(t *testing.T, first, system string) *guest {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can install packages, into a system of its own")
	}
	for _, program := range []string{"unshare", "nsenter", "ip", "dpkg"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not there", program)
		}
	}
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil && first == "systemd" {
		t.Skip("systemd is not there; run: apt-get install systemd")
	}
	cmd := exec.Command("unshare", "--mount", "--pid", "--cgroup", "--net", "--uts", "--ipc", "--fork", "--kill-child", "bash", "guest.sh", first, t.TempDir(), system)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with it all of the guest
		_ = cmd.Wait()
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		_ = cmd.Wait()
		t.Skipf("this machine lets nobody make a system of its own: %s", strings.TrimSpace(stderr.String()))
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
	if err != nil || len(strings.Fields(string(children))) != 1 {
		t.Fatalf("the guest has the processes %q, %v", children, err)
	}
	g := &guest{t: t, pid: strings.Fields(string(children))[0]}
	g.await("its first process", func() bool {
		root, err := os.Readlink("/proc/" + g.pid + "/root")
		return err == nil && strings.HasSuffix(root, "/root")
	})
	return g
}

// try runs a command in the guest.
func (g *guest) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	enter := []string{"--target", g.pid, "--mount", "--pid", "--cgroup", "--net", "--uts", "--ipc", "--root", "--wd", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command that must succeed.
func (g *guest) run(args ...string) string {
	g.t.Helper()
	out, err := g.try(args...)
	if err != nil {
		journal, _ := g.try("journalctl", "--no-pager", "-n", "60")
		g.t.Fatalf("%q failed: %v\n%s\nThe journal, where there is one:\n%s", args, err, out, journal)
	}
	return out
}

// sh runs a script that must succeed.
func (g *guest) sh(script string) string {
	g.t.Helper()
	return g.run("sh", "-ec", script)
}

// want compares what a script prints.
func (g *guest) want(script, want string) {
	g.t.Helper()
	if got := g.sh(script); got != want {
		g.t.Errorf("%s prints\n%s\nwant\n%s", script, got, want)
	}
}

// await looks again and again.
func (g *guest) await(what string, ok func() bool) {
	g.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			out, _ := g.try("journalctl", "--no-pager", "-n", "60")
			g.t.Fatalf("waited %v in vain for %s\n%s", within, what, out)
		}
	}
}

// put copies a file into the guest, and returns where it is there.
func (g *guest) put(file string) string {
	g.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		g.t.Fatal(err)
	}
	to := "/var/tmp/" + filepath.Base(file)
	if err := os.WriteFile("/proc/"+g.pid+"/root"+to, content, 0o644); err != nil {
		g.t.Fatal(err)
	}
	return to
}

// made makes packages of the tree, and returns their files by ending, such as .deb.
func made(t *testing.T, args ...string) map[string]string {
	t.Helper()
	out := t.TempDir()
	r, err := parse(append(args, "-out", out))
	if err == nil {
		err = r.run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]string)
	for _, file := range files {
		program := "vedette"
		for _, other := range []string{"vedette-agent", "vedette-sql", "vedette-snmp"} {
			if strings.HasPrefix(filepath.Base(file), other) {
				program = other
			}
		}
		list[program+filepath.Ext(file)] = file
	}
	return list
}
