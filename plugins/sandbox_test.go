package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/alone"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// needing is a script of a body with directives before it.
func needing(name, directives, body string) inspectors.Definition {
	return script(name, directives+"\n"+body)
}

// readsFile is the body of a script that reads a file whole.
func readsFile(path string) string {
	return fmt.Sprintf("text, err := os.ReadFile(%q)\nif err != nil {\n\treturn 0, err\n}\nreturn float64(len(text)), nil\n", path)
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give script hosts another user")
	}
}

func TestSecretsAreOutOfReach(t *testing.T) {
	private := filepath.Join(shortDir(t), "agent")
	token := filepath.Join(private, "token")
	if err := os.MkdirAll(private, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(token, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, plugins.PoolOptions{Sandbox: plugins.Sandbox{Private: []string{private}}})
	pid := os.Getpid()
	for i, path := range []string{
		token, "/proc/self/root" + token, fmt.Sprintf("/proc/%d/root%s", pid, token), fmt.Sprintf("/proc/%d/cwd/limits_test.go", pid),
		fmt.Sprintf("/proc/%d/environ", pid), fmt.Sprintf("/proc/%d/mem", pid), "/proc/self/environ", "/proc/self/mem",
		"/proc/self/fd/3", "/proc/self/fd/4", "/etc/shadow", "/etc/passwd", "/root/.ssh/id_ed25519",
	} {
		name := fmt.Sprintf("reads-%d", i)
		f.mustLoad(script(name, readsFile(path)))
		if o := f.runOne(name); o.Err == nil || strings.Contains(o.Err.Error(), "timed out") {
			t.Errorf("reading %s ends with %v and %v", path, o.Samples, o.Err)
		}
	}
	for _, needs := range []string{"fs:" + token, "fs:" + private} {
		err := f.Load(t.Context(), needing("greedy", "//vedette:needs "+needs, readsFile(token)))
		if err == nil || !strings.Contains(err.Error(), "the agent's own") {
			t.Errorf("a script that needs %s: %v", needs, err)
		}
	}
	f.mustLoad(needing("around", "//vedette:needs fs:"+filepath.Dir(private), readsFile(token)))
	if o := f.runOne("around"); o.Err == nil {
		t.Error("a script that needs the folder around reads the token")
	}
}

func TestGrantedFiles(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	file := filepath.Join(dir, "numbers")
	if err := os.WriteFile(file, []byte("four"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("without", readsFile(file)), needing("with", "//vedette:needs fs:"+file, readsFile(file)))
	if o := f.runOne("without"); o.Err == nil || !strings.Contains(o.Err.Error(), "//vedette:needs fs:"+file) {
		t.Errorf("without the need: %v", o.Err)
	}
	value := func(want float64) {
		t.Helper()
		if o := f.runOne("with"); o.Err != nil || len(o.Samples) != 1 || o.Samples[0].Value != want {
			t.Errorf("with the need: %v, %v, want %v", o.Samples, o.Err, want)
		}
	}
	value(4)
	// As programs do that write their numbers: another file takes its place.
	if err := os.WriteFile(file+".new", []byte("seven.."), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	value(7)
	if n := len(f.Processes()); n != 2 {
		t.Errorf("scripts of two needs are in %d processes", n)
	}
	if f.State("with").Host != "shared" || f.State("without").Host != "shared" {
		t.Error("a script host for other needs is not called a shared one")
	}
}

func TestConnectionsAreForThoseWhoNeedThem(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer server.Close()
	body := fmt.Sprintf("resp, err := http.Get(%q)\nif err != nil {\n\treturn 0, err\n}\ndefer resp.Body.Close()\nreturn float64(resp.StatusCode), nil\n",
		server.URL)
	f := newFixture(t, plugins.PoolOptions{})
	var faults inspectors.Diagnostics
	if err := f.Load(t.Context(), script("without", body)); !errors.As(err, &faults) || !strings.Contains(err.Error(), "//vedette:needs net") {
		t.Errorf("without the need: %v", err)
	}
	address := strings.TrimPrefix(server.URL, "http://")
	port := address[strings.LastIndex(address, ":")+1:]
	for needs, allowed := range map[string]bool{
		"net:" + address: true, "net:127.0.0.0/8": true, "net:localhost:" + port: true, "net net:127.0.0.1:*": true,
		"net": false, "net:127.0.0.1:1": false, "net net:0.0.0.0/0": false, "unix:/run": false,
	} {
		f.mustLoad(needing("with", "//vedette:needs "+needs, body))
		o := f.runOne("with")
		if !allowed && (o.Err == nil || !strings.Contains(o.Err.Error(), "denied") && !strings.Contains(o.Err.Error(), "not permitted")) {
			t.Errorf("a script that needs %s: %v, %v", needs, o.Samples, o.Err)
		}
		if allowed && (o.Err != nil || o.Samples[0].Value != http.StatusTeapot) {
			t.Errorf("a script that needs %s: %v, %v", needs, o.Samples, o.Err)
		}
	}
}

// A socket of the file system is connected to by a script that names it, or its
// folder, as the user that scripts are, and not by one that may read it.
func TestSocketsAreForThoseWhoNameThem(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	peers := make(chan uint32, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			raw, err := c.(*net.UnixConn).SyscallConn()
			if err == nil {
				_ = raw.Control(func(fd uintptr) {
					if who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
						peers <- who.Uid
					}
				})
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, plugins.PoolOptions{})
	for needs, allowed := range map[string]bool{
		"unix:" + path: true, "unix:" + dir: true, "unix:" + link: true, "net fs:" + dir: false,
		"unix:" + path + "2": false,
	} {
		for _, to := range []string{path, link} {
			f.mustLoad(needing("s", "//vedette:needs "+needs,
				fmt.Sprintf("c, err := net.Dial(\"unix\", %q)\nif err != nil {\n\treturn 0, err\n}\nreturn 1, c.Close()", to)))
			o := f.runOne("s")
			if (o.Err == nil) != allowed {
				t.Errorf("a script that needs %s dials %s: %v", needs, to, o.Err)
			}
			if o.Err != nil {
				continue
			}
			want := uint32(os.Geteuid())
			if want == 0 {
				want = plugins.DefaultScriptUser
			}
			select {
			case who := <-peers:
				if who != want {
					t.Errorf("the one who listens is told user %d, want %d", who, want)
				}
			case <-time.After(time.Minute):
				t.Fatal("nobody has connected to the socket")
			}
		}
	}
}

func TestPolicyBoundsPushedCode(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{Policy: inspectors.Policy{Files: []string{"/var"}}})
	good := needing("pushed", "//vedette:needs fs:/var/log", "return 1, nil")
	good.Pushed = true
	f.mustLoad(good)
	f.wantGood(f.run(testTimeout, "pushed"), "pushed")
	link := filepath.Join(shortDir(t), "way-out")
	if err := os.Symlink("/var/log", link); err != nil {
		t.Fatal(err)
	}
	for needs, allowed := range map[string]bool{
		"net": false, "net:10.0.0.1:80": false, "unix:/run/x": false, "processes": false, "fs:/etc/ssl": false,
		"fs:" + link: true, "fs:" + filepath.Dir(link): false,
	} {
		d := needing("pushed", "//vedette:needs "+needs, "return 2, nil")
		d.Pushed = true
		if err := f.Load(t.Context(), d); errors.Is(err, inspectors.ErrPolicy) == allowed || (err == nil) != allowed {
			t.Errorf("pushed code that needs %s: %v", needs, err)
		}
		d.Name, d.Pushed = "own", false
		if err := f.Load(t.Context(), d); err != nil {
			t.Errorf("the host's own code that needs %s: %v", needs, err)
		}
	}
}

func TestPolicyBoundsPushedPlugins(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		f := newFixture(t, plugins.PoolOptions{Policy: inspectors.Policy{Net: true, Plugins: allowed}})
		d := external("ok")
		if err := f.Load(t.Context(), d); err != nil {
			t.Errorf("the host's own plugin: %v", err)
		}
		d.Pushed = true
		if err := f.Load(t.Context(), d); errors.Is(err, inspectors.ErrPolicy) == allowed || (err == nil) != allowed {
			t.Errorf("a pushed plugin, where plugins are allowed: %v: %v", allowed, err)
		}
	}
}

// An inspector that asks for a separate process has one, keeps it, and is quarantined on
// its second crash like any other.
func TestOwnProcess(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	own := script("loner", "ok")
	own.Isolation = inspectors.IsolationOwn
	f.mustLoad(script("a", "ok"), own)
	for range 12 { // more than it takes to return from a process that was a punishment
		f.wantGood(f.run(testTimeout, "a", "loner"), "a", "loner")
	}
	if s := f.State("loner"); s.Host != "own" || f.State("a").Host != "shared" || len(f.Processes()) != 2 {
		t.Fatalf("the loner's state is %+v, the processes are %v", s, f.Processes())
	}
	before := f.pid("own")
	if err := f.Load(t.Context(), own); err != nil || f.pid("own") != before {
		t.Errorf("loading it again makes another process: %v", err)
	}
	bad := own
	bad.Script = &inspectors.Script{File: "loner.go", Line: 1, Source: "load-exit"}
	if err := f.Load(t.Context(), bad); err == nil {
		t.Error("a script that ends its process is loaded")
	}
	eventually(t, "the old one goes on alone", func() bool { return len(f.Processes()) == 2 && f.State("loner").Host == "own" })
	f.wantGood(f.run(testTimeout, "loner"), "loner")

	exits := own
	exits.Script = &inspectors.Script{File: "loner.go", Line: 1, Source: "exit"}
	f.mustLoad(exits)
	if o := f.runOne("loner"); !errors.Is(o.Err, plugins.ErrCrashed) || f.State("loner").Quarantined {
		t.Errorf("after one crash: %v, %+v", o.Err, f.State("loner"))
	}
	if o := f.runOne("loner"); !errors.Is(o.Err, plugins.ErrCrashed) || !f.State("loner").Quarantined {
		t.Errorf("after two crashes: %v, %+v", o.Err, f.State("loner"))
	}
	f.mustLoad(script("loner", "ok")) // a change of mind
	eventually(t, "its own process is gone", func() bool { return len(f.Processes()) == 1 })
	if s := f.State("loner"); s.Host != "shared" {
		t.Errorf("it is not with the others: %+v", s)
	}
	f.mustLoad(own)
	f.Unload("loner")
	eventually(t, "its process goes with it", func() bool { return len(f.Processes()) == 1 })
}

// What belongs to processes of other users is told to those who need it.
func TestProcessesOfOthers(t *testing.T) {
	t.Parallel()
	asRoot(t)
	sleeper := exec.CommandContext(t.Context(), "/proc/self/exe", silent)
	sleeper.Env = []string{"SECRET=do-not-tell"}
	sleeper.Dir = "/"
	sleeper.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4321, Gid: 4321}}
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	})
	body := func(call string) string {
		return fmt.Sprintf("p, err := process.NewProcess(%d)\nif err != nil {\n\treturn 0, err\n}\nv, err := p.%s\nif err != nil {\n\treturn 0, err\n}\n"+
			"if fmt.Sprint(v) == \"\" {\n\treturn 0, errors.New(\"nothing\")\n}\nreturn 1, nil\n",
			sleeper.Process.Pid, call)
	}
	f := newFixture(t, plugins.PoolOptions{})
	for call, told := range map[string]bool{
		"IOCounters()": true, "NumFDs()": true, "Exe()": true, "Cwd()": true, "OpenFiles()": true,
		"Environ()": false, "MemoryMaps(false)": false,
	} {
		f.mustLoad(needing("without", "//vedette:needs fs:/x", body(call)), needing("with", "//vedette:needs processes", body(call)))
		got := f.run(testTimeout, "without", "with")
		if err := got["with"].Err; (err == nil) != told {
			t.Errorf("%s of a script that needs processes: %v", call, err)
		}
		if call != "OpenFiles()" && got["without"].Err == nil { // which leaves out what it may not see
			t.Errorf("%s is told to a script that does not need processes", call)
		}
	}
	for _, name := range []string{"environ", "mem", "root/etc/shadow", "maps"} {
		d := needing("raw", "//vedette:needs processes", readsFile(fmt.Sprintf("/proc/%d/%s", sleeper.Process.Pid, name)))
		f.mustLoad(d)
		if o := f.runOne("raw"); o.Err == nil {
			t.Errorf("a script that needs processes reads %s", name)
		}
	}
}

// A file system that is mounted later, where nobody but root may look.
func TestUsageOfLaterMounts(t *testing.T) {
	asRoot(t)
	f := newFixture(t, plugins.PoolOptions{})
	dir := shortDir(t) // for its owner alone
	point := filepath.Join(dir, "mnt")
	if err := os.Mkdir(point, 0o700); err != nil {
		t.Fatal(err)
	}
	f.mustLoad(script("usage", fmt.Sprintf("u, err := disk.Usage(%q)\nif err != nil {\n\treturn 0, err\n}\nreturn float64(u.Total), nil\n", point)))
	f.runOne("usage")
	if err := unix.Mount("probe", point, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
	if o := f.runOne("usage"); o.Err != nil || o.Samples[0].Value != 1<<20 {
		t.Errorf("%v, %v, want a file system of 1 MiB", o.Samples, o.Err)
	}
}

// A disk is mounted, and unmounted, while script hosts run: they see it, and do not
// keep it in use, whether / is shared or not.
func TestDisksComeAndGo(t *testing.T) { alone.Mounts(t, testDisksComeAndGo) }

func testDisksComeAndGo(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	f.SetRespite(0)
	definition, _ := library.Get("disk")
	f.mustLoad(definition)
	f.runOne("disk")
	source, point := shortDir(t), shortDir(t)
	view := func() (has bool) {
		children, err := filepath.Glob("/proc/self/task/*/children")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range children {
			text, _ := os.ReadFile(file)
			for _, pid := range strings.Fields(string(text)) {
				table, _ := os.ReadFile("/proc/" + pid + "/mountinfo")
				has = has || strings.Contains(string(table), " "+point+" ")
			}
		}
		return has
	}
	if err := unix.Mount(source, point, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(table), " "+point+" ") || !strings.Contains(string(table), " /dev/") {
		t.Skip("the temporary folder is on no disk")
	}
	patience.Until(t, "the script host to see the disk", view)
	f.runOne("disk")
	if err := unix.Unmount(point, 0); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "the script host to let go of the disk", func() bool { return !view() })
	if o := f.runOne("disk"); o.Err != nil {
		t.Error(o.Err)
	}
}

// layersOf is what is to be in force for an agent of a user.
func layersOf(user int) []string {
	if user == 0 {
		return []string{"broker", "landlock", "mounts", "seccomp", "user"}
	}
	return []string{"landlock", "seccomp"}
}

func TestIsolationIsTold(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	if i := f.Isolation(); len(i.Layers)+len(i.Missing) > 0 {
		t.Errorf("before anything runs it is %+v", i)
	}
	f.mustLoad(script("good", goodScript))
	i := f.Isolation()
	slices.Sort(i.Layers)
	if !slices.Equal(i.Layers, layersOf(os.Geteuid())) {
		t.Errorf("the isolation is %+v", i)
	}
	for _, m := range i.Missing {
		if m.Reason == "" || !f.log.line("level=WARN", "lack a layer of isolation", "layer="+m.Layer) {
			t.Errorf("%+v was not logged", m)
		}
	}
}

// unprivileged is the part of an agent that is nobody: it runs every built-in
// inspector and one that is up to no good, and tells what became of it.
const unprivileged = "unprivileged"

type unprivilegedReport struct {
	Failed    map[string]string // the error, by inspector
	Isolation plugins.Isolation
	Secret    string // why its secret was not read, or ""
}

func beUnprivileged() {
	private := filepath.Join(os.Args[2], "private")
	if err := errors.Join(os.Mkdir(private, 0o700), os.WriteFile(filepath.Join(private, "token"), nil, 0o600)); err != nil {
		panic(err)
	}
	pool := plugins.NewPool(plugins.PoolOptions{
		Dir: os.Args[2], Limits: testLimits(plugins.Limits{}),
		Policy: inspectors.Policy{Programs: []string{"/bin/sh"}}, Sandbox: plugins.Sandbox{Private: []string{private}},
	})
	defer func() { _ = pool.Close() }()
	report := unprivilegedReport{Failed: make(map[string]string)}
	defs := append(library.Definitions(), script("thief", readsFile(fmt.Sprintf("/proc/%d/environ", os.Getpid()))))
	// Its own files can be neither read nor changed by the programs that it runs,
	// nor can it be signalled, although they have its user.
	program := fmt.Sprintf("cat %[1]s/private/token; echo x >%[1]s/made; kill -0 %[2]d; kill -0 $PPID; test -e %[1]s/made", os.Args[2], os.Getpid())
	const attack = "attack-"
	for i, text := range strings.Split(program, "; ") {
		defs = append(defs, executing(fmt.Sprintf("%s%d", attack, i), "/bin/sh", "-c", text))
	}
	defs = append(defs, executing("harmless", "/bin/sh", "-c", "echo fine"))
	var jobs []plugins.Job
	for _, d := range defs {
		if err := pool.Load(context.Background(), d); err != nil {
			report.Failed[d.Name] = err.Error()
		}
		jobs = append(jobs, plugins.Job{Name: d.Name, Timeout: testTimeout})
	}
	pool.Run(context.Background(), jobs, func(o plugins.Outcome) {
		switch {
		case o.Name == "thief" && o.Err != nil:
			report.Secret = o.Err.Error()
		case strings.HasPrefix(o.Name, attack):
			if o.Err == nil || !strings.Contains(o.Err.Error(), "exit status") {
				report.Failed[o.Name] = fmt.Sprintf("it ended in %v", o.Err)
			}
		case o.Err != nil:
			report.Failed[o.Name] = o.Err.Error()
		}
	})
	report.Isolation = pool.Isolation()
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
}

// TestBuiltInsInTheSandbox runs all that comes with Vedette, for an agent that is
// root and for one that is nobody.
func TestBuiltInsInTheSandbox(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	var names []string
	for _, d := range library.Definitions() {
		f.mustLoad(d)
		names = append(names, d.Name)
	}
	for name, o := range f.run(testTimeout, names...) {
		if o.Err != nil {
			t.Errorf("%s: %v", name, o.Err)
		}
	}
	if n := len(f.Processes()); n != 1 {
		t.Errorf("the built-in inspectors take %d processes", n)
	}
	asRoot(t)
	dir := shortDir(t)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	agent := exec.CommandContext(t.Context(), "/proc/self/exe", unprivileged, dir)
	agent.Env = []string{"SECRET=x", "TMPDIR=" + dir}
	agent.Dir = "/"
	agent.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var stderr strings.Builder
	agent.Stderr = &stderr
	out, err := agent.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var report unprivilegedReport
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	slices.Sort(report.Isolation.Layers)
	if len(report.Failed) > 0 || report.Secret == "" || !slices.Equal(report.Isolation.Layers, layersOf(65534)) {
		t.Errorf("an agent that is nobody: %+v", report)
	}
}

// BenchmarkSandboxedStart measures a script host from its start to its first
// result.
func BenchmarkSandboxedStart(b *testing.B) {
	for b.Loop() {
		pool := plugins.NewPool(plugins.PoolOptions{})
		if err := pool.Load(b.Context(), script("good", goodScript)); err != nil {
			b.Fatal(err)
		}
		pool.Run(b.Context(), []plugins.Job{{Name: "good", Timeout: time.Minute}}, func(o plugins.Outcome) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
		})
		if err := pool.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// Samples that are only shown come from another instance of the script than the stored
// ones.
func TestShownRunsAreApart(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("counts", "package counts\n\nvar runs float64\n\nfunc Inspect() (float64, error) {\n\truns++\n\treturn runs, nil\n}\n"))
	for i, shown := range []bool{false, true, true, false, true, false} {
		var got plugins.Outcome
		f.Run(t.Context(), []plugins.Job{{Name: "counts", Timeout: testTimeout, Shown: shown}}, func(o plugins.Outcome) { got = o })
		want := []float64{1, 1, 2, 2, 3, 3}[i]
		if got.Err != nil || len(got.Samples) != 1 || got.Samples[0].Value != want {
			t.Errorf("run %d, shown: %v, yields %v, %v, want %v", i, shown, got.Samples, got.Err, want)
		}
	}
}
