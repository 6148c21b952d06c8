package upgrade

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// writeProgram makes a program that tells its version, and else does what the script says.
// With the number its checksum is like no other.
func writeProgram(t *testing.T, path, script string, number int) (sum string) {
	t.Helper()
	text := fmt.Sprintf("#!/bin/sh\n# %d\nif [ \"$1\" = version ]; then echo '{\"version\":\"v9\",\"protocol\":%d,\"platform\":\"%s/%s\"}'; exit 0; fi\n%s\n",
		number, wire.Version, runtime.GOOS, runtime.GOARCH, script)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	sum, err := sumOf(path)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// upgrading has an Upgrader of a program in a folder; switched takes a value each time
// that it wants the agent to stop.
func upgrading(t *testing.T) (u *Upgrader, switched chan struct{}) {
	t.Helper()
	dir := t.TempDir()
	switched = make(chan struct{}, 100)
	file := filepath.Join(dir, "agent")
	writeProgram(t, file, "exit 0", -1)
	u, err := New(Options{
		Log: slog.New(slog.DiscardHandler), Host: config.Upgrade{Allow: true, Within: time.Hour}, Data: t.TempDir(), File: file,
		Switch: func() { switched <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return u, switched
}

// However many programs are looked at at once, one is chosen, and it is the one that is
// beside the agent's file.
func TestOneProgramIsStaged(t *testing.T) {
	const programs = 12
	for range 3 {
		u, switched := upgrading(t)
		dir := t.TempDir()
		sums := make(map[string]string) // by revision
		var files []string
		for i := range programs {
			files = append(files, filepath.Join(dir, fmt.Sprint(i)))
			sums[fmt.Sprint("r", i)] = writeProgram(t, files[i], "exit 0", i)
		}
		var all sync.WaitGroup
		for _, i := range rand.Perm(programs) {
			all.Go(func() {
				revision := fmt.Sprint("r", i)
				item := &wire.Assigned{Revision: revision}
				if decided, err := u.Take(t.Context(), item, wire.Artefact{SHA256: sums[revision]}, files[i], func() {}); decided || err != nil {
					t.Errorf("%s is decided at once: %v", revision, err)
				}
			})
		}
		all.Wait()
		patience.Receive(t, "the choice of a program", switched)
		u.staging.Lock() // the others have given up
		chosen := u.Chosen()
		u.staging.Unlock()
		if got, err := sumOf(u.staged()); err != nil || got != chosen.SHA256 || sums[chosen.Revision] != got {
			t.Errorf("%+v is chosen, and %s is staged: %v", chosen, got, err)
		}
		if len(switched) > 0 {
			t.Error("the agent is to stop for two programs")
		}
	}
}

// A way back that fails, because the old program is not there, is tried again with the
// next assignment.
func TestFailedWayBackIsTriedAgain(t *testing.T) {
	u, switched := upgrading(t)
	own, err := u.own()
	if err != nil {
		t.Fatal(err)
	}
	old := u.File + ".old"
	before := writeProgram(t, old, "exit 0", 1)
	if err := (journal{Revision: "r1", SHA256: own, Before: before}).write(u.Data); err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(){
		func() { _ = os.Remove(old) },
		func() { writeProgram(t, old, "exit 0", 2) }, // not the one that was there
		func() { _ = os.WriteFile(old, nil, 0o755) },
	} {
		spoil()
		u.None(t.Context())
		patience.Until(t, "the end of the look at what is there", func() bool {
			u.mu.Lock()
			defer u.mu.Unlock()
			return u.looking[""] == nil
		})
		if u.Chosen() != nil || len(switched) > 0 {
			t.Fatal("a program is chosen that is not the one of before")
		}
	}
	writeProgram(t, old, "exit 0", 1)
	u.None(t.Context())
	patience.Receive(t, "the choice of the program of before", switched)
	if c := u.Chosen(); c.SHA256 != before || !c.back {
		t.Errorf("%+v is chosen", c)
	}
}

// What the programs of the trials do.
const (
	doesWell = `trap "exit 0" TERM; echo well >&3; while :; do sleep 0.05; done`
	crashes  = `exit 3`
	runsOn   = `trap "exit 0" TERM; echo up > "$UP"; while :; do sleep 0.05; done`
)

// try tries a program. With stop the agent is stopped as soon as the program runs.
func try(t *testing.T, u *Upgrader, c Candidate, script string, stop bool) string {
	t.Helper()
	up := filepath.Join(t.TempDir(), "up")
	writeProgram(t, u.staged(), script, rand.Int())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	became := make(chan string, 1)
	go func() {
		became <- u.Try(ctx, c, Trial{Args: []string{"agent"}, Environ: append(os.Environ(), "UP="+up), Beat: func() {}})
	}()
	if stop {
		patience.Until(t, "the new program", func() bool { _, err := os.Stat(up); return err == nil })
		cancel()
	}
	return patience.Receive(t, "the end of the trial", became)
}

// TestStopsAreNoKills stops the agent, kills it, or lets the new program crash, by lot, in
// the middle of trials. Kills count as attempts, and stops do not; the program is never
// another than one of the two.
func TestStopsAreNoKills(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	u, _ := upgrading(t)
	killed := 0
	for i := range 14 {
		c := Candidate{Revision: "r1", SHA256: "abc"}
		if r.IntN(3) == 0 { // as if the process had been killed in the last trial
			j, err := readJournal(u.Data)
			if err != nil {
				t.Fatal(err)
			}
			j.Revision, j.Failure = c.Revision, ""
			j.Attempts++
			killed++
			if err := j.write(u.Data); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadFile(u.File)
		if killed >= maxAttempts {
			if became := try(t, u, c, runsOn, false); became != u.File {
				t.Fatalf("after %d kills it becomes %q", killed, became)
			}
			if j, err := readJournal(u.Data); err != nil || !strings.Contains(j.Failure, "was tried 3 times, and the agent was killed each time") {
				t.Fatalf("after %d kills it noted %+v, %v", killed, j, err)
			}
			if err := (journal{}).write(u.Data); err != nil {
				t.Fatal(err)
			}
			killed = 0
			continue
		}
		if became := try(t, u, c, runsOn, true); became != "" {
			t.Fatalf("round %d: a stopped agent becomes %q", i, became)
		}
		j, err := readJournal(u.Data)
		if err != nil || j.Attempts != killed || j.Failure != "" {
			t.Fatalf("round %d, after %d kills: it noted %+v, %v", i, killed, j, err)
		}
		if after, _ := os.ReadFile(u.File); string(after) != string(before) {
			t.Fatal("a stop replaced the program")
		}
	}
}

// The program of a trial that does well is the agent's from then on, and one that
// crashes is noted as a failure.
func TestTrialsEnd(t *testing.T) {
	u, _ := upgrading(t)
	before, _ := os.ReadFile(u.File)
	if became := try(t, u, Candidate{Revision: "r1", SHA256: "abc"}, crashes, false); became != u.File {
		t.Errorf("it becomes %q", became)
	}
	j, err := readJournal(u.Data)
	if after, _ := os.ReadFile(u.File); string(after) != string(before) || err != nil || !strings.Contains(j.Failure, "exit status 3") {
		t.Errorf("a crash gave %+v, %v, and the program %q", j, err, after)
	}
	try(t, u, Candidate{Revision: "r2", SHA256: "abc"}, doesWell, false)
	old, _ := os.ReadFile(u.File + ".old")
	if after, _ := os.ReadFile(u.File); string(old) != string(before) || !strings.Contains(string(after), "well") {
		t.Errorf("the program is %q, and the old one %q", after, old)
	}
	if _, err := os.Stat(u.staged()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the staged program is still there: %v", err)
	}
}

// A program that a child of the agent still has open for writing is waited for.
func TestBusyProgramIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	writeProgram(t, path, "exit 0", 1)
	busy, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := versionOf(ctx, path); err == nil {
		t.Error("a program runs after the agent has stopped")
	}
	closed := time.AfterFunc(3*busyWait, func() { _ = busy.Close() })
	defer closed.Stop()
	if v, err := versionOf(t.Context(), path); err != nil || v != "v9" {
		t.Errorf("it tells the version %q: %v", v, err)
	}
}
