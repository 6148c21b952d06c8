package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// latest asks the master for the newest value of the inspector probe.
func (m *chaos) latest() string {
	response, err := http.Get("http://" + m.addr + "/api/v1/query?query=" + url.QueryEscape(`{key="probe"}`))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err != nil || json.Unmarshal(text, &answer) != nil || len(answer.Data.Result) != 1 {
		return string(text)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

// A running agent applies edits of scripts, in their files and in the configuration. SIGHUP
// ends neither it nor the master. Faulty edits are reported, and the previous scripts go
// on.
func TestEditedWhileItRuns(t *testing.T) {
	folder := shortFolder(t)
	m := &chaos{TB: t, addr: freeport.Address(t), folder: folder}
	script := filepath.Join(m.folder, "probe.go")
	config := filepath.Join(m.folder, "dev.yaml")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	body := func(n int) string {
		return fmt.Sprintf("package probe\n\nfunc Inspect() (float64, error) { return %d, nil }\n", n)
	}
	configured := func(inspector string) string {
		return "agent: { library: none }\ninspectors:\n  probe:\n    interval: 200ms\n    " + inspector + "\n"
	}
	logged := func(text string) bool {
		log, err := os.ReadFile(filepath.Join(m.folder, "dev.log"))
		return err == nil && strings.Contains(string(log), text)
	}
	write(script, body(1))
	write(config, configured("file: probe.go"))
	dev := m.spawn("dev", []string{"TMPDIR=" + m.folder}, nil, "vedette", "dev", "--config", config, "--listen", m.addr)
	t.Cleanup(dev.stop)
	patience.Until(t, "the first value", func() bool { return m.latest() == "1" })
	write(script, body(2))
	patience.Until(t, "the value of the edited script", func() bool { return m.latest() == "2" })
	write(config, "agent: { library: none, nonsense: true }\n")
	patience.Until(t, "a word about the fault", func() bool { return logged("the old one stays") && logged("dev.yaml:1") })
	dev.signal(syscall.SIGHUP)
	write(config, configured(`go: "package probe\n\nfunc Inspect() (float64, error) { return 3, nil }\n"`))
	patience.Until(t, "the value of the configuration", func() bool { return m.latest() == "3" })
	for range 20 {
		dev.signal(syscall.SIGHUP)
	}
	write(config, configured("file: probe.go"))
	patience.Until(t, "the script's value again", func() bool { return m.latest() == "2" })
}
