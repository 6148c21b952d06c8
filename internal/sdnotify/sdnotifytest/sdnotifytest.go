// Package sdnotifytest stands in for a service manager in tests.
package sdnotifytest

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// limit is how long a message may take on the busiest machine.
const limit = 2 * time.Minute

// Manager gets what a process tells its service manager.
type Manager struct {
	t    *testing.T
	conn *net.UnixConn
}

// New makes a Manager and puts it into the environment, with a watchdog of three
// seconds.
func New(t *testing.T) *Manager {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "3000000")
	return &Manager{t, conn}
}

// Await passes over messages until one begins with want.
func (m *Manager) Await(want string) {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		m.t.Fatal(err)
	}
	for text := make([]byte, 4096); ; {
		n, err := m.conn.Read(text)
		if err != nil {
			m.t.Fatalf("waited in vain for %q: %v", want, err)
		}
		if strings.HasPrefix(string(text[:n]), want) {
			return
		}
	}
}
