package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The token that a service manager passes on is taken where nothing else gives one.
func TestTokenOfTheServiceManager(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"agent.token": "passed-on\n", "other": "named\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	credentials := "CREDENTIALS_DIRECTORY=" + dir
	file := write(t, t.TempDir(), "c.yaml", "agent: { token_file: "+filepath.Join(dir, "other")+" }\n")
	for _, tt := range []struct {
		name, path string
		environ    []string
		want       string
	}{
		{"passed on", "", []string{credentials}, "passed-on"},
		{"the file first", file, []string{credentials}, "named"},
		{"the variable first", "", []string{credentials, "VEDETTE_TOKEN=direct"}, "direct"},
		{"the variable of the file first", "", []string{credentials, "VEDETTE_TOKEN_FILE=" + filepath.Join(dir, "other")}, "named"},
		{"none passed on", "", []string{"CREDENTIALS_DIRECTORY=" + t.TempDir()}, ""},
		{"no folder", "", []string{"CREDENTIALS_DIRECTORY=relative"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(LoadOptions{Path: tt.path, Dir: t.TempDir(), Environ: tt.environ, For: PartAgent})
			if err != nil || c.Agent.Token != tt.want {
				t.Fatalf("the token is %q, %v; want %q", c.Agent.Token, err, tt.want)
			}
			if tt.want == "passed-on" && !strings.Contains(strings.Join(c.Private(), " "), filepath.Join(dir, "agent.token")) {
				t.Error("scripts may read it")
			}
		})
	}
}
