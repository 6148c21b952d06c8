// Package commands has the command vedette with all its subcommands: those of the other
// packages, and those that set up configurations, tokens and keys.
package commands

import (
	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/access"
	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/alerts"
	"github.com/vedettehq/vedette/cmd/internal/catalog"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/grafana"
	"github.com/vedettehq/vedette/cmd/internal/mesh"
	"github.com/vedettehq/vedette/cmd/internal/probe"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/cmd/internal/serve"
	"github.com/vedettehq/vedette/cmd/internal/trial"
)

// New makes the command vedette with all its subcommands.
func New() *cobra.Command {
	root := &cobra.Command{
		Use:   "vedette",
		Short: "Live metrics of your hosts, from inspectors written in Go",
		Long: `Vedette runs small inspectors, written in Go, on your hosts, and shows their values
live. "vedette dev" starts all of it on this machine.`,
		Example: `  vedette dev                              a master and an agent, right here
  vedette master --config master.yaml      the master of several hosts
  vedette agent --master https://m:50505   an agent on one of them
  vedette inspector run disk.go            run an inspector here
  vedette push disk.go --to role=db        put it onto hosts, and see how they do
  vedette watch 'metrics/web-1/*'          see what arrives`,
		Version:                    cli.Version(),
		SuggestionsMinimumDistance: 2,
	}
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "push", Title: "Put inspectors onto hosts:"},
		&cobra.Group{ID: "look", Title: "Look at a running master:"},
		&cobra.Group{ID: "alert", Title: "Alerts:"},
		&cobra.Group{ID: "make", Title: "Write and set up:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("run", serve.NewDev(), serve.NewMaster(), agentcmd.New("agent", "vedette agent"))
	add("push", trial.NewTry(), catalog.NewPush(), catalog.NewApply(),
		mesh.NewInspectors(), rollouts.NewReceipts(), rollouts.NewRollouts(), rollouts.NewRollout(),
		catalog.NewProposals(), catalog.NewApprove(), catalog.NewRefuse(), mesh.NewAudit())
	hosts := mesh.NewHosts()
	hosts.AddCommand(access.HostCommands()...)
	hosts.AddCommand(catalog.NewUpgrade())
	add("look", mesh.NewStatus(), hosts, mesh.NewTop(), mesh.NewQuery(), mesh.NewWatch(), mesh.NewLogs(),
		trial.NewAsk(), mesh.NewBoost(), mesh.NewCall(), grafana.New())
	alert := alerts.New()
	alert.AddCommand(serve.NewTestRules())
	add("alert", alert, alerts.NewAck(), alerts.NewSilence(), alerts.NewMaintenance())
	add("make", probe.NewInit(), newInspector(), newConfig(), newToken(), access.NewUsers(), access.NewLogin(), access.NewLogout(), access.NewContext(),
		access.NewJoinToken(), access.NewAuthority(), newKey(), newSign(), newVerify())
	root.AddCommand(cli.VersionCommand("vedette"), cli.ManCommand(), agentcmd.ScriptHost())
	cli.Helpful(root)
	return root
}
