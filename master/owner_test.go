package master

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// visitEnv has this program visit the master at an address, and visitKeyEnv with
// a key.
const (
	visitEnv    = "VEDETTE_TEST_VISIT"
	visitKeyEnv = "VEDETTE_TEST_VISIT_KEY"
)

// visit tries everything that one could do to a master, and prints what came of
// it. It runs in a process of another user.
func visit(url, key string) {
	header := http.Header{}
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	for _, path := range []string{"/", "/metrics", "/api/v1/query?query=1", "/artefacts/" + strings.Repeat("0", 64)} {
		request, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err == nil {
			request.Header = header.Clone()
			var response *http.Response
			if response, err = http.DefaultClient.Do(request); err == nil {
				_, err = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				fmt.Println(strings.SplitN(path, "?", 2)[0][:min(9, len(path))], response.StatusCode)
			}
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	peer, err := rpc.Dial(context.Background(), url, rpc.DialOptions{Header: header})
	if err != nil {
		fmt.Println("rpc", err)
		return
	}
	for _, method := range []string{wire.HostsList.Name, wire.CatalogPush.Name, wire.MasterHello.Name, "no.such.method"} {
		err := peer.Call(context.Background(), method, nil, nil)
		if answer, ok := errors.AsType[*rpc.Error](err); ok {
			fmt.Println(method, answer.Code)
		} else {
			fmt.Println(method, err)
		}
	}
	_ = peer.Close(rpc.CloseNormal, "")
	peer.Wait()
}

// asNobody runs visit as another user and returns what it printed.
func asNobody(t *testing.T, url, key string) string {
	t.Helper()
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("to be another user takes root")
	}
	self, err := os.Open("/proc/self/exe") // nobody may not reach its folder
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = []string{visitEnv + "=" + url, visitKeyEnv + "=" + key}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// Another user of the machine gets the page and nothing else from a master
// without tokens, unless he has its key. The master's own user needs none.
func TestAnotherUserOfTheMachine(t *testing.T) {
	cfg := config.Master{Data: t.TempDir()}
	m := start(t, cfg)
	want := fmt.Sprintf(`/ 200
/metrics 401
/api/v1/q 401
/artefact 401
%s -32001
%s -32001
%s -32001
no.such.method -32001
`, wire.HostsList.Name, wire.CatalogPush.Name, wire.MasterHello.Name)
	for range 3 {
		if got := asNobody(t, m.URL(), ""); got != want {
			t.Errorf("another user gets\n%s\nwant\n%s", got, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(cfg.Data, auth.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(text))
	if info, err := os.Stat(filepath.Join(cfg.Data, auth.KeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v", info.Mode(), err)
	}
	if link := m.KeyURL(); link != m.URL()+"/#key="+key {
		t.Errorf("the link is %s", link)
	}
	got := asNobody(t, m.URL(), key)
	if strings.Contains(got, "401") || strings.Contains(got, "-32001") || strings.Contains(got, "-32003") || !strings.Contains(got, wire.HostsList.Name+" <nil>") {
		t.Errorf("with the key another user gets\n%s", got)
	}
	if got := asNobody(t, m.URL(), key[1:]); !strings.Contains(got, "401") || strings.Contains(got, "<nil>") {
		t.Errorf("with a wrong key another user gets\n%s", got)
	}
	own := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HostsResult](t, own, wire.HostsList.Name, nil)
	if status, body := fetch(t, m, "/api/v1/query?query=1", "Authorization", "Bearer of-another-time"); status != http.StatusOK {
		t.Errorf("the own user with some token got %d %s", status, body)
	}
}

// The key stays the same, is made again where it is damaged, and is nobody else's
// to read.
func TestKeyFile(t *testing.T) {
	folder := t.TempDir()
	first, err := localKey(folder)
	if err != nil || len(first) < 20 {
		t.Fatalf("%q, %v", first, err)
	}
	if err := os.Chmod(filepath.Join(folder, auth.KeyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := localKey(folder); err != nil || again != first {
		t.Errorf("the key is %q, then %q, %v", first, again, err)
	}
	if err := os.WriteFile(filepath.Join(folder, auth.KeyFile), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fresh, err := localKey(folder)
	if err != nil || len(fresh) < 20 || fresh == first {
		t.Errorf("in place of half a key there is %q, %v", fresh, err)
	}
	for range 200 { // bytes that a bad disk has changed
		damaged := []byte(fresh)
		for range 1 + rand.IntN(5) {
			damaged[rand.IntN(len(damaged))] = byte(rand.Uint32())
		}
		if err := os.WriteFile(filepath.Join(folder, auth.KeyFile), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := localKey(folder)
		if err != nil || len(key) < 20 || !regexp.MustCompile(`^[A-Za-z0-9+/=._~-]+$`).MatchString(key) {
			t.Fatalf("of %q the key is %q, %v: a link or a header does not carry it", damaged, key, err)
		}
	}
	info, err := os.Stat(filepath.Join(folder, auth.KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its file is %v, %v", info, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, %v", files, err)
	}
	if _, err := localKey(filepath.Join(folder, "none")); err == nil {
		t.Error("a folder that is not there gave a key")
	}
}
