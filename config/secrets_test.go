package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSecretsAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("A_SECRET", "of the environment")
	write("passed-on", "of systemd\n", 0o400)
	for _, tt := range []struct {
		name       string
		secret     Secret
		want, fail string
	}{
		{"file", Secret{File: write("f", " a file \r\n", 0o600)}, " a file ", ""},
		{"lines", Secret{File: write("l", "two\nlines\n\n", 0o600)}, "two\nlines\n", ""},
		{"env", Secret{Env: "A_SECRET"}, "of the environment", ""},
		{"passed-on", Secret{}, "of systemd", ""},
		{"not-passed-on", Secret{}, "", "there is no file "},
		{"unset", Secret{Env: "NO_SUCH_SECRET"}, "", "the variable NO_SUCH_SECRET of the agent's environment is not set"},
		{"open", Secret{File: write("o", "open to all", 0o644)}, "", "run: chmod 600 "},
		{"short", Secret{File: write("s", "abc\n", 0o600)}, "", "has 3 bytes; a secret needs at least 4"},
		{"long", Secret{File: write("g", strings.Repeat("long", 2049), 0o600)}, "", "8194 bytes"},
		{"most", Secret{File: write("m", strings.Repeat("long", 2048)+"\n", 0o600)}, strings.Repeat("long", 2048), ""},
		{"binary", Secret{File: write("b", "abc\xff\xfe", 0o600)}, "", "keep the value in base64"},
		{"control", Secret{File: write("c", "abc\x00def", 0o600)}, "", "has control characters; keep the value in base64"},
		{"folder", Secret{File: dir}, "", "is not a file"},
	} {
		got, err := tt.secret.Read(tt.name)
		if got != tt.want || (err == nil) != (tt.fail == "") || err != nil && !strings.Contains(err.Error(), tt.fail) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: the error has the value: %v", tt.name, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := (Secret{}).Read("x"); err == nil || !strings.Contains(err.Error(), "LoadCredential=x:PATH") {
		t.Errorf("got %v", err)
	}
	a := Agent{}
	if _, err := a.ReadSecret("x"); err == nil || !strings.Contains(err.Error(), "agent.secrets") {
		t.Errorf("got %v", err)
	}
}

// What holds a secret is out of the sight of scripts, whatever they need.
func TestSecretFilesArePrivate(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/vedette-agent.service")
	c := Config{
		Agent: Agent{Secrets: map[string]Secret{"a": {File: "/etc/vedette/a"}, "b": {Env: "B"}}},
		Master: Master{
			Audit: Audit{TokenFile: "/etc/audit.token", Key: "/etc/audit.key"}, RemoteWrite: []RemoteWrite{{TokenFile: "/etc/write.token"}},
			Alerts: Alerts{SMTP: SMTP{PasswordFile: "/etc/smtp.password"}},
		},
		Inspectors: map[string]Inspector{"x": {Client: HTTPClient{Key: "/etc/x.key"}}},
	}
	all := strings.Join(c.Private(), " ")
	for _, path := range []string{
		"/etc/vedette/a", "/run/credentials/vedette-agent.service", "/etc/audit.token", "/etc/audit.key", "/etc/write.token", "/etc/smtp.password", "/etc/x.key",
	} {
		if !strings.Contains(all, path) {
			t.Errorf("%s is not among %s", path, all)
		}
	}
}

// A setting that names a file says whether it is a secret, or is one of those that are
// known to be none.
func TestPathsSayWhetherTheyAreSecret(t *testing.T) {
	open := []string{"ca", "cert", "static", "rules", "file", "plugin", "file_sd"}
	seen := make(map[reflect.Type]bool) // that hold settings
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer:
			walk(of.Elem())
		case reflect.Struct:
			if seen[of] {
				return
			}
			seen[of] = true
			for i := range of.NumField() {
				field := of.Field(i)
				name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
				if field.Tag.Get("path") != "" && field.Tag.Get("private") == "" && !slices.Contains(open, name) {
					t.Errorf("%s.%s names a file: is it private?", of, field.Name)
				}
				walk(field.Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	if len(seen) < 10 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
