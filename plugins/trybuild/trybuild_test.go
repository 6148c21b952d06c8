package trybuild

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/scripthost"
)

func testBuilder(t testing.TB, log *slog.Logger) (b *Builder, folder string) {
	t.Helper()
	ignored := goleak.IgnoreCurrent()
	folder, err := os.MkdirTemp("", "v") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o711); err != nil { // scripts run as somebody else
		t.Fatal(err)
	}
	b = New(plugins.PoolOptions{
		Dir: filepath.Join(folder, "run"), Log: log, Output: func(string, string) {}, ScriptHost: []string{os.Args[0], scripthost.Command},
		Limits: plugins.Limits{DataBytes: 1 << 30}, Sandbox: plugins.Sandbox{Private: []string{folder}},
	})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(), os.RemoveAll(folder)); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, ignored)
	})
	return b, folder
}

func scriptOf(source string) inspectors.Definition {
	return inspectors.Definition{
		Name: "probe", Interval: time.Second, Timeout: 500 * time.Millisecond, Pushed: true,
		Script: &inspectors.Script{File: "probe.go", Line: 1, Source: source},
	}
}

// What building shows is told; what only this machine cannot do is not held
// against a script.
func TestBuilder(t *testing.T) {
	var log bytes.Buffer
	b, _ := testBuilder(t, slog.New(slog.NewTextHandler(&log, nil)))
	const inspect = "\n\nfunc Inspect() (float64, error) { return float64(x), nil }\n"
	for _, tt := range []struct{ name, source, want string }{
		{"good", "package probe\n\nvar x = 1" + inspect, ""},
		{"does not build", "package probe\n\nvar x = y" + inspect, "probe.go:3:"},
		{"kills its process", "package probe\n\nvar x = len(make([]byte, 1<<40))" + inspect, "while it was loaded: "},
		{"never ends", "package probe\n\nvar x = f()\n\nfunc f() int {\n\tfor {\n\t}\n}" + inspect, "initialisers of the package variables do not end"},
		{"needs what hosts have", "//vedette:needs exec:/bin/hostname fs:/etc\npackage probe\n\nvar x = 1" + inspect, ""},
		{"panics for want of it", "package probe\n\nimport \"os\"\n\nvar x = f()\n\nfunc f() int {\n" +
			"\tif _, err := os.ReadFile(\"/only/on/hosts\"); err != nil {\n\t\tpanic(err)\n\t}\n\treturn 1\n}" + inspect, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := b.Build(t.Context(), scriptOf(tt.source))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	var all sync.WaitGroup
	for range 5 { // of one name
		all.Go(func() {
			if err := b.Build(t.Context(), scriptOf("package probe\n\nvar x = 2"+inspect)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for deadline := time.Now().Add(time.Minute); len(b.pool.Processes()) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("processes are left: %+v", b.pool.Processes())
		}
	}
	if strings.Contains(log.String(), "without being built") {
		t.Errorf("the log is\n%s", log.String())
	}
}

// A build process that cannot start says nothing of the script, and whoever
// pushes is told.
func TestBuilderThatCannotBuild(t *testing.T) {
	var log bytes.Buffer
	b, folder := testBuilder(t, slog.New(slog.NewTextHandler(&log, nil)))
	if err := b.pool.Close(); err != nil {
		t.Fatal(err)
	}
	b.pool = plugins.NewPool(plugins.PoolOptions{Dir: folder, Log: b.log, ScriptHost: []string{"/nonexistent/vedette"}})
	err := b.Build(t.Context(), scriptOf("package probe\n\nfunc Inspect() (float64, error) { return 1, nil }\n"))
	if !errors.Is(err, plugins.ErrUnavailable) || !strings.Contains(err.Error(), "/nonexistent/vedette") {
		t.Errorf("got %v", err)
	}
	b.Start(t.Context())
	b.work.Wait()
	if !strings.Contains(log.String(), "the master cannot build scripts for now") || strings.Contains(log.String(), "a script is accepted") {
		t.Errorf("the log is\n%s", log.String())
	}
}

// The secrets of a master are not to be read while a script is built.
func TestBuilderKeepsSecrets(t *testing.T) {
	b, folder := testBuilder(t, slog.New(slog.DiscardHandler))
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	source := "//vedette:needs fs:" + secret + "\npackage probe\n\nimport \"os\"\n\nvar x = f()\n\nfunc f() int {\n\tif _, err := os.ReadFile(\"" + secret +
		"\"); err == nil {\n\t\tfor {\n\t\t}\n\t}\n\treturn 1\n}\n\nfunc Inspect() (float64, error) { return float64(x), nil }\n"
	if err := b.Build(t.Context(), scriptOf(source)); err != nil {
		t.Errorf("it was read: %v", err)
	}
}

func BenchmarkBuild(b *testing.B) {
	built, _ := testBuilder(b, slog.New(slog.DiscardHandler))
	for b.Loop() {
		if err := built.Build(b.Context(), scriptOf("package probe\n\nfunc Inspect() (float64, error) { return 1, nil }\n")); err != nil {
			b.Fatal(err)
		}
	}
}
