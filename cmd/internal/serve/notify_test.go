package serve

import (
	"context"
	"net/http"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/sdnotify/sdnotifytest"
)

// A service manager learns from a real master that it is up once its history is open, that
// it makes progress, and that it stops.
func TestMasterTellsTheServiceManager(t *testing.T) {
	manager := sdnotifytest.New(t)
	address := freeport.Address(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := NewMaster()
	cmd.SetArgs([]string{"--data", t.TempDir(), "--listen", address})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	manager.Await("READY=1")
	response, err := http.Get("http://" + address + "/-/ready")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("it says that it is up, and answers %s", response.Status)
	}
	manager.Await("WATCHDOG=1")
	manager.Await("WATCHDOG=1")
	stop()
	manager.Await("STOPPING=1")
	if err := patience.Receive(t, "the end of the master", ended); err != nil {
		t.Error(err)
	}
}
