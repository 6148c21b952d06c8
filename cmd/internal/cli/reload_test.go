package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
)

// heard is a log that can be read while it is being written.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) count(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Count(h.b.String(), text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reloading runs Reloads on a configuration file until the test ends.
func reloading(t *testing.T, text string, take func(old, fresh *config.Config) error) (file string, log *heard) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "vedette.yaml")
	write(t, file, text)
	log = &heard{}
	r := Reloads{Settings: &Settings{file: file}, Parts: config.PartAgent}
	t.Cleanup(r.Listen())
	if _, err := r.Load(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx, slog.New(slog.NewTextHandler(log, nil)), take) }()
	t.Cleanup(func() { cancel(); <-done })
	return file, log
}

// Whatever is written into the configuration, good or bad, the last good one is in force,
// and each bad one is reported with its place.
func TestChangesOfTheConfiguration(t *testing.T) {
	taken := make(chan string, 100)
	first := "agent: { host: first }\n"
	file, log := reloading(t, first, func(_, fresh *config.Config) error {
		taken <- fresh.Agent.Host
		return nil
	})
	holds := "first"
	bad := 0
	for n := range 8 {
		if rand.IntN(3) == 0 {
			bad++
			write(t, file, []string{"agent: { host: x, nonsense: 1 }\n", "agent: [\n", "agent: { buffer_reports: 0 }\n"}[rand.IntN(3)]+strings.Repeat("#", n))
			patience.Until(t, "a word about each bad one", func() bool { return log.count("the old one stays") >= bad })
			continue
		}
		holds = fmt.Sprint("host-", n)
		fresh := file + ".new" // replace the file, as editors do, or write into it
		if rand.IntN(2) == 0 {
			fresh = file
		}
		write(t, fresh, "agent: { host: "+holds+" }\n")
		if err := os.Rename(fresh, file); err != nil {
			t.Fatal(err)
		}
		if got := patience.Receive(t, "a change", taken); got != holds {
			t.Errorf("%s was taken over, want %s", got, holds)
		}
	}
	if bad > 0 && log.count("vedette.yaml:1") == 0 {
		t.Error("no place of a fault is told")
	}
	if len(taken) > 0 {
		t.Errorf("%s was taken over again", <-taken)
	}
}

// SIGHUP asks for a reload and ends nothing. A refused configuration is not applied.
func TestHangUpReloads(t *testing.T) {
	taken := make(chan *config.Config, 100)
	refuse := errors.New("not this one")
	_, log := reloading(t, "agent: { host: here }\n", func(old, fresh *config.Config) error {
		taken <- old
		if fresh.Agent.Host != "here" {
			return refuse
		}
		return nil
	})
	for range 5 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if old := patience.Receive(t, "a reload", taken); old.Agent.Host != "here" {
			t.Errorf("the old one is %+v", old.Agent)
		}
	}
	if log.count(refuse.Error()) > 0 {
		t.Error("a good one was refused")
	}
}

// A script that the configuration names belongs to it.
func TestChangesOfAScript(t *testing.T) {
	script := filepath.Join(t.TempDir(), "probe.go")
	write(t, script, "package probe\n")
	taken := make(chan struct{}, 100)
	reloading(t, fmt.Sprintf("inspectors: { probe: { file: %q, interval: 1s } }\n", script), func(_, _ *config.Config) error {
		taken <- struct{}{}
		return nil
	})
	for n := range 3 {
		write(t, script, "package probe\n"+strings.Repeat("// more\n", n+1))
		patience.Receive(t, "a change of the script", taken)
	}
}

func TestNeedRestart(t *testing.T) {
	old := config.Master{Listen: "a", Data: "d", Tokens: []config.Token{{Name: "x"}}}
	fresh := old
	fresh.Tokens = nil
	if err := NeedRestart("master", old, fresh, "tokens"); err != nil {
		t.Error(err)
	}
	fresh.Listen, fresh.Data = "b", "e"
	if err := NeedRestart("master", old, fresh, "tokens"); err == nil || !strings.Contains(err.Error(), "master.listen has changed") ||
		!strings.Contains(err.Error(), "master.data") {
		t.Error(err)
	}
}
