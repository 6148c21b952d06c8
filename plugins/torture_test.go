//go:build linux

package plugins_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// torture is one script of testdata/torture. Its head says, in comments, how its
// first run may end:
//
//	// want: KIND|KIND   good, error, timeout, budget, crash, refused (it is not
//	                     loaded), or any
//	// say: TEXT         what the error says
//	// timeout: 300ms    of its runs, and of its initialisers; where none is given
//	                     it is far away, or near for one that may reach it
//	// rounds: late      it is the last run that is looked at
//	// limits: needed    it takes all memory where none is limited, as it is not
//	                     with the race detector
//
// In the text, $NAME is a place of the torture chamber; see chamber.
type torture struct {
	name, source string
	want         []string
	say          string
	timeout      time.Duration
	late, limits bool
}

const tortureRounds = 4

func readTortures(t *testing.T, c *chamber) []torture {
	t.Helper()
	files, err := filepath.Glob("testdata/torture/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all []torture
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			text := os.Expand(string(f.Data), c.place)
			all = append(all, readTorture(t, strings.TrimSuffix(f.Name, ".go"), text))
		}
	}
	return all
}

func readTorture(t *testing.T, name, text string) torture {
	t.Helper()
	tt := torture{name: name, source: text}
	for line := range strings.Lines(text) {
		key, value, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "// "), ": ")
		switch {
		case !strings.HasPrefix(line, "// ") || !found:
		case key == "want":
			tt.want = strings.Split(value, "|")
		case key == "say":
			tt.say = value
		case key == "timeout":
			var err error
			if tt.timeout, err = time.ParseDuration(value); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		case key == "rounds":
			tt.late = true
		case key == "limits":
			tt.limits = true
		}
	}
	if len(tt.want) == 0 {
		t.Fatalf("%s does not say what is to become of it", name)
	}
	switch {
	case tt.timeout != 0:
	case slices.Contains(tt.want, "timeout"):
		tt.timeout = 5 * time.Second
	default:
		tt.timeout = testTimeout
	}
	return tt
}

// chamber is what tortures may look for: servers that never answer, files that
// block, and secrets.
type chamber struct {
	dir    string // readable for everybody
	secret string
	places map[string]string
}

func newChamber(t *testing.T) *chamber {
	t.Helper()
	c := &chamber{dir: shortDir(t), secret: secretOfTheAgent}
	private := filepath.Join(c.dir, "private")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(c.dir, 0o755))
	must(os.Mkdir(private, 0o755))
	must(os.WriteFile(filepath.Join(private, "token"), []byte(c.secret), 0o644))
	must(os.Symlink(filepath.Join(private, "token"), filepath.Join(c.dir, "link")))
	must(syscall.Mkfifo(filepath.Join(c.dir, "fifo"), 0o644))
	must(os.WriteFile(filepath.Join(c.dir, "plain"), []byte("plain"), 0o666))
	must(os.Chmod(filepath.Join(c.dir, "plain"), 0o666))
	c.places = map[string]string{
		"DIR": c.dir, "FIFO": filepath.Join(c.dir, "fifo"), "LINK": filepath.Join(c.dir, "link"),
		"SECRETFILE": filepath.Join(private, "token"), "SECRET": c.secret,
		"SILENT": silentServer(t), "SILENTUDP": silentPackets(t), "ENDLESS": endlessServer(t),
	}
	return c
}

func (c *chamber) place(name string) string {
	if place, ok := c.places[name]; ok {
		return place
	}
	return "$" + name
}

// silentServer takes connections and never says a word.
func silentServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
		for _, conn := range open {
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}

func silentPackets(t *testing.T) string {
	t.Helper()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p.LocalAddr().String()
}

// endlessServer answers with a body that does not end.
func endlessServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<16)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// TestTorture runs every script of testdata/torture for real, beside neighbours
// that behave: whatever it does, the agent goes on, nobody else misses more than
// one run, it is the script that is named, nothing is written, and no secret is
// read.
func TestTorture(t *testing.T) {
	t.Parallel()
	c := newChamber(t)
	all := readTortures(t, c)
	if len(all) < 60 {
		t.Errorf("there are only %d scripts", len(all))
	}
	t.Run("scripts", func(t *testing.T) {
		for _, tt := range all {
			t.Run(tt.name, func(t *testing.T) {
				if raceEnabled && tt.limits {
					t.Skip("the race detector and a limit of memory do not go together")
				}
				t.Parallel()
				tt.run(t, c)
			})
		}
	})
	c.check(t)
}

// check looks for what was left behind.
func (c *chamber) check(t *testing.T) {
	t.Helper()
	for _, name := range []string{"/tmp/torture-written", "/torture-written", "torture-written"} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s was written", name)
			_ = os.Remove(name)
		}
	}
	plain := filepath.Join(c.dir, "plain")
	text, err := os.ReadFile(plain)
	if err != nil || string(text) != "plain" {
		t.Errorf("%s holds %q, %v", plain, text, err)
	}
	if info, err := os.Stat(plain); err == nil && info.Mode().Perm() != 0o666 {
		t.Errorf("%s has the mode %v", plain, info.Mode())
	}
	var names []string
	entries, err := os.ReadDir(c.dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "fifo link plain private" || err != nil {
		t.Errorf("the chamber holds %s, %v", got, err)
	}
}

func (tt *torture) run(t *testing.T, c *chamber) {
	var said strings.Builder
	var mu sync.Mutex
	f := newFixture(t, plugins.PoolOptions{
		Policy:  inspectors.Policy{Programs: []string{"/bin/sh"}},
		Sandbox: plugins.Sandbox{Private: []string{filepath.Join(c.dir, "private")}},
		Output: func(name, line string) {
			mu.Lock()
			defer mu.Unlock()
			_, _ = io.WriteString(&said, line)
			if name != tt.name {
				t.Errorf("%s is said to have printed %q", name, line)
			}
		},
	})
	neighbours := f.neighbours()
	d := script(tt.name, tt.source)
	d.Budget = inspectors.Budget{CPU: tt.processorTime(), Heap: 32 << 20, Output: 64 << 10, Series: 100}
	if slices.Equal(tt.want, []string{"refused"}) {
		d.Timeout = tt.timeout
	}
	if err := f.Load(t.Context(), d); err != nil {
		tt.checkRefusal(t, err)
		if _, missed := f.round(tt.name, tt.timeout, neighbours); missed > 0 {
			t.Errorf("the neighbours missed %d runs", missed)
		}
		return
	}
	if tt.want[0] == "refused" && len(tt.want) == 1 {
		t.Error("it was loaded")
	}
	tt.rounds(t, f, neighbours)
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(said.String(), c.secret) || strings.ContainsAny(said.String(), "\x1b\x00\a\r") {
		t.Errorf("it printed %.200q", said.String())
	}
	f.wantGood(f.run(testTimeout, neighbours...), neighbours...)
}

// processorTime is the budget of a script: short where that may be what ends it,
// and far away where it has to end otherwise.
func (tt *torture) processorTime() time.Duration {
	if slices.Contains([]string{"", "cpu"}, tt.say) && (slices.Contains(tt.want, "budget") || tt.want[0] == "any") {
		return 200 * time.Millisecond
	}
	return testTimeout
}

// checkRefusal checks why a script was not loaded.
func (tt *torture) checkRefusal(t *testing.T, err error) {
	t.Helper()
	if !slices.Contains(tt.want, "refused") || errors.Is(err, plugins.ErrUnavailable) {
		t.Errorf("it was not loaded: %v", err)
	}
	if tt.want[0] == "refused" && !strings.Contains(err.Error(), tt.say) {
		t.Errorf("it was refused: %v, want words like %q", err, tt.say)
	}
}

// rounds runs the script beside its neighbours, and looks at what became of it.
func (tt *torture) rounds(t *testing.T, f *fixture, neighbours []string) {
	t.Helper()
	var outcomes []plugins.Outcome
	missed := 0
	for range tortureRounds {
		o, n := f.round(tt.name, tt.timeout, neighbours)
		outcomes = append(outcomes, o)
		missed += n
	}
	if missed > 1 {
		t.Errorf("the neighbours missed %d runs", missed)
	}
	for _, name := range neighbours {
		if s := f.State(name); s.Crashes > 0 || s.Quarantined {
			t.Errorf("%s is blamed: %+v", name, s)
		}
	}
	o := outcomes[0]
	if tt.late {
		o = outcomes[len(outcomes)-1]
	}
	kind := kindOf(o.Err)
	if !slices.Contains(tt.want, kind) && tt.want[0] != "any" {
		t.Errorf("it ended in %s (%v, cpu %v), want %v", kind, o.Err, o.CPU, tt.want)
	}
	if kind != "good" && !strings.Contains(fmt.Sprint(o.Err), tt.say) {
		t.Errorf("it ended in %v, want words like %q", o.Err, tt.say)
	}
	if len(fmt.Sprint(o.Err)) > 20<<10 {
		t.Errorf("its error is %d bytes long", len(o.Err.Error()))
	}
	tt.checkFate(t, f, kind)
}

// checkFate checks that the one who crashed is named and quarantined, and that
// nobody else is.
func (tt *torture) checkFate(t *testing.T, f *fixture, kind string) {
	t.Helper()
	s := f.State(tt.name)
	switch {
	case tt.want[0] == "any":
	case kind == "crash" && (!s.Quarantined || s.Crashes != 2 || !strings.Contains(s.Reason, tt.say)):
		t.Errorf("state %+v, want a quarantine that says %q", s, tt.say)
	case kind == "crash":
		f.wantLog("level=ERROR", "quarantined", "inspector="+tt.name)
	case kind != "crash" && !slices.Contains(tt.want, "crash") && (s.Quarantined || s.Crashes > 0):
		t.Errorf("state %+v, want no crash", s)
	}
}

func kindOf(err error) string {
	switch {
	case err == nil:
		return "good"
	case errors.Is(err, plugins.ErrTimeout):
		return "timeout"
	case errors.Is(err, plugins.ErrBudget):
		return "budget"
	case errors.Is(err, plugins.ErrCrashed):
		return "crash"
	case errors.Is(err, plugins.ErrUnavailable), errors.Is(err, plugins.ErrClosed), errors.Is(err, plugins.ErrNotLoaded):
		return "not run"
	}
	return "error"
}
