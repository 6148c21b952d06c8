package chaos

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/commands"
)

// The test's own binary is also the programs, under their names in PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"vedette":     func() { os.Exit(cli.Main(commands.New())) },
		"chaos-agent": chaosAgent,
	})
}
