package commands

import (
	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/catalog"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/probe"
)

func newInspector() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use: "inspector", Short: "Check, compare and compile inspectors; look at those that were pushed",
		SuggestFor: []string{"run", "check", "test", "promote", "list"},
	})
	cmd.AddCommand(probe.NewInspectorRun(), probe.NewInspectorCheck(), probe.NewInspectorTest(), probe.NewInspectorPromote(), probe.NewInspectorList(),
		catalog.NewInspectorRelease(), probe.NewCheckChild(),
		catalog.NewInspectorHistory(), catalog.NewInspectorDiff(), catalog.NewInspectorShow(), catalog.NewInspectorRollback(),
		catalog.NewInspectorSign(), catalog.NewInspectorDelete())
	return cmd
}
