package plugins_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// pluginInspectors are the inspectors that the test binary offers as a plugin.
func pluginInspectors(names []string) plugins.Inspectors {
	all := plugins.Inspectors{
		"ok":     func() (float64, error) { return 1, nil },
		"pid":    func(context.Context) (float64, error) { return float64(os.Getpid()), nil },
		"panics": func() (float64, error) { panic("boom") },
		"goexit": func() (float64, error) { runtime.Goexit(); return 0, nil },
		"crashes": func(context.Context, *inspectors.Report) error {
			go panic("boom in a goroutine of a plugin")
			select {}
		},
		"exits": func() (float64, error) { os.Exit(9); return 0, nil },
		"deaf":  func() (float64, error) { select {} },
		"loop": func() (float64, error) {
			sum := 0
			for _, c := range make([]byte, 60_000) {
				sum += int(c)
			}
			return float64(sum), nil
		},
		"spins": func(ctx context.Context) (float64, error) {
			for ctx.Err() == nil {
			}
			return 0, ctx.Err()
		},
		"pours": func(_ context.Context, r *inspectors.Report) error {
			for i := range 9000 {
				r.Gauge("x", float64(i), "n", strconv.Itoa(i), "text", strings.Repeat("x", 500))
			}
			return nil
		},
		"nan": func() (float64, error) { return math.NaN(), nil },
		"env": reportEnvironment,
		"talks": func() (float64, error) {
			fmt.Println("plain words")
			log.Print("to stderr")
			hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: os.Stderr}).Warn("hclog words")
			return 1, nil
		},
		"orphans": func() (float64, error) {
			cmd := exec.Command("sleep", "1000")
			err := cmd.Start()
			return float64(cmd.Process.Pid), err
		},
	}
	if len(names) == 0 {
		return all
	}
	if names[0] == "bare" { // as a plugin that has no TLS and knows no recorder
		for _, name := range []string{"PLUGIN_CLIENT_CERT", "VEDETTE_RECORDER_FD", "VEDETTE_LIFELINE_FD"} {
			_ = os.Unsetenv(name)
		}
		names = names[1:]
	}
	chosen := plugins.Inspectors{}
	for _, name := range names {
		if name == "wrong" {
			chosen["wrong"] = func(int) string { return "" }
			continue
		}
		chosen[name] = all[name]
	}
	return chosen
}

func reportEnvironment(_ context.Context, r *inspectors.Report) error {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		r.Gauge("var", 1, "name", name)
	}
	return nil
}

func TestExternalPluginSharesOneProcess(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(external("ok"), external("pid"), external("panics"), external("nan"), external("goexit"))
	got := f.run(testTimeout, "ok", "pid", "panics", "nan", "goexit")
	f.wantGood(got, "ok", "pid")
	if n := f.pid("plugin"); got["pid"].Samples[0].Value != float64(n) {
		t.Errorf("it ran in process %v, want %d", got["pid"].Samples[0].Value, n)
	}
	for name, say := range map[string]string{
		"panics": "panic: boom (external_test.go:", "nan": "not a finite number", "goexit": "runtime.Goexit",
	} {
		if err := got[name].Err; err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v, want an error that says %q", name, err, say)
		}
	}
	if s := f.State("panics"); s != (plugins.State{Host: "plugin"}) {
		t.Errorf("state %+v", s)
	}
	f.Unload("ok")
	f.wantGood(f.run(testTimeout, "pid"), "pid")
	for _, name := range []string{"pid", "panics", "nan", "goexit"} {
		f.Unload(name)
	}
	eventually(t, "a plugin that nobody needs is stopped", func() bool { return len(f.Processes()) == 0 })
}

func TestExternalPluginChoosesTheInspector(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	only := external("gpu/0", "ok") // the program offers one inspector, of another name
	f.mustLoad(only)
	if o := f.runOne("gpu/0"); o.Err != nil || o.Samples[0].Key != "gpu/0" {
		t.Errorf("outcome %+v", o)
	}
	err := f.Load(t.Context(), external("nope", "ok", "pid"))
	if err == nil || !strings.Contains(err.Error(), `offers no inspector "nope"; name yours one of ok, pid`) {
		t.Errorf("Load: %v", err)
	}
	eventually(t, "a plugin that could not be used is stopped", func() bool { return len(f.Processes()) == 1 })
}

func TestExternalPluginCrash(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]string{"crashes": "panic: boom in a goroutine of a plugin", "exits": "exit status 9"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, plugins.PoolOptions{})
			f.mustLoad(external("ok"), external(name))
			got := f.run(testTimeout, "ok", name)
			f.wantGood(got, "ok")
			if err := got[name].Err; !errors.Is(err, plugins.ErrCrashed) || !strings.Contains(err.Error(), say) {
				t.Errorf("the culprit: %v", err)
			}
			if s := f.State(name); s.Crashes != 1 || s.Host != "plugin" || !strings.Contains(s.Reason, say) {
				t.Errorf("state %+v", s)
			}
			if s := f.State("ok"); s.Crashes != 0 {
				t.Errorf("the neighbour was blamed: %+v", s)
			}
			f.wantGood(f.run(testTimeout, "ok"), "ok")
			f.wantLog("level=ERROR", "inspector="+name, say)
		})
	}
}

func TestExternalPluginThatIsDeafIsReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.SetRespite(0)
	f.mustLoad(external("ok"), external("deaf"))
	pid := f.pid("plugin")
	eventually(t, "it is replaced", func() bool { // what is late on a starved machine does not count
		o, _ := f.round("deaf", 50*time.Millisecond, []string{"ok"})
		if !errors.Is(o.Err, plugins.ErrTimeout) && !errors.Is(o.Err, plugins.ErrStarved) {
			t.Errorf("outcome %v", o.Err)
		}
		return f.replaced(pid)
	})
	f.wantGood(f.run(testTimeout, "ok"), "ok")
}

func TestExternalPluginIsKilled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(external("ok"))
	pid := f.pid("plugin")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.wantGood(f.run(testTimeout, "ok"), "ok")
	eventually(t, "the old one is gone", func() bool { return len(f.Processes()) == 1 })
	if f.pid("plugin") == pid {
		t.Error("it is the same process")
	}
}

func TestBarePlugin(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(external("ok", "bare", "ok", "exits"), external("exits", "bare", "ok", "exits"))
	f.wantGood(f.run(testTimeout, "ok"), "ok")
	if o := f.runOne("exits"); !errors.Is(o.Err, plugins.ErrCrashed) {
		t.Errorf("outcome %v", o.Err)
	}
	if ok, exits := f.State("ok"), f.State("exits"); ok.Crashes != 0 || exits.Crashes != 1 {
		t.Errorf("states %+v and %+v", ok, exits)
	}
	f.wantGood(f.run(testTimeout, "ok"), "ok")
}

// What a plugin started dies with it.
func TestExternalPluginLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(external("orphans"))
	o := f.runOne("orphans")
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	grandchild := int(o.Samples[0].Value)
	if !alive(grandchild) {
		t.Fatal("the grandchild did not start")
	}
	f.Unload("orphans")
	eventually(t, "the grandchild is gone", func() bool { return !alive(grandchild) })
}

func TestExternalPluginSeesNoSecrets(t *testing.T) {
	t.Setenv("VEDETTE_TOKEN", "secret")
	f := newFixture(t, plugins.PoolOptions{Env: []string{"CUDA_VISIBLE_DEVICES=0"}})
	f.mustLoad(external("env"))
	seen := make(map[string]bool)
	for _, s := range f.runOne("env").Samples {
		seen[s.Labels.Get("name")] = true
	}
	if seen["VEDETTE_TOKEN"] || !seen["PATH"] || !seen["CUDA_VISIBLE_DEVICES"] {
		t.Errorf("the plugin sees %v", seen)
	}
}

func TestExternalPluginOutputIsLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(external("talks"))
	f.runOne("talks")
	for _, words := range [][]string{
		{"level=INFO", "plain words"}, {"level=INFO", "to stderr"}, {"level=WARN", "hclog words"},
	} {
		eventually(t, fmt.Sprintf("the log holds %q", words), func() bool { return f.log.line(append(words, "plugin")...) })
	}
}

func TestExternalPluginStartFaults(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("no program either"), 0o700); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		plugin inspectors.Plugin
		say    string
		again  bool // whether another try may go better
	}{
		"missing":        {inspectors.Plugin{Path: filepath.Join(dir, "missing")}, "there is no such file", false},
		"folder":         {inspectors.Plugin{Path: dir}, "not a file", false},
		"not executable": {inspectors.Plugin{Path: plain}, "not executable; run chmod +x", false},
		"garbage":        {inspectors.Plugin{Path: garbage}, "exec format error", false},
		"true":           {inspectors.Plugin{Path: "/bin/true"}, "it ended (exit status 0) before the handshake; is it a Vedette plugin", false},
		"chatty":         {inspectors.Plugin{Path: exe, Args: []string{chatty}}, `it printed "hello, world" instead of a handshake`, false},
		"silent":         {inspectors.Plugin{Path: exe, Args: []string{silent}}, "no handshake within 500ms", true},
		"wrong shape":    {inspectors.Plugin{Path: exe, Args: []string{pluginLike, "wrong"}}, "func(int) string is not an inspector", false},
		"bad checksum":   {inspectors.Plugin{Path: exe, SHA256: "abc"}, "write 64 hex digits", false},
		"wrong checksum": {inspectors.Plugin{Path: exe, SHA256: strings.Repeat("0", 64)}, "if the change was wanted, update sha256", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, plugins.PoolOptions{})
			if tt.again {
				f.SetStartTime(500 * time.Millisecond)
			}
			err := f.Load(t.Context(), inspectors.Definition{
				Name: "x", Interval: testTimeout, Timeout: testTimeout, Plugin: &tt.plugin,
			})
			if err == nil || !strings.Contains(err.Error(), tt.say) || !strings.Contains(err.Error(), tt.plugin.Path) {
				t.Errorf("Load: %v, want an error that says %q and the path", err, tt.say)
			}
			if errors.Is(err, plugins.ErrUnavailable) != tt.again {
				t.Errorf("Load: %v; wraps ErrUnavailable: %v, want %v", err, !tt.again, tt.again)
			}
			if len(f.Processes()) != 0 {
				t.Errorf("processes are left: %v", f.Processes())
			}
		})
	}
}

func TestExternalExample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "filecount")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/filecount")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	explained, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	if err == nil || !strings.Contains(string(explained), "This is a Vedette plugin. It offers: filecount") {
		t.Errorf("run by hand it ends with %v and says:\n%s", err, explained)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	queue := filepath.Join(dir, "queue")
	if err := os.Mkdir(queue, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(queue, fmt.Sprint(i)), make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(inspectors.Definition{
		Name: "queue", Interval: testTimeout, Timeout: testTimeout,
		Plugin: &inspectors.Plugin{Path: program, SHA256: strings.ToUpper(hex.EncodeToString(sum[:])), Args: []string{queue, "/missing"}},
	})
	o := f.runOne("queue")
	if o.Err == nil || !strings.Contains(o.Err.Error(), `cannot count "/missing"`) {
		t.Errorf("error %v, want one about the missing folder", o.Err)
	}
	got := make(map[string]float64)
	for _, s := range o.Samples {
		if s.Labels.Get("dir") == queue {
			got[s.Key] = s.Value
		}
	}
	if got["queue/files"] != 3 || got["queue/size_bytes"] != 300 || got["queue/oldest_age_seconds"] < 0 || len(got) != 3 {
		t.Errorf("samples %v", got)
	}
}

func TestShapes(t *testing.T) {
	good := plugins.Inspectors{
		"a": func() (float64, error) { return 1, nil },
		"b": func(context.Context) (float64, error) { return 1, nil },
		"c": func(context.Context, *inspectors.Report) error { return nil },
		"d": inspectors.Value(func(context.Context) (float64, error) { return 1, nil }),
	}
	if err := good.Build(); err != nil {
		t.Error(err)
	}
	bad := plugins.Inspectors{"a": nil, "b": 1, "c c": good["a"], "d": (func() (float64, error))(nil)}
	err := bad.Build()
	for _, say := range []string{`"a": <nil> is not an inspector`, `"b": int is not`, `"c c"`, `"d": the function is nil`} {
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("error %v, want one that says %s", err, say)
		}
	}
	if err := (plugins.Inspectors{}).Build(); err == nil {
		t.Error("an empty plugin was accepted")
	}
}
