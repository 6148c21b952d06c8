// Command vedette-agent is only the agent, for the hosts of a fleet: everything that
// measures and reports, and nothing of the master.
package main

import (
	"os"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
)

func main() {
	root := agentcmd.New("vedette-agent", "vedette-agent")
	root.Version = cli.Version()
	root.AddCommand(agentcmd.ScriptHost(), cli.VersionCommand("vedette-agent"), cli.ManCommand())
	cli.Helpful(root)
	os.Exit(cli.Main(root))
}
