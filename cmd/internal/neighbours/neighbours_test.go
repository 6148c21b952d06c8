package neighbours

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// The two releases.
const (
	before = "v0.0.1-before"
	today  = "v0.0.2-today"
)

// host is the name of the only host.
const host = "web-1"

// programs has the folders with the programs of each release.
type programs map[string]string

// build builds both programs of both releases: the one before, and this tree.
func build(t *testing.T, releases ...string) programs {
	t.Helper()
	if os.Getenv("VEDETTE_TEST_BEFORE") == "" {
		t.Skip("SKIPPED: it builds the release before, which takes minutes; run: make upgrade-test")
	}
	text, err := os.ReadFile("before.txt")
	if err != nil {
		t.Fatal(err)
	}
	commit := strings.TrimSpace(string(text))
	if out, err := exec.Command("git", "cat-file", "-e", commit+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: the commit %.12s of the release before is not in this clone: %v %s; run: git fetch --unshallow", commit, err, bytes.TrimSpace(out))
	}
	tree, built := t.TempDir(), make(programs)
	// git archives only the current folder of a repository, so it runs at the top.
	unpack := exec.Command("sh", "-ec", `git -C "$(git rev-parse --show-toplevel)" archive "$COMMIT" | tar -x -C "$TREE"`)
	unpack.Env = append(os.Environ(), "COMMIT="+commit, "TREE="+tree)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("cannot unpack %s: %v\n%s", commit, err, out)
	}
	for _, release := range releases {
		from := map[string]string{before: tree, today: "../../.."}[release]
		built[release] = t.TempDir()
		// With -trimpath, the build cache finds earlier builds.
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-X github.com/vedettehq/vedette/cmd/internal/cli.version="+release,
			"-o", built[release]+"/", "./cmd/vedette", "./cmd/vedette-agent")
		cmd.Dir = from
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("cannot build %s: %v\n%s", release, err, out)
		}
	}
	return built
}

// mesh is a master and an agent, each of one of the releases, with their data.
type mesh struct {
	*testing.T
	built         programs
	dir, address  string
	master, agent string // their releases
	running       map[string]*exec.Cmd
	value         int // the value of the inspector that was pushed last

	scheme string   // of the master's address
	more   []string // arguments of the master
}

func newMesh(t *testing.T, built programs) *mesh {
	t.Helper()
	m := &mesh{T: t, built: built, dir: t.TempDir(), address: freeport.Address(t), running: make(map[string]*exec.Cmd), scheme: "http://"}
	t.Cleanup(func() {
		for what := range m.running {
			m.stop(what)
		}
	})
	return m
}

// file returns the path of a file in the mesh's folder.
func (m *mesh) file(name string) string { return filepath.Join(m.dir, name) }

// start starts a program and sends its output to a file.
func (m *mesh) start(what, program string, args ...string) {
	m.Helper()
	out, err := os.OpenFile(m.file(what+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.dir, environ(), out, out
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	m.running[what] = cmd
}

// environ is the environment of programs, without settings of the developer.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "VEDETTE_") })
}

// stop stops a program as a service manager does, and prints its output if the test fails.
func (m *mesh) stop(what string) {
	m.Helper()
	cmd := m.running[what]
	delete(m.running, what)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	patience.Return(m, "the end of the "+what, func() {
		if err := cmd.Wait(); err != nil {
			m.Errorf("the %s ended with %v", what, err)
		}
	})
	if m.Failed() {
		text, _ := os.ReadFile(m.file(what + ".log"))
		m.Logf("the %s says:\n%s", what, text[max(0, len(text)-8000):])
	}
}

// be switches the master and the agent to these releases.
func (m *mesh) be(master, agent string) {
	m.Helper()
	if m.running["master"] != nil && m.master != master {
		m.stop("master")
	}
	if m.running["agent"] != nil && m.agent != agent {
		m.stop("agent")
	}
	if m.running["master"] == nil {
		m.start("master", m.built[master]+"/vedette", append([]string{"master", "--listen", m.address, "--data", m.file("master-data")}, m.more...)...)
	}
	if m.running["agent"] == nil {
		m.install(agent)
		m.start("agent", m.file("vedette-agent"), "--config", m.file("agent.yaml"))
	}
	m.master, m.agent = master, agent
}

// install installs the agent of a release on the host.
func (m *mesh) install(release string) {
	m.Helper()
	program, err := os.ReadFile(m.built[release] + "/vedette-agent")
	if err == nil {
		err = os.WriteFile(m.file("new"), program, 0o755)
	}
	if err == nil {
		err = os.Rename(m.file("new"), m.file("vedette-agent"))
	}
	if err != nil {
		m.Fatal(err)
	}
}

// ask runs a command of one of the releases.
func (m *mesh) ask(release string, args ...string) (string, error) {
	cmd := exec.CommandContext(patience.Context(m), m.built[release]+"/vedette", args...)
	cmd.Dir = m.dir
	cmd.Env = append(environ(), "VEDETTE_MASTER="+m.scheme+m.address, "VEDETTE_CA="+m.ca(), "HOME="+m.dir, "VEDETTE_TIMEOUT=2m")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &stderr)
	}
	return string(out), err
}

// ca is the file of the master's authority, or "" if it speaks no TLS.
func (m *mesh) ca() string {
	if m.scheme == "https://" {
		return m.file("master-data/authority.crt")
	}
	return ""
}

func (m *mesh) must(release string, args ...string) string {
	m.Helper()
	out, err := m.ask(release, args...)
	if err != nil {
		m.Fatalf("with a master %s and an agent %s, `vedette %s` of %s failed: %v\n%s", m.master, m.agent, strings.Join(args, " "), release, err, out)
	}
	return out
}

// await repeats a check, with commands of the one release and then of the other.
func (m *mesh) await(what string, ok func(release string) bool) {
	m.Helper()
	for release := range m.built {
		patience.Until(m, fmt.Sprintf("%s, with a master %s and an agent %s, asked by %s", what, m.master, m.agent, release), func() bool { return ok(release) })
	}
}

// isUp waits until the agent of a release is up.
func (m *mesh) isUp(release string) {
	m.Helper()
	m.await("the agent to be up", func(by string) bool {
		out, err := m.ask(by, "hosts", "--json")
		var one struct{ Host, State, Version string }
		if err != nil || json.Unmarshal([]byte(out), &one) != nil {
			return false
		}
		return one.Host == host && one.State == "up" && one.Version == release
	})
}

// yields waits until an expression has a value.
func (m *mesh) yields(expression string, value int) {
	m.Helper()
	m.await(fmt.Sprintf("%s to be %d", expression, value), func(by string) bool {
		out, err := m.ask(by, "query", expression)
		fields := strings.Fields(out)
		return err == nil && len(fields) > 0 && fields[len(fields)-1] == fmt.Sprint(value)
	})
}

// works checks that master and agent work together: they are up, pushed code runs, and its
// samples are in the history beside the older ones.
func (m *mesh) works(pushedBy string) {
	m.Helper()
	m.isUp(m.agent)
	if m.value > 0 {
		m.yields("answer", m.value) // it runs after the switch as before
	}
	m.value++
	script := fmt.Sprintf("//vedette:interval 1s\npackage answer\n\nfunc Inspect() (float64, error) { return %d, nil }\n", m.value)
	if err := os.WriteFile(m.file("answer.go"), []byte(script), 0o600); err != nil {
		m.Fatal(err)
	}
	m.must(pushedBy, "push", m.file("answer.go"), "--name", "answer", "--to", "host="+host, "-m", "value "+fmt.Sprint(m.value))
	m.yields("answer", m.value)
	m.yields("min_over_time(answer[1h])", 1)
	if out := m.must(pushedBy, "inspector", "history", "answer"); !strings.Contains(out, "value 1") || !strings.Contains(out, fmt.Sprint("value ", m.value)) {
		m.Errorf("the history of the inspector is\n%s", out)
	}
	if out := m.must(pushedBy, "receipts", "answer", "--json"); !strings.Contains(out, `"healthy"`) {
		m.Errorf("the receipts are %s", out)
	}
	m.must(pushedBy, "audit", "verify")
}

// configure writes the configuration of the agent, and makes the key of the releases.
func (m *mesh) configure() {
	m.Helper()
	m.must(before, "key", "--out", m.file("release.pem"))
	var key struct{ Public string }
	if err := json.Unmarshal([]byte(m.must(before, "key", "--of", m.file("release.pem"), "--json")), &key); err != nil {
		m.Fatal(err)
	}
	text := fmt.Sprintf("agent:\n  host: %s\n  master: http://%s\n  data: %s\n  accept_pushed_inspectors: true\n"+
		"  upgrade: { allow: true, packaged: true, within: 10m, keys: [%q] }\n", host, m.address, m.file("agent-data"), key.Public)
	if err := os.WriteFile(m.file("agent.yaml"), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

// TestNeighbours switches the releases of a master and an agent at random until every pair
// was there, and some twice. After each switch everything works, with the earlier data.
// Then the master of each release replaces the program of the agent, and withdraws it.
func TestNeighbours(t *testing.T) {
	built := build(t, before, today)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	releases := []string{before, today}
	m := newMesh(t, built)
	m.configure()
	seen := make(map[[2]string]bool)
	for n := 0; len(seen) < 4 || n < 7; n++ {
		next := [2]string{releases[r.IntN(2)], releases[r.IntN(2)]}
		if n > 0 && next == [2]string{m.master, m.agent} {
			n--
			continue
		}
		seen[next] = true
		t.Logf("a master %s and an agent %s", next[0], next[1])
		m.be(next[0], next[1])
		m.works(releases[r.IntN(2)])
	}
	for _, master := range releases {
		m.be(master, before)
		m.isUp(before)
		m.must(master, "hosts", "upgrade", "--to", "host="+host, "--program", built[today]+"/vedette-agent", "--release-key", m.file("release.pem"))
		m.agent = today
		m.works(master)
		m.must(master, "inspector", "delete", "vedette/agent")
		m.isUp(before)
		m.agent = before
		m.works(master)
	}
}

// TestJoinedNeighbours has a host join the master of each release with the agent of each,
// over TLS. Then the releases change as above, at random, and after each change the
// certificate is renewed. A new authority of one release is trusted by the other.
func TestJoinedNeighbours(t *testing.T) {
	built := build(t, before, today)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	releases := []string{before, today}
	var pairs [][2]string
	for _, master := range releases {
		for _, agent := range releases {
			pairs = append(pairs, [2]string{master, agent})
		}
	}
	for _, joined := range pairs {
		t.Run(joined[0]+" joined by "+joined[1], func(t *testing.T) {
			m := newMesh(t, built)
			m.scheme, m.more = "https://", []string{"--config", m.file("master.yaml")}
			if err := os.WriteFile(m.file("master.yaml"), []byte("master:\n  tls: { own: true }\n  join: { lifetime: 15s }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			m.join(joined[0], joined[1])
			order := slices.Clone(pairs)
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			for i, next := range slices.Concat([][2]string{joined}, order) {
				m.be(next[0], next[1])
				m.isUp(next[1])
				m.renews()
				if i == 2 {
					m.must(releases[r.IntN(2)], "authority", "rotate")
					m.renews()
				}
			}
			m.works(releases[r.IntN(2)])
		})
	}
}

// join starts the master of a release, and has the host join it with the agent of one.
func (m *mesh) join(master, agent string) {
	m.Helper()
	m.master, m.agent = master, agent
	m.start("master", m.built[master]+"/vedette", append([]string{"master", "--listen", m.address, "--data", m.file("master-data")}, m.more...)...)
	m.await("a join token", func(release string) bool {
		_, err := m.ask(release, "hosts", "--json")
		return err == nil
	})
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(m.must(agent, "join-token", "--url", m.scheme+m.address, "--json")), &made); err != nil {
		m.Fatal(err)
	}
	m.install(agent)
	cmd := exec.CommandContext(patience.Context(m), m.file("vedette-agent"), "join", m.scheme+m.address, "--token", made.Token,
		"--host", host, "--config", m.file("agent.yaml"), "--data", m.file("agent-data"), "--accept-pushed")
	cmd.Dir, cmd.Env = m.dir, environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("an agent %s cannot join a master %s: %v\n%s", agent, master, err, out)
	}
}

// ends returns when the certificate of the host ends, as commands of a release see it.
func (m *mesh) ends(release string) int64 {
	out, err := m.ask(release, "hosts", "members", "--json")
	var one struct {
		EndsMS int64 `json:"ends_ms"`
	}
	if err != nil || json.Unmarshal([]byte(out), &one) != nil {
		return 0
	}
	return one.EndsMS
}

// renews waits until the certificate is renewed, and the host is up with it.
func (m *mesh) renews() {
	m.Helper()
	var from int64
	m.await("a certificate", func(release string) bool { from = m.ends(release); return from > 0 })
	m.await("the certificate to be renewed", func(release string) bool { return m.ends(release) > from })
	m.isUp(m.agent)
}
