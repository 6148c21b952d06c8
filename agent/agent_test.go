package agent

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// A configuration has been checked by the time it comes here. What New reads of it for
// the first time, and the definitions, can have faults, and all of them are told.
func TestNewTellsEveryFault(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(config.Agent{
		Master: "https://master:50505",
		CA:     notPEM,
		Policy: config.Policy{Signers: []string{"me"}},
	}, Deps{Runner: &agenttest.Runner{}, Definitions: []inspectors.Definition{
		agenttest.Script("disk", "", time.Second),
		agenttest.Script("disk", "", time.Second),
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"cannot make the agent: ",
		"holds no PEM certificate",
		`"me" is not a public key`,
		`inspector "disk": defined twice`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestNewStartsNothing(t *testing.T) {
	dir := t.TempDir()
	runner := &agenttest.Runner{}
	a, err := New(config.Agent{Master: "http://127.0.0.1:1", Data: dir},
		Deps{Runner: runner, Definitions: []inspectors.Definition{agenttest.Script("disk", "", time.Second)}})
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 || len(runner.Loads) > 0 {
		t.Errorf("files %v, loads %v", files, runner.Loads)
	}
	if s := a.Status(); len(s) != 1 || s[0].State != "starting" || s[0].Kind != "script" || s[0].IntervalMS != 1000 {
		t.Errorf("statuses %+v", s)
	}
	if a.Host() == "" {
		t.Error("the host has no name")
	}
	if err := a.Apply(t.Context(), nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Apply before Run gave %v", err)
	}
}

func TestRunEndsAndRunsOnce(t *testing.T) {
	hung := make(chan struct{})
	runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
		close(hung)
		<-ctx.Done()
		return plugins.Outcome{Name: job.Name, Err: ctx.Err()}
	}}
	a, err := New(config.Agent{Host: "web-1", Master: "http://127.0.0.1:1", Data: t.TempDir()},
		Deps{Runner: runner, Definitions: []inspectors.Definition{agenttest.Script("hung", "", time.Second)}})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, a)
	patience.Closed(t, "a run to begin", hung)
	if err := a.Run(t.Context()); err == nil {
		t.Error("a second Run gave no error")
	}
	stop()
	if s := a.Status()[0]; s.Failures != 0 {
		t.Errorf("the run that was cut short by the end counts as a failure: %+v", s)
	}
	if err := a.Apply(t.Context(), nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Apply after Run gave %v", err)
	}
}

func TestAgentIDSurvivesAndIsMended(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	dir := filepath.Join(t.TempDir(), "new", "folder")
	id := loadAgentID(log, dir)
	if again := loadAgentID(log, dir); again != id || !validID(id) {
		t.Errorf("the id was %q and is %q", id, again)
	}
	if info, err := os.Stat(filepath.Join(dir, idFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, idFile), []byte("\x00broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	mended := loadAgentID(log, dir)
	if again := loadAgentID(log, dir); again != mended || mended == id || !validID(mended) {
		t.Errorf("the mended id was %q and is %q", mended, again)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("files are left over: %v", files)
	}
}

func TestAgentIDWithoutAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file} {
		var log syncBuffer
		id := loadAgentID(slog.New(slog.NewTextHandler(&log, nil)), dir)
		if !validID(id) || !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("in %q the id is %q; the log is %q", dir, id, log.String())
		}
	}
}

func TestHostNameIsMadeFit(t *testing.T) {
	for name, want := range map[string]string{
		"web-1.example":             "web-1.example",
		"Anna's MacBook":            "Anna-s-MacBook",
		"-rack_7":                   "rack_7",
		"müller":                    "m-ller",
		strings.Repeat("a", 300):    strings.Repeat("a", 253),
		"<img src=x onerror=alert>": "img-src-x-onerror-alert-",
	} {
		got := sanitizeHost(name)
		if got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		if err := inspectors.ValidateHost(got); err != nil {
			t.Error(err)
		}
	}
}
