package agentcmd

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/patience"
)

// A service manager learns from a real agent that it is up, although its master is
// not, that its scheduler gets on, and that it stops.
func TestAgentTellsTheServiceManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "3000000")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := New("agent", "vedette agent")
	cmd.SetArgs([]string{"--data", t.TempDir(), "--master", "http://127.0.0.1:1"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	text := make([]byte, 4096)
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"} {
		if want == "STOPPING=1" {
			stop()
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience.Limit)); err != nil {
			t.Fatal(err)
		}
		for got := ""; !strings.HasPrefix(got, want); {
			n, err := conn.Read(text)
			if err != nil {
				t.Fatalf("waited in vain for %q: %v", want, err)
			}
			got = string(text[:n])
		}
	}
	if err := patience.Receive(t, "the end of the agent", ended); err != nil {
		t.Error(err)
	}
}
