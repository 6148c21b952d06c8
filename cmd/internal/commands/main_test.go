package commands

import (
	"os"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
)

// The commands start masters and agents, whose child processes are this program.
func TestMain(m *testing.M) {
	if status, is := agentcmd.Child(os.Args[1:]); is {
		os.Exit(status)
	}
	os.Exit(m.Run())
}
