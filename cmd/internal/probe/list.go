package probe

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors/library"
)

// listed is one built-in inspector, as --json prints it.
type listed struct {
	Name       string `json:"name"`
	IntervalMS int64  `json:"interval_ms"`
	TimeoutMS  int64  `json:"timeout_ms"`
	Source     string `json:"source,omitempty"`
}

// NewInspectorList makes the command `vedette inspector list`.
func NewInspectorList() *cobra.Command {
	milliseconds := func(name string, of func(listed) int64) cli.Column[listed] {
		return cli.Column[listed]{
			Name: name, Right: true, Cell: func(l listed) string { return (time.Duration(of(l)) * time.Millisecond).String() },
			By: func(l listed) float64 { return float64(of(l)) },
		}
	}
	l := cli.List[listed]{
		Columns: func(time.Time) []cli.Column[listed] {
			return []cli.Column[listed]{
				{Name: "name", Last: true, Cell: func(l listed) string { return l.Name }},
				milliseconds("interval", func(l listed) int64 { return l.IntervalMS }),
				milliseconds("timeout", func(l listed) int64 { return l.TimeoutMS }),
			}
		},
		Name: func(l listed) string { return l.Name },
	}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the built-in inspectors",
		Example: "  vedette inspector list\n  vedette inspector list --json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []listed
			for _, d := range library.Definitions() {
				l := listed{Name: d.Name, IntervalMS: d.Interval.Milliseconds(), TimeoutMS: d.Timeout.Milliseconds()}
				if d.Script != nil {
					l.Source = d.Script.Source
				}
				all = append(all, l)
			}
			if err := l.Check(); err != nil {
				return err
			}
			return l.Write(cmd.OutOrStdout(), all, time.Now())
		},
	}
	l.Fixed(cmd, "print one JSON object a line, with the source")
	return cmd
}
