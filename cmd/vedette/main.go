// Command vedette is all of Vedette in one binary: a master, an agent, both at
// once for somebody who wants to see it, and the tools to look at a running
// mesh and to try inspectors.
package main

import (
	"os"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/commands"
)

func main() {
	os.Exit(cli.Main(commands.New()))
}
