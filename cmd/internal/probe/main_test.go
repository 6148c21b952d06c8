package probe

import (
	"os"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
)

// A probe runs in a child process of the program that it is part of.
func TestMain(m *testing.M) {
	if status, is := agentcmd.Child(os.Args[1:]); is {
		os.Exit(status)
	}
	os.Exit(m.Run())
}
