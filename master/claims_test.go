package master

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// with returns the lines that hold a text.
func (l *lines) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// Whoever claims the name of a host that another has is in the log, with both
// addresses, and not once for each of its attempts.
func TestClaimsOfNamesAreLogged(t *testing.T) {
	log := &lines{}
	m := startLogging(t, config.Master{Tokens: []config.Token{
		token("web-1", "agent", "web-1"), token("web-2", "agent", "web-2"),
	}}, slog.NewTextHandler(log, nil))
	first := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
	call[wire.HelloResult](t, first, wire.MasterHello.Name, hello("web-1"))

	const claimed = "an agent claims the name of another host"
	for i := range 20 {
		other := hello("web-1")
		other.AgentID = fmt.Sprint("id-of-another-", i)
		peer := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
		if got := refused(t, peer, wire.MasterHello.Name, other); got.Code != wire.CodeConflict {
			t.Fatalf("got %v", got)
		}
	}
	found := log.with(claimed)
	if len(found) != 1 || !strings.Contains(found[0], "host=web-1") || !strings.Contains(found[0], "remote=127.0.0.1:") ||
		!strings.Contains(found[0], "is already reported by another agent, from 127.0.0.1:") {
		t.Errorf("the log has %q", found)
	}

	// A token of another host, by either way to report.
	thief := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-2")})
	refused(t, thief, wire.MasterHello.Name, hello("db-1"))
	refused(t, thief, wire.MasterReportMetric.Name, []any{"db-2", map[string]any{"ts": 1, "key": "a/b", "val": 1}})
	for _, host := range []string{"db-1", "db-2"} {
		if found := log.with("host=" + host); len(found) != 1 || !strings.Contains(found[0], claimed) || !strings.Contains(found[0], "web-2") {
			t.Errorf("of %s the log has %q", host, found)
		}
	}

	// One that comes when the first has gone is another agent than before.
	first.Close(rpc.CloseNormal, "")
	first.Wait()
	patience.Until(t, "the first to be gone", func() bool { return m.registry.Connected() == 0 })
	other := hello("web-1")
	other.AgentID = "id-of-another"
	second := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
	call[wire.HelloResult](t, second, wire.MasterHello.Name, other)
	if found := log.with("another agent than before reports for a host"); len(found) != 1 || !strings.Contains(found[0], "before=127.0.0.1:") {
		t.Errorf("the log has %q", found)
	}
}
