package agentcmd

import (
	"context"
	"testing"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/sdnotify/sdnotifytest"
)

// A service manager learns from a real agent that it is up, even if its master is not, that
// its scheduler makes progress, and that it stops.
func TestAgentTellsTheServiceManager(t *testing.T) {
	manager := sdnotifytest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := New("agent", "vedette agent")
	cmd.SetArgs([]string{"--data", t.TempDir(), "--master", "http://127.0.0.1:1"})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	manager.Await("READY=1")
	manager.Await("WATCHDOG=1")
	manager.Await("WATCHDOG=1")
	stop()
	manager.Await("STOPPING=1")
	if err := patience.Receive(t, "the end of the agent", ended); err != nil {
		t.Error(err)
	}
}
