package trybuild

import (
	"os"
	"testing"

	"github.com/vedettehq/vedette/plugins/scripthost"
)

// A builder in a test starts the test binary by its own name, as a script host.
func TestMain(m *testing.M) {
	if len(os.Args) >= 2 && os.Args[1] == scripthost.Command {
		os.Exit(scripthost.Main())
	}
	os.Exit(m.Run())
}
