package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/promote"
)

// promotion is one run of `vedette inspector promote`.
type promotion struct {
	output, module string
	json           bool
}

// NewInspectorPromote makes the command `vedette inspector promote`.
func NewInspectorPromote() *cobra.Command {
	p := &promotion{}
	cmd := &cobra.Command{
		Use:   "promote FILE... -o BIN",
		Short: "Compile scripts, as they are, into one external plugin",
		Long: `Compile one or more unchanged scripts into one program that agents run as an external
plugin, for scripts for which the interpreter is too slow or not trusted enough.
The output is ready for the configuration.

Only this machine needs a Go toolchain. The packages of Vedette come from the checkout
around the working folder, or that of --module, or else from the module proxy in the
version of this program. GOOS and GOARCH choose another platform. The same scripts,
version and toolchain make the same bytes.

Only files can be promoted. To make a file from the bare body in a configuration,
write a package clause, the imports and func Inspect around it.`,
		Example: `  vedette inspector promote disk.go -o disk
  vedette inspector promote probes/*.go -o probes-plugin
  GOARCH=arm64 vedette inspector promote disk.go -o disk-arm64`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("vedette inspector promote needs a FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().StringVarP(&p.output, "output", "o", "", "write the plugin to the file `BIN`")
	moduleFlag(cmd, &p.module)
	cmd.Flags().BoolVar(&p.json, "json", false, "print one JSON object: {path, bytes, sha256, platform, module, inspectors, config}")
	return cmd
}

// moduleFlag adds the flag that every compiling command has.
func moduleFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "module", "", "compile with the checkout of Vedette in `DIR`")
	_ = cmd.MarkFlagDirname("module")
}

// findModule finds the module against which scripts are compiled.
func findModule(given string) (promote.Module, error) {
	s := promote.Search{Given: given}
	if info, ok := debug.ReadBuildInfo(); ok {
		s.Version = info.Main.Version
	}
	var err error
	if s.Executable, err = os.Executable(); err == nil {
		s.Executable, err = filepath.EvalSymlinks(s.Executable)
	}
	if err != nil {
		s.Executable = "/"
	}
	if s.WorkDir, err = os.Getwd(); err != nil {
		return promote.Module{}, fmt.Errorf("cannot find the working folder: %w", err)
	}
	return promote.FindModule(s)
}

// fileDefinitions makes the definitions of all files, or reports the faults of all of them.
func fileDefinitions(files []string) ([]inspectors.Definition, error) {
	var all []inspectors.Definition
	var faults []error
	for _, file := range files {
		d, err := config.FileDefinition(file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all = append(all, d)
	}
	return all, errors.Join(faults...)
}

// slowCompile is the time after which a compilation is explained, because people start to
// wonder.
const slowCompile = 2 * time.Second

// compile builds a plugin. If it takes long, it says so on errs.
func compile(ctx context.Context, errs io.Writer, o promote.Options) (*promote.Binary, error) {
	slow := time.AfterFunc(slowCompile, func() {
		cli.Errln(errs, "compiling with %v; the first time takes a minute", o.Module)
	})
	defer slow.Stop()
	return promote.Build(ctx, o)
}

// promoted is the output of --json.
type promoted struct {
	Path       string   `json:"path"`
	Bytes      int64    `json:"bytes"`
	SHA256     string   `json:"sha256"`
	Platform   string   `json:"platform"`
	Module     string   `json:"module"`
	Inspectors []listed `json:"inspectors"`
	Config     string   `json:"config"`
}

func (p *promotion) run(cmd *cobra.Command, files []string) error {
	if p.output == "" {
		return cli.Usagef("vedette inspector promote needs -o BIN, the program to make")
	}
	if err := promote.Available(); err != nil {
		return err
	}
	definitions, err := fileDefinitions(files)
	if err != nil {
		return err
	}
	module, err := findModule(p.module)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	binary, err := compile(ctx, cmd.ErrOrStderr(), promote.Options{Definitions: definitions, Output: p.output, Module: module})
	if ctx.Err() != nil {
		return nil // stopped
	}
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(cmd.OutOrStdout(), binary, module, definitions)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), `%s: %s, %s, %s
sha256 %s

For the agent's configuration:

%s`, p.output, cli.Count(len(definitions), "inspector"), cli.Bytes(float64(binary.Size)), binary.Platform, binary.SHA256, binary.Config(definitions))
	return err
}

func (p *promotion) printJSON(w io.Writer, b *promote.Binary, m promote.Module, definitions []inspectors.Definition) error {
	result := promoted{Path: b.Path, Bytes: b.Size, SHA256: b.SHA256, Platform: b.Platform, Module: m.String(), Config: b.Config(definitions)}
	for _, d := range definitions {
		result.Inspectors = append(result.Inspectors, listed{Name: d.Name, IntervalMS: d.Interval.Milliseconds(), TimeoutMS: d.Timeout.Milliseconds()})
	}
	return json.NewEncoder(w).Encode(result)
}
