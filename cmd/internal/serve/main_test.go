package serve

import (
	"os"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
)

// A master builds each push in a child process of the program that it is part of.
func TestMain(m *testing.M) {
	if status, is := agentcmd.Child(os.Args[1:]); is {
		os.Exit(status)
	}
	os.Exit(m.Run())
}
