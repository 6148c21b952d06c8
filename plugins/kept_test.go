package plugins_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// summing is a script that follows a log of numbers, and yields each that is new. Where
// there is a file named fail it panics when it has read them.
func summing(name, dir string, revision int) inspectors.Definition {
	return needing(name, "//vedette:needs fs:"+dir, fmt.Sprintf(`package summing

import (
	"context"
	"os"

	"github.com/vedettehq/vedette/inspectors"
)

// revision %d
var file = inspectors.NewTail(%q, inspectors.TailOptions{FromStart: true})

func Inspect(ctx context.Context, r *inspectors.Report) error {
	lines, err := file.Lines(ctx)
	if err != nil {
		return err
	}
	for _, line := range lines {
		r.Gauge("seen", 1, "line", line)
	}
	if _, err := os.Stat(%q); err == nil {
		var none []int
		none[len(lines)] = 1
	}
	return nil
}
`, revision, filepath.Join(dir, "app.log"), filepath.Join(dir, "fail")))
}

// follower reads a log in pools that come and go, and knows what came.
type follower struct {
	*fixture
	rand     *rand.Rand
	dir      string
	options  plugins.PoolOptions
	written  int
	rotated  int
	revision int
	known    bool // a good run has seen the log
	seen     map[string]int
}

func (l *follower) start() {
	l.fixture = newFixture(l.t, l.options)
	l.SetPause(time.Millisecond)
	l.load()
}

// load loads the script; a script host that was killed is started again meanwhile.
func (l *follower) load() {
	patience.Until(l.t, "the script to be loaded", func() bool {
		err := l.Load(l.t.Context(), summing("log", l.dir, l.revision))
		if !errors.Is(err, plugins.ErrUnavailable) {
			l.must(err)
		}
		return err == nil
	})
}

func (l *follower) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// write appends some lines, and sometimes rotates the log before that, if a run that ended
// by itself has seen it: a log that comes and goes between two of those is not read.
func (l *follower) write() {
	path := filepath.Join(l.dir, "app.log")
	if l.known && l.rand.IntN(2) == 0 {
		l.rotated++
		l.known = false
		l.must(os.Rename(path, fmt.Sprint(path, ".", l.rotated)))
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	l.must(err)
	defer f.Close()
	for range 1 + l.rand.IntN(20) {
		l.written++
		_, err := fmt.Fprintln(f, l.written)
		l.must(err)
	}
}

// read runs the script once, and reports whether that was well. A run that fails has
// yielded nothing that counts.
func (l *follower) read() (good bool) {
	l.Run(l.t.Context(), []plugins.Job{{Name: "log", Timeout: testTimeout}}, func(o plugins.Outcome) {
		if good = o.Err == nil; !good {
			return
		}
		l.known = true
		for _, s := range o.Samples {
			l.seen[s.Labels.String()]++
		}
	})
	if l.State("log").Quarantined {
		l.must(l.Release(l.t.Context(), "log"))
	}
	return good
}

// kill kills whatever runs scripts now.
func (l *follower) kill() {
	for _, p := range l.Processes() {
		if p.PID > 0 {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// during does something at a random moment of a run.
func (l *follower) during(f func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(time.Duration(l.rand.IntN(8000))*time.Microsecond, func() {
		defer close(done)
		f()
	})
	l.read()
	if timer.Stop() {
		f()
	} else {
		<-done
	}
}

func (l *follower) step(what int) {
	l.write()
	switch what {
	case 0:
		l.kill()
		l.read()
	case 1:
		l.during(l.kill)
	case 2: // the agent ends, and is started again
		l.during(func() { _ = l.Close() })
		l.write()
		l.start()
		l.read()
	case 3: // the run panics, and so does every one until the cause is gone
		fail := filepath.Join(l.dir, "fail")
		l.must(os.WriteFile(fail, nil, 0o644))
		l.read()
		l.must(os.Remove(fail))
	case 4:
		l.revision++
		l.load()
		l.read()
	default:
		l.read()
	}
}

// Script hosts and agents that end at any moment, runs that panic, and new revisions: each
// line of a log that is rotated meanwhile comes once.
func TestTailsGoOnAfterRestarts(t *testing.T) {
	t.Parallel()
	l := &follower{fixture: &fixture{t: t}, dir: shortDir(t), seen: make(map[string]int)}
	l.must(os.Chmod(l.dir, 0o755))
	seed := rand.Uint64()
	l.rand = rand.New(rand.NewPCG(seed, 0))
	l.options.State = shortDir(t)
	l.write()
	l.start()
	l.read()
	steps := []int{0, 1, 1, 2, 2, 3, 3, 4, 5, 5}
	for _, i := range l.rand.Perm(len(steps)) {
		l.step(steps[i])
	}
	good := 0
	patience.Until(t, "three good runs", func() bool {
		if l.read() {
			good++
		}
		return good == 3
	})
	if len(l.seen) != l.written {
		t.Errorf("seed %d: %d of %d lines came", seed, len(l.seen), l.written)
	}
	for line, n := range l.seen {
		if n != 1 {
			t.Errorf("seed %d: line %s came %d times", seed, line, n)
		}
	}
}

// What an inspector has kept goes with it, is given to no other one, and is bounded.
func TestKeptIsOnesOwn(t *testing.T) {
	t.Parallel()
	state, dir := shortDir(t), shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "app.log"), []byte("secret words\nand ha"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, plugins.PoolOptions{State: state})
	files := func() (all []string) {
		all, err := filepath.Glob(filepath.Join(state, "kept", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	f.mustLoad(summing("a", dir, 0), summing("b", dir, 0))
	for _, name := range []string{"a", "a", "b"} {
		f.runOne(name)
	}
	all := files()
	if len(all) != 2 {
		t.Fatalf("there are %q", all)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct{ State []byte }
		err = json.Unmarshal(text, &content)
		if state := string(content.State); err != nil || !strings.Contains(state, "offset") || strings.Contains(state, "and ha") {
			t.Errorf("it holds %s, %v", state, err)
		}
	}
	f.Unload("a")
	left := files()
	if len(left) != 1 || !slices.Contains(all, left[0]) {
		t.Fatalf("after one was unloaded there are %q", left)
	}
	// The file of b under the name of c, as somebody who copies files would do it.
	f.mustLoad(summing("c", dir, 0))
	f.runOne("c")
	other := slices.DeleteFunc(files(), func(name string) bool { return name == left[0] })[0]
	text, err := os.ReadFile(left[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, text, 0o600); err != nil {
		t.Fatal(err)
	}
	again := newFixture(t, plugins.PoolOptions{State: state})
	again.mustLoad(summing("b", dir, 0), summing("c", dir, 0))
	if o := again.runOne("b"); o.Err != nil || len(o.Samples) != 0 {
		t.Errorf("b yields %v, %v", o.Samples, o.Err)
	}
	if o := again.runOne("c"); o.Err != nil || len(o.Samples) != 1 {
		t.Errorf("c, with the file of b, yields %v, %v", o.Samples, o.Err)
	}
	again.wantLog(`it is of inspector`, "inspector=c")
}
