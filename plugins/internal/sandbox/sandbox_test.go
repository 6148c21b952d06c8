//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/broker"
)

// The test binary plays two more parts: that of an agent, with a secret in its
// environment, and that of the agent's script host, whose code is an attacker's.
const (
	partVariable = "SANDBOX_TEST_PART"
	partAgent    = "agent"
	partHost     = "host"
	secret       = "a-secret-of-the-agent"
	nobody       = 65534
)

func TestMain(m *testing.M) {
	switch os.Getenv(partVariable) {
	case partAgent:
		beAgent()
	case partHost:
		beHost()
	default:
		goleak.VerifyTestMain(m)
	}
}

// stage is what an attack may be made on.
type stage struct {
	Dir      string   // writable by the agent
	Private  string   // a folder of the agent
	Token    string   // a file of the agent, within it
	Granted  string   // a folder that may be read, with the file "good"
	TCP      string   // an address that somebody listens on
	Unix     string   // the same of a local socket
	Other    string   // another address that somebody listens on
	Abstract string   // the same of one that is no file
	Parent   int      // the agent
	Control  bool     // there is no sandbox: what is not harmless is left out
	Needs    string   // what the host may connect to, as scripts say it
	Want     Settings // for the host
}

// told is what a host says about its attacks.
type told struct {
	Report  Report
	Results map[string]string // the error of each, or ""
}

// beAgent runs a host with the settings of the stage and passes on what it says.
func beAgent() {
	var s stage
	if err := json.Unmarshal([]byte(os.Getenv("STAGE")), &s); err != nil {
		panic(err)
	}
	if err := HideMemory(); err != nil {
		panic(err)
	}
	s.Parent = os.Getpid()
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	host := exec.Command(self)
	host.Env = []string{partVariable + "=" + partHost, "STAGE=" + string(text)}
	if !s.Control {
		host.Env = append(host.Env, EnvSettings+"="+s.Want.Encode())
	}
	host.Dir, host.Stderr, host.Stdout = "/", os.Stderr, os.Stdout
	if s.Want.Broker > 0 {
		defer connectFor(host, &s)()
	}
	if err := host.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "the host:", err)
		os.Exit(1)
	}
}

// connectFor has a broker make the connections of the host, until the function
// that it returns is called.
func connectFor(host *exec.Cmd, s *stage) func() {
	needs, err := inspectors.ParseNeeds(s.Needs)
	if err != nil {
		panic(err)
	}
	reach, err := broker.ReachOf(needs)
	if err != nil {
		panic(err)
	}
	reach.User, reach.Private = s.Want.User, s.Want.Private
	b, forHost, err := broker.New(slog.New(slog.NewTextHandler(os.Stderr, nil)), []string{"/proc"}, reach)
	if err != nil {
		panic(err)
	}
	host.ExtraFiles = []*os.File{forHost} // descriptor 3
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run()
	}()
	return func() {
		forHost.Close()
		b.Close()
		<-done
	}
}

func beHost() {
	if err := Enter(); err != nil {
		panic(err)
	}
	var s stage
	if err := json.Unmarshal([]byte(os.Getenv("STAGE")), &s); err != nil {
		panic(err)
	}
	report, _ := Seal()
	t := told{Report: report, Results: make(map[string]string)}
	for _, a := range slices.Concat(attacks(), duties()) {
		if s.Control && a.harmful {
			continue
		}
		t.Results[a.name] = ""
		if err := a.do(&s); err != nil {
			t.Results[a.name] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(t); err != nil {
		panic(err)
	}
}

// play sets the stage and has an agent of a user run a host on it.
func play(t *testing.T, user int, set func(*stage)) told {
	t.Helper()
	s := newStage(t, user)
	set(&s)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	agent := exec.CommandContext(t.Context(), self)
	agent.Dir = "/"
	agent.Env = []string{partVariable + "=" + partAgent, "STAGE=" + string(text), "SECRET=" + secret}
	agent.SysProcAttr = &syscall.SysProcAttr{}
	if user != os.Geteuid() {
		agent.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}
	}
	var stderr strings.Builder
	agent.Stderr = &stderr
	out, err := agent.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var result told
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return result
}

func newStage(t *testing.T, user int) stage {
	t.Helper()
	root, err := os.MkdirTemp("", "vs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	s := stage{Dir: root, Private: filepath.Join(root, "private"), Granted: filepath.Join(root, "granted")}
	s.Token = filepath.Join(s.Private, "token")
	for path, text := range map[string]string{
		s.Token: secret, filepath.Join(s.Granted, "good"): "good", filepath.Join(root, "victim"): "victim",
		filepath.Join(root, "bystander"): "bystander",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		// As open as can be: it is not for permissions to hold here.
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(s.Token, filepath.Join(s.Granted, "link")); err != nil {
		t.Fatal(err)
	}
	err = filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.Mode()&os.ModeSymlink != 0 {
			return err
		}
		if os.Geteuid() != 0 {
			return nil
		}
		if err := os.Chown(path, user, user); err != nil {
			return err
		}
		return os.Chmod(path, info.Mode()|0o666|(info.Mode()&os.ModeDir>>31)*0o111)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	s.Other = listen(t, "tcp", "127.0.0.1:0")
	s.Abstract = listen(t, "unix", "@"+filepath.Base(root))
	s.TCP, s.Unix = listen(t, "tcp", "127.0.0.1:0"), listen(t, "unix", filepath.Join(root, "s"))
	if os.Geteuid() == 0 {
		if err := os.Chmod(s.Unix, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	s.Want = Settings{NoUser: "the agent does not run as root", Private: []string{s.Private}, Read: []string{s.Granted}, Name: "probe", OOMScoreAdj: 300}
	if user == 0 {
		s.Want.User, s.Want.NoUser = DefaultUser, ""
	}
	return s
}

func listen(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// users are those that an agent may run as, as far as this process can be them.
func users(t *testing.T) map[string]int {
	t.Helper()
	if os.Geteuid() != 0 {
		return map[string]int{"user " + strconv.Itoa(os.Geteuid()): os.Geteuid()}
	}
	return map[string]int{"root": 0, "nobody": nobody}
}

func TestAttacks(t *testing.T) {
	for name, user := range users(t) {
		t.Run(name, func(t *testing.T) {
			result := play(t, user, func(*stage) {})
			wantLayers(t, user, result.Report)
			for _, a := range attacks() {
				if result.Results[a.name] == "" {
					t.Errorf("%s succeeds", a.name)
				}
			}
			for _, d := range duties() {
				if err := result.Results[d.name]; err != "" {
					t.Errorf("%s is needed and fails: %s", d.name, err)
				}
			}
		})
	}
}

func wantLayers(t *testing.T, user int, r Report) {
	t.Helper()
	want, missing := []string{LayerMounts, LayerUser, LayerLandlock, LayerSeccomp}, 0
	if user != 0 {
		want, missing = []string{LayerLandlock, LayerSeccomp}, 2
	}
	if !slices.Equal(r.Layers, want) || len(r.Missing) != missing || len(r.Faults) > 0 {
		t.Errorf("the report is %+v; want the layers %v, and %d missing", r, want, missing)
	}
}

// needing lets the host of a stage connect to what scripts say they need.
func needing(s *stage, needs string) {
	n, err := inspectors.ParseNeeds(needs)
	if err != nil {
		panic(err)
	}
	s.Needs, s.Want.Broker, s.Want.Watched = needs, 3, s.Want.User == 0
	s.Want.Net, s.Want.Unix = n.Net || len(n.Endpoints) > 0, len(n.Sockets) > 0
}

// Connections are for those who need them, and to what they name; listening still
// is for nobody.
func TestConnections(t *testing.T) {
	for name, user := range users(t) {
		for _, c := range []struct {
			name  string
			needs func(s *stage) string
			open  []string
		}{
			{"net", func(*stage) string { return "net" }, nil},
			{"the endpoint", func(s *stage) string { return "net:" + s.TCP }, []string{"connect over TCP", "connect over UDP"}},
			{
				"its network", func(*stage) string { return "net:127.0.0.0/8" },
				[]string{"connect over TCP", "connect over UDP", "connect elsewhere by changing the address"},
			},
			{"its name", func(s *stage) string { return "net:localhost:" + port(s.TCP) }, []string{"connect over TCP", "connect over UDP"}},
			{"everything", func(*stage) string { return "net net:0.0.0.0/0 net:[::/0]:*" }, nil},
			{"another port", func(*stage) string { return "net:127.0.0.1:1" }, nil},
			{"the socket", func(s *stage) string { return "unix:" + s.Unix }, []string{"connect to a local socket"}},
			{"its folder", func(s *stage) string { return "unix:" + s.Dir }, []string{"connect to a local socket"}},
			{"another socket", func(s *stage) string { return "net unix:" + s.Granted }, nil},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				result := play(t, user, func(s *stage) { needing(s, c.needs(s)) })
				for _, a := range attacks() {
					if err := result.Results[a.name]; slices.Contains(c.open, a.name) != (err == "") {
						t.Errorf("%s ends with %q; %+v", a.name, err, result.Report)
					}
				}
			})
		}
		t.Run(name+"/without an agent that looks", func(t *testing.T) {
			result := play(t, user, func(s *stage) { s.Want.Net, s.Want.Unix = true, true })
			for _, a := range attacks() {
				if result.Results[a.name] == "" {
					t.Errorf("%s succeeds", a.name)
				}
			}
		})
	}
}

func port(address string) string {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	return p
}

// The attacks are real: where nothing holds them off they succeed. Without this
// the tests above could not fail.
func TestAttacksAreReal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can do what is forbidden")
	}
	result := play(t, 0, func(s *stage) { s.Control = true })
	for _, a := range attacks() {
		if !a.harmful && result.Results[a.name] != "" {
			t.Errorf("%s fails without a sandbox too: %s", a.name, result.Results[a.name])
		}
	}
}

// One layer that is missing leaves the others in force. What it held off alone
// is not asked here; what two hold off still is.
func TestLayersHoldAlone(t *testing.T) {
	for name, user := range users(t) {
		result := play(t, user, func(s *stage) { s.Want.User, s.Want.NoUser = 0, "for a test" })
		for _, want := range []string{LayerLandlock, LayerSeccomp} {
			if !slices.Contains(result.Report.Layers, want) {
				t.Errorf("%s: %s is not in force without a user: %+v", name, want, result.Report)
			}
		}
		for _, attack := range []string{
			"read the token", "read the shadow file", "write a file", "execute a program", "signal the agent",
			"read the agent's environment", "mount",
		} {
			if result.Results[attack] == "" {
				t.Errorf("%s: %s succeeds where the user stays", name, attack)
			}
		}
	}
}

func TestWithout(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/x", "a/y/z", "b/c"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	at := func(names ...string) []string {
		for i := range names {
			names[i] = filepath.Join(root, names[i])
		}
		return names
	}
	for _, c := range []struct {
		name       string
		kept, want []string
	}{
		{"a", nil, at("a")},
		{"a", at("b"), at("a")},
		{"a", at("a"), nil},
		{"a/y", at("a"), nil},
		{"a", at("a/x"), at("a/y")},
		{".", at("a/y/z", "b"), at("a/x")},
		{"none", nil, nil},
	} {
		if got := without(filepath.Join(root, c.name), c.kept); !slices.Equal(got, c.want) {
			t.Errorf("%s without %v is %v, want %v", c.name, c.kept, got, c.want)
		}
	}
}
