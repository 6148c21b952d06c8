// Command vedette is all of Vedette in one binary: a master, an agent, both at once for
// trying it out, and the tools that look at a running mesh and develop inspectors.
package main

import (
	"os"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/commands"
)

func main() {
	os.Exit(cli.Main(commands.New()))
}
