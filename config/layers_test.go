package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const file = "master:\n  listen: 127.0.0.1:1111\nagent:\n  master: http://127.0.0.1:1111\nlog:\n  level: error\n"

func TestLayers(t *testing.T) {
	for _, tt := range []struct {
		name, file, dotEnv string
		environ            []string
		overrides          []Override
		listen, listenFrom string
		master, masterFrom string
	}{
		{
			name: "defaults", listen: "127.0.0.1:50505", listenFrom: "default",
			master: "http://127.0.0.1:50505", masterFrom: "default",
		},
		{
			name: "file", file: file, listen: "127.0.0.1:1111", listenFrom: "c.yaml:2",
			master: "http://127.0.0.1:1111", masterFrom: "c.yaml:4",
		},
		{
			name: ".env over file", file: file, dotEnv: "# shared\nMASTER_IP=127.0.0.2\nexport MASTER_PORT=\"2222\"\n",
			listen: "127.0.0.2:2222", listenFrom: ".env:2 MASTER_IP, .env:3 MASTER_PORT",
			master: "http://127.0.0.2:2222", masterFrom: ".env:2 MASTER_IP, .env:3 MASTER_PORT",
		},
		{
			name: "half an address", file: file, environ: []string{"MASTER_PORT=3333"},
			listen: "127.0.0.1:3333", listenFrom: "env MASTER_PORT, c.yaml:2",
			master: "http://127.0.0.1:3333", masterFrom: "env MASTER_PORT, c.yaml:4",
		},
		{
			name: "environment over .env", dotEnv: "MASTER_IP=127.0.0.2\nMASTER_PORT=2222\n", environ: []string{"MASTER_PORT=3333"},
			listen: "127.0.0.2:3333", listenFrom: "env MASTER_PORT, .env:1 MASTER_IP",
			master: "http://127.0.0.2:3333", masterFrom: "env MASTER_PORT, .env:1 MASTER_IP",
		},
		{
			name: "the exact variable over the address", environ: []string{"MASTER_IP=::1", "MASTER_PORT=1", "VEDETTE_LISTEN=127.0.0.9:9"},
			listen: "127.0.0.9:9", listenFrom: "env VEDETTE_LISTEN",
			master: "http://[::1]:1", masterFrom: "env MASTER_IP, env MASTER_PORT",
		},
		{
			name: "an empty variable is none", file: file, environ: []string{"MASTER_IP=", "VEDETTE_LISTEN="},
			listen: "127.0.0.1:1111", listenFrom: "c.yaml:2", master: "http://127.0.0.1:1111", masterFrom: "c.yaml:4",
		},
		{
			name: "flags over all", file: file, environ: []string{"VEDETTE_LISTEN=127.0.0.9:9", "VEDETTE_MASTER=https://a:1"},
			overrides: []Override{{"master.listen", "127.0.0.1:7", "listen"}, {"agent.master", "https://b:2", "master"}},
			listen:    "127.0.0.1:7", listenFrom: "flag --listen", master: "https://b:2", masterFrom: "flag --master",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			o := LoadOptions{Environ: tt.environ, Overrides: tt.overrides, For: PartMaster | PartAgent}
			if o.Environ == nil {
				o.Environ = []string{}
			}
			if tt.file != "" {
				write(t, dir, "c.yaml", tt.file)
				o.Path = "c.yaml"
			}
			if tt.dotEnv != "" {
				write(t, dir, ".env", tt.dotEnv)
			}
			c, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			if got, from := c.Master.Listen, c.Origin("master.listen").String(); got != tt.listen || from != tt.listenFrom {
				t.Errorf("listen is %s (%s), want %s (%s)", got, from, tt.listen, tt.listenFrom)
			}
			if got, from := c.Agent.Master, c.Origin("agent.master").String(); got != tt.master || from != tt.masterFrom {
				t.Errorf("master is %s (%s), want %s (%s)", got, from, tt.master, tt.masterFrom)
			}
		})
	}
}

func TestEnvironmentOfLog(t *testing.T) {
	c := load(t, LoadOptions{Environ: []string{"LOG_LEVEL=Trace", "LOG_COMPONENTS=master, agent,"}})
	if c.Log.Level != slog.LevelDebug || !slices.Equal(c.Log.Components, []string{"master", "agent"}) {
		t.Errorf("got %+v", c.Log)
	}
}

func TestFaultsOutsideTheFile(t *testing.T) {
	for _, tt := range []struct {
		name, dotEnv string
		environ      []string
		overrides    []Override
		want         string
	}{
		{
			name: "port", environ: []string{"MASTER_PORT=tcp://10.0.0.1:50505"},
			want: `env MASTER_PORT: "tcp://10.0.0.1:50505" is not a port; write a number from 0 to 65535`,
		},
		{
			name: "ip with port", environ: []string{"MASTER_IP=127.0.0.1:50505"},
			want: `env MASTER_IP: "127.0.0.1:50505" is neither an address nor a host name; the port goes into MASTER_PORT`,
		},
		{name: "level", environ: []string{"LOG_LEVEL=loud"}, want: `env LOG_LEVEL: "loud" is not a level; write debug, info, warn or error`},
		{name: "level in .env", dotEnv: "A=1\nLOG_LEVEL=loud\n", want: `.env:2 LOG_LEVEL: "loud" is not a level; write debug, info, warn or error`},
		{
			name: "flag", overrides: []Override{{"master.listen", "here", "listen"}},
			want: `flag --listen: master.listen: "here" has no port; write host:port, such as 127.0.0.1:50505`,
		},
		{
			name: "static flag", overrides: []Override{{"master.static[/master/app]", "no-such-folder", "static"}},
			want: `flag --static: master.static[/master/app]: there is no folder "no-such-folder"`,
		},
		{
			name: "unreadable .env", dotEnv: "A=1\nsecret hunter2 \"x\nMASTER_PORT=2\n",
			want: `.env:2:1: cannot be understood; write NAME=value, with quotes around a value that has spaces or #`,
		},
		{name: "token in clear", environ: []string{"VEDETTE_TOKEN=hunter2", "VEDETTE_MASTER=http://192.0.2.1:1"}, want: `env VEDETTE_MASTER: agent.master: the token would cross the network in clear to "http://192.0.2.1:1"; write https://, or remove the token`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if tt.dotEnv != "" {
				write(t, ".", ".env", tt.dotEnv)
			}
			if tt.environ == nil {
				tt.environ = []string{}
			}
			_, err := Load(LoadOptions{Environ: tt.environ, Overrides: tt.overrides, For: PartMaster | PartAgent})
			if err == nil {
				t.Fatal("was accepted")
			}
			if got := err.Error(); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message shows a secret")
			}
		})
	}
}

// Beyond loopback a master speaks TLS, whatever else is configured.
func TestExposedMasterIsSecure(t *testing.T) {
	for listen, exposed := range map[string]bool{
		"127.0.0.1:1": false, "localhost:1": false, "[::1]:1": false, "0.0.0.0:1": true, ":1": true, "[::]:1": true, "192.0.2.1:1": true, "m.example:1": true,
	} {
		m := Master{Listen: listen}
		if m.Exposed() != exposed || m.Secure() != exposed || m.OwnCertificate() != exposed {
			t.Errorf("%s: exposed %v, secure %v", listen, m.Exposed(), m.Secure())
		}
		m.TLS.Own = true
		if !m.Secure() || !m.OwnCertificate() {
			t.Errorf("%s is not secure with its own certificate", listen)
		}
		m.TLS = TLS{Cert: "c", Key: "k"}
		if !m.Secure() || m.OwnCertificate() {
			t.Errorf("%s is not secure with the operator's certificate", listen)
		}
	}
}

func TestUnknownVariablesWarn(t *testing.T) {
	c := load(t, LoadOptions{Environ: []string{"VEDETTE_LISTNE=x", "VEDETTE_SERVICE_HOST=10.0.0.1", "VEDETTE_CONFIG=x", "OTHER=1"}})
	want := []string{
		"env VEDETTE_LISTNE: no such setting; did you mean VEDETTE_LISTEN?",
		"env VEDETTE_SERVICE_HOST: no such setting",
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("got %q, want %q", c.Warnings, want)
	}
}

func TestTokenFile(t *testing.T) {
	dir := t.TempDir()
	options := func(token string, mode os.FileMode) LoadOptions {
		path := write(t, dir, "token", token)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return LoadOptions{Path: write(t, dir, "c.yaml", "agent:\n  token_file: token\n"), Dir: dir, Environ: []string{}, For: PartAgent}
	}
	c := load(t, options("hunter2\n", 0o640))
	if c.Agent.Token != "hunter2" {
		t.Errorf("token is %q", c.Agent.Token)
	}
	if text := print(t, c); strings.Contains(text, "hunter2") {
		t.Errorf("the token is printed:\n%s", text)
	}
	for _, tt := range []struct {
		token string
		mode  os.FileMode
		want  string
	}{
		{"hunter2", 0o644, "(mode 0644); run: chmod 600 "},
		{"\n", 0o600, "is empty"},
		{"a b", 0o600, "more than one word"},
		{strings.Repeat("x", 5000), 0o600, "is longer than 4096 bytes"},
	} {
		if _, err := Load(options(tt.token, tt.mode)); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("mode %v, token %.9q: got %v, want %q", tt.mode, tt.token, err, tt.want)
		}
	}
	env := options("hunter2", 0o600)
	env.Environ = []string{"VEDETTE_TOKEN=other"}
	c = load(t, env)
	if c.Agent.Token != "other" {
		t.Errorf("the environment does not win: %q", c.Agent.Token)
	}
	if text := print(t, c); strings.Contains(text, "other") || !strings.Contains(text, "# the token is set: env VEDETTE_TOKEN") {
		t.Errorf("printed:\n%s", text)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "none.yaml: there is no such file",
		dir:                             "cannot read the file: is a directory",
	} {
		if _, err := Load(LoadOptions{Path: path, Dir: dir, Environ: []string{}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestStateFolder(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{[]string{"HOME=/home/me"}, "/home/me/.local/state"},
		{[]string{"HOME=/home/me", "XDG_STATE_HOME=/state"}, "/state"},
		{[]string{"HOME=/home/me", "XDG_STATE_HOME=relative"}, "/home/me/.local/state"},
		{nil, "/var/lib"},
	} {
		if got := stateFolder(tt.environ); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.environ, got, tt.want)
		}
	}
}

func TestHostName(t *testing.T) {
	for name, want := range map[string]string{"web-1": "web-1", "Büro PC": "B-ro-PC", "-x": "x", "": "localhost", "日本": "localhost"} {
		if got := hostName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestTooManyFaults(t *testing.T) {
	text := "inspectors:\n" + strings.Repeat("  <: { go: x }\n", 300)
	_, err := Load(LoadOptions{Path: write(t, t.TempDir(), "c.yaml", text), Dir: t.TempDir(), Environ: []string{}})
	if err == nil || !strings.HasSuffix(err.Error(), "\nand 200 more faults") {
		t.Errorf("got %v", err)
	}
}

// A small file can stand for a very large one.
func TestAliasBomb(t *testing.T) {
	text := "master:\n  tokens:\n    - &a { name: x, role: viewer }\n"
	for i := range 12 {
		text += strings.ReplaceAll("    - &N [*L, *L, *L, *L, *L, *L, *L, *L]\n", "N", string(rune('b'+i)))
		text = strings.ReplaceAll(text, "L", string(rune('a'+i)))
	}
	text += "agent: &n { labels: *m }\n"
	if _, err := Load(LoadOptions{Path: write(t, t.TempDir(), "c.yaml", text), Dir: t.TempDir(), Environ: []string{}}); err == nil {
		t.Error("was accepted")
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 2000 {
			t.Skip()
		}
		c := Default(nil)
		l := &loader{source: newSource(), c: c}
		c.src = l.source
		l.file = "c.yaml"
		decode(l.source, text, c)
		l.validate(LoadOptions{Library: libraryNames()})
		if err := l.err(); err != nil {
			_ = err.Error()
			return
		}
		_, _ = c.Definitions()
		printed := print(t, c)
		second := Default(nil)
		again := &loader{source: newSource(), c: second}
		second.src = again.source
		decode(again.source, []byte(printed), second)
		again.validate(LoadOptions{Library: libraryNames()})
		if err := again.err(); err != nil {
			t.Fatalf("the print is not accepted: %v\n%s", err, printed)
		}
		for name, in := range c.Inspectors {
			if in.Go != second.Inspectors[name].Go {
				t.Fatalf("the code of %s changed from %q to %q:\n%s", name, in.Go, second.Inspectors[name].Go, printed)
			}
		}
	})
}
