package chaos

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// However dev ends, its temporary folder is gone at once or after the next start. If it was
// asked to stop, it has drained.
func TestDevLeavesNothing(t *testing.T) {
	folder := shortFolder(t)
	m := &chaos{TB: t, addr: freeport.Address(t), folder: folder}
	config := filepath.Join(folder, "dev.yaml")
	text := "agent: { library: none }\ninspectors:\n  probe: { interval: 200ms, go: \"return 1, nil\" }\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	left := func() []string {
		found, err := filepath.Glob(filepath.Join(folder, "vedette-dev-*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	signals := []os.Signal{syscall.SIGKILL, syscall.SIGTERM, os.Interrupt, syscall.SIGKILL, syscall.SIGTERM}
	rand.Shuffle(len(signals)-1, func(i, j int) { signals[i], signals[j] = signals[j], signals[i] })
	for _, s := range signals { // the last one leaves nothing
		dev := m.spawn("dev", []string{"TMPDIR=" + folder}, nil, "vedette", "dev", "--config", config, "--listen", m.addr)
		t.Cleanup(dev.stop)
		patience.Until(t, "a value", func() bool { return m.latest() == "1" })
		if found := left(); len(found) != 1 {
			t.Errorf("while dev runs there are %v", found)
		}
		for range rand.IntN(3) {
			dev.signal(syscall.SIGHUP)
		}
		if s == syscall.SIGKILL {
			dev.kill()
			continue
		}
		dev.signal(s)
		dev.done.Wait()
		if found := left(); len(found) != 0 {
			t.Errorf("after %v there are %v", s, found)
		}
	}
	log, err := os.ReadFile(filepath.Join(folder, "dev.log"))
	if err != nil || strings.Count(string(log), "agent is stopping") < 3 || strings.Contains(string(log), "they are lost") {
		t.Errorf("it was not drained (%v):\n%s", err, log)
	}
}
