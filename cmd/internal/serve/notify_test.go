package serve

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// A service manager learns from a real master that it is up, once its history is
// open, that it gets on, and that it stops.
func TestMasterTellsTheServiceManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "3000000")
	address := freeport.Address(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := NewMaster()
	cmd.SetArgs([]string{"--data", t.TempDir(), "--listen", address})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()

	await := func(want string) {
		t.Helper()
		text := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(patience.Limit)); err != nil {
			t.Fatal(err)
		}
		for {
			n, err := conn.Read(text)
			if err != nil {
				t.Fatalf("waited in vain for %q: %v", want, err)
			}
			if strings.HasPrefix(string(text[:n]), want) {
				return
			}
		}
	}
	await("READY=1")
	response, err := http.Get("http://" + address + "/-/ready")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("it says that it is up, and answers %s", response.Status)
	}
	await("WATCHDOG=1")
	await("WATCHDOG=1")
	stop()
	await("STOPPING=1")
	if err := patience.Receive(t, "the end of the master", ended); err != nil {
		t.Error(err)
	}
}
