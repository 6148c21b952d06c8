package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commit is taken as a module, from a proxy that has it as a release: `go install`
// builds both programs of it, and they say that version.
func TestGoInstallSaysItsVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes; run: make packages-test")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	const module, release = "github.com/vedettehq/vedette", "v0.4.2-rc.1"
	proxy, bin, cache := t.TempDir(), t.TempDir(), t.TempDir()
	dir := filepath.Join(proxy, module, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for ending, text := range map[string]string{"info": fmt.Sprintf(`{"Version":%q,"Time":"2026-11-30T00:00:00Z"}`, release), "list": release + "\n"} {
		name := filepath.Join(dir, release+"."+ending)
		if ending == "list" {
			name = filepath.Join(dir, "list")
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mod, err := git("../..", "show", "HEAD:go.mod")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, release+".mod"), []byte(mod+"\n"), 0o644)
	}
	if err == nil { // a module has no folders of other modules
		_, err = git("../..", "archive", "--format=zip", "--prefix="+module+"@"+release+"/", "-o", filepath.Join(dir, release+".zip"), "HEAD", "--", ".", ":!.ci")
	}
	if err != nil {
		t.Fatal(err)
	}
	mine, err := exec.Command("go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	where := strings.Fields(string(mine))
	t.Cleanup(func() { // what is in a cache of modules cannot be written
		clean := exec.CommandContext(context.Background(), "go", "clean", "-modcache")
		clean.Env = append(os.Environ(), "GOMODCACHE="+cache)
		if out, err := clean.CombinedOutput(); err != nil {
			t.Errorf("cannot remove the modules: %v\n%s", err, out)
		}
	})
	install := exec.CommandContext(t.Context(), "go", "install", module+"/cmd/vedette@latest", module+"/cmd/vedette-agent@latest")
	install.Dir = t.TempDir()
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOMODCACHE="+cache, "GOFLAGS=-trimpath", "GOWORK=off", "GONOSUMDB="+module, "GONOPROXY=none", "CGO_ENABLED=0",
		"GOPROXY=file://"+proxy+",file://"+where[0]+"/cache/download,"+where[1])
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, program := range []string{"vedette", "vedette-agent"} {
		out, err := exec.Command(filepath.Join(bin, program), "version").CombinedOutput()
		if want := program + " " + release + " "; err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("it prints %q, %v; want %q", out, err, want)
		}
	}
}
