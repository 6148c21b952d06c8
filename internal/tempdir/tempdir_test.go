//go:build unix

package tempdir

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// childVariable has the process make a folder, say so, and wait to be killed.
const childVariable = "VEDETTE_TEST_TEMPDIR"

func TestMain(m *testing.M) {
	if prefix := os.Getenv(childVariable); prefix != "" {
		folder, _, err := Make(prefix)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "content"), []byte("x"), 0o600)
		}
		fmt.Println(folder, err)
		_, _ = os.Stdin.Read(make([]byte, 1)) // which ends with the test at the latest
		return
	}
	os.Exit(m.Run())
}

// Processes that make folders and are killed, some of them, at random: the next one
// removes what the dead have left, and nothing of the living.
func TestKilledProcesses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(childVariable, "kind-")
	living := make(map[string]*exec.Cmd)
	for range 30 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var folder, told string
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		} else if _, err := fmt.Sscan(line, &folder, &told); err != nil || told != "<nil>" {
			t.Fatalf("a child says %q", line)
		}
		living[folder] = cmd
		found, err := filepath.Glob(filepath.Join(os.TempDir(), "kind-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != len(living) {
			t.Errorf("there are %d folders, of %d processes", len(found), len(living))
		}
		for folder, cmd := range living {
			if _, err := os.Stat(filepath.Join(folder, "content")); err != nil {
				t.Errorf("a folder in use is gone: %v", err)
			}
			if rand.IntN(3) == 0 {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				delete(living, folder)
			}
		}
	}
	for _, cmd := range living {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	folder, remove, err := Make("kind-")
	if err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(folder)); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// Many that make folders at once look into the folders of the others while these are made.
func TestManyAtOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 300 {
				folder, remove, err := Make("kind-")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(filepath.Join(folder, lockName)); err != nil {
					t.Errorf("a folder in use is gone: %v", err)
				}
				if err := remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
