package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// A token goes only to where it was given for, whatever layers give the address
// and tokens. The layers are a configuration file, .env, the environment and flags.
func TestTokenGoesWithItsAddress(t *testing.T) {
	random := rand.New(rand.NewPCG(3, uint64(time.Now().UnixNano())))
	t.Chdir(t.TempDir())
	for _, layer := range []string{"file", "dotenv", "env", "flag"} {
		write(t, ".", layer+".token", layer+"-by-file")
		if err := os.Chmod(layer+".token", 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 3000 {
		o := LoadOptions{Environ: []string{}, Path: "c.yaml", Client: true}
		file, dotEnv := "agent:\n  buffer_reports: 100\n", "OTHER=1\n"
		if random.IntN(3) == 0 {
			file += "  master: https://file:1\n"
		}
		if random.IntN(3) == 0 {
			file += "  token_file: file.token\n"
		}
		for _, line := range []string{
			"VEDETTE_MASTER=https://dotenv:1", "MASTER_IP=dotenv", "MASTER_PORT=2", "VEDETTE_TOKEN=dotenv",
			"VEDETTE_TOKEN_FILE=dotenv.token",
		} {
			if random.IntN(3) == 0 {
				dotEnv += line + "\n"
			}
		}
		for _, line := range []string{"VEDETTE_MASTER=https://env:1", "MASTER_IP=env", "MASTER_PORT=3", "VEDETTE_TOKEN=env", "VEDETTE_TOKEN_FILE=env.token"} {
			if random.IntN(3) == 0 {
				o.Environ = append(o.Environ, line)
			}
		}
		if random.IntN(4) == 0 {
			o.Overrides = append(o.Overrides, Override{"agent.master", "https://flag:1", "master"})
		}
		if random.IntN(4) == 0 {
			o.Overrides = append(o.Overrides, Override{"agent.token_file", "flag.token", "token-file"})
		}
		write(t, ".", "c.yaml", file)
		write(t, ".", ".env", dotEnv)
		c, err := Load(o)
		what := fmt.Sprintf("file:\n%s.env:\n%senvironment: %v, flags: %v", file, dotEnv, o.Environ, o.Overrides)
		if err != nil {
			if !strings.Contains(err.Error(), "give --master too") && !strings.Contains(err.Error(), "would cross the network in clear") {
				t.Fatalf("%v\n%s", err, what)
			}
			continue
		}
		theirs := c.Agent.Token == "dotenv" || c.Agent.Token == "dotenv-by-file"
		at := c.Agent.Master
		named := strings.Contains(at, "dotenv") || strings.HasSuffix(at, ":2") // by the .env, wholly or in part
		if named && !theirs && c.Agent.Token != "" {
			t.Fatalf("the token %q would go to %s, which .env names\n%s", c.Agent.Token, at, what)
		}
		if !named && theirs && !strings.Contains(c.Origin("agent.master").String(), ".env") {
			t.Fatalf("the token %q of .env would go to %s\n%s", c.Agent.Token, at, what)
		}
		if given := len(o.Overrides) > 0 && o.Overrides[len(o.Overrides)-1].Flag == "token-file"; given && c.Agent.Token != "flag-by-file" {
			t.Fatalf("--token-file was given, and the token is %q\n%s", c.Agent.Token, what)
		}
	}
}

// What a .env of a stranger can do to a client: nothing.
func TestDotEnvOfAStranger(t *testing.T) {
	secret := t.TempDir()
	write(t, secret, "token", "mine")
	if err := os.Chmod(secret+"/token", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, dotEnv, link, want string }{
		{name: "a file elsewhere", dotEnv: "VEDETTE_MASTER=https://evil:1\nVEDETTE_TOKEN_FILE=" + secret + "/token\n", want: "is not in the folder of .env"},
		{name: "a link", link: "link", dotEnv: "VEDETTE_MASTER=https://evil:1\nVEDETTE_TOKEN_FILE=link\n", want: "is not in the folder of .env"},
		{name: "a bare line", dotEnv: "FOO\nBAR=1\n"},
		{name: "a bare line beside ours", dotEnv: "FOO\nVEDETTE_MASTER=https://evil:1\n"},
		{name: "settings of another program", dotEnv: "LOG_LEVEL=verbose\nVEDETTE_LISTEN=what\nVEDETTE_HOST=a b\n"},
		{name: "not text", dotEnv: "\x00\xff=\x00"},
		{name: "too long", dotEnv: strings.Repeat("A=1\n", maxDotEnvBytes)},
		{name: "authorities", dotEnv: "VEDETTE_CA=evil.pem\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if tt.link != "" {
				if err := os.Symlink(secret+"/token", tt.link); err != nil {
					t.Fatal(err)
				}
			}
			write(t, ".", ".env", tt.dotEnv)
			c, err := Load(LoadOptions{Environ: []string{"VEDETTE_MASTER="}, Client: true})
			switch {
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Fatalf("got %v, want %s", err, tt.want)
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "" && (c.Agent.Master != "http://127.0.0.1:50505" || c.Agent.CA != "" || c.Agent.Token != ""):
				t.Errorf("got %+v", c.Agent)
			}
		})
	}
}

// A folder called .env, as Python's virtual environments are, is none of ours for
// any command; a file of another program is none either.
func TestDotEnvThatIsNotOurs(t *testing.T) {
	for _, parts := range []Part{0, PartAgent, PartMaster} {
		t.Chdir(t.TempDir())
		if err := os.Mkdir(".env", 0o755); err != nil {
			t.Fatal(err)
		}
		load(t, LoadOptions{Dir: ".", Environ: []string{}, For: parts, Client: parts == 0})
		t.Chdir(t.TempDir())
		write(t, ".", ".env", "export\nFOO\n")
		load(t, LoadOptions{Dir: ".", Environ: []string{}, For: parts, Client: parts == 0})
	}
}

// Of a token and a file with one the later layer wins.
func TestTokenFileOfALaterLayer(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, ".", "token", "by-file")
	if err := os.Chmod("token", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, parts := range []Part{0, PartAgent} {
		for _, tt := range []struct {
			environ   []string
			overrides []Override
			want      string
		}{
			{[]string{"VEDETTE_TOKEN=env"}, []Override{{"agent.token_file", "token", "token-file"}}, "by-file"},
			{[]string{"VEDETTE_TOKEN=env", "VEDETTE_TOKEN_FILE=token"}, nil, "env"},
			{[]string{"VEDETTE_TOKEN=env"}, nil, "env"},
		} {
			if c := load(t, LoadOptions{Environ: tt.environ, Overrides: tt.overrides, For: parts, Client: parts == 0}); c.Agent.Token != tt.want {
				t.Errorf("%v %v: got %q, want %q", tt.environ, tt.overrides, c.Agent.Token, tt.want)
			}
		}
	}
}
