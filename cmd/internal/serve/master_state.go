package serve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/master/state"
)

func newMasterExport() *cobra.Command {
	var settings cli.Settings
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write everything that a stopped master knows, except samples, as lines of JSON",
		Long: `Write the state of a stopped master: the catalog with its history, rollouts, hosts and
the audit log. Samples and the programs of plugins are not included; those are the
folders "history" and "artefacts" beside the state.

Without FILE, or with -, it goes to the output. An existing FILE is not overwritten.`,
		Example: `  vedette master export backup.ndjson
  vedette master export --data /var/lib/vedette | gzip > backup.ndjson.gz`,
		Args: cli.AtMostOneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openState(&settings, true)
			if err != nil {
				return err
			}
			err = exportTo(cmd, s, append(args, "-")[0])
			return errors.Join(err, s.Close())
		},
	}
	stateFlags(cmd, &settings)
	return cmd
}

func newMasterImport() *cobra.Command {
	var settings cli.Settings
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import the output of `vedette master export` into a new master's folder",
		Long: `Import an export, all of it or nothing, into the empty folder of a stopped master.
With - it is read from standard input.`,
		Example: `  vedette master import backup.ndjson
  gunzip < backup.ndjson.gz | vedette master import --data /var/lib/vedette -`,
		Args: cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("cannot read the export: %w", err)
				}
				defer file.Close()
				in = file
			}
			s, err := openState(&settings, false)
			if err != nil {
				return err
			}
			err = s.Import(cmd.Context(), in)
			if errors.Is(err, state.ErrNotEmpty) {
				err = fmt.Errorf("%w: this master has a state; import into a new folder, with --data DIR", err)
			}
			return errors.Join(err, s.Close())
		},
	}
	stateFlags(cmd, &settings)
	return cmd
}

func stateFlags(cmd *cobra.Command, settings *cli.Settings) {
	settings.FileFlag(cmd)
	settings.Flag(cmd, "data", "master.data", "the master's files are in `DIR` (default $XDG_STATE_HOME/vedette)")
}

// openState opens the state of a master that is not running.
func openState(settings *cli.Settings, mustExist bool) (state.Store, error) {
	c, err := settings.Load(config.PartMaster, library.Names())
	if err != nil {
		return nil, err
	}
	path := filepath.Join(c.Master.Data, state.FileName)
	if mustExist {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no state in %q: no master has run with that folder; name it with --data", c.Master.Data)
		}
	} else if err := os.MkdirAll(c.Master.Data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the master's folder: %w", err)
	}
	s, err := state.Open(path)
	if errors.Is(err, state.ErrLocked) {
		return nil, fmt.Errorf("the state %q is in use: stop the master first", path)
	}
	return s, err
}

func exportTo(cmd *cobra.Command, s state.Store, name string) (err error) {
	var out io.Writer = cmd.OutOrStdout()
	if name != "-" {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("cannot write the export: %q is there already", name)
		}
		if err != nil {
			return fmt.Errorf("cannot write the export: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	return s.Export(cmd.Context(), out)
}
