package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/rpc/wire"
)

// version is set by the linker in a release; see Version.
var version string

// Version returns the version of this program: that of the release or of the installed
// module, or "devel" and the revision of the sources.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// VersionCommand makes the command that prints the version.
func VersionCommand(program string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program and of the protocol it speaks",
		Example: "  " + program + " version\n  " + program + " version --json",
		Args:    NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
					Version  string `json:"version"`
					Protocol int    `json:"protocol"`
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{Version(), wire.Version, runtime.Version(), platform})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s (protocol %d, %s, %s)\n", program, Version(), wire.Version, runtime.Version(), platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
