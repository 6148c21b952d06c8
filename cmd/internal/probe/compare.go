package probe

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/tempdir"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/compare"
	"github.com/vedettehq/vedette/plugins/promote"
)

// Bounds of the flags.
const (
	defaultRounds    = 10
	maxRounds        = 10_000
	defaultPause     = 100 * time.Millisecond
	percentOfOne     = 100
	defaultTolerance = compare.DefaultTolerance * percentOfOne
)

// inspectorTest is one run of `vedette inspector test`.
type inspectorTest struct {
	runs             int
	pause            time.Duration
	inputs           []string
	exact, unchecked bool
	tolerance        float64 // in percent
	module           string
	json             bool
	programs         []string
}

// NewInspectorTest makes the command `vedette inspector test`.
func NewInspectorTest() *cobra.Command {
	t := &inspectorTest{}
	cmd := &cobra.Command{
		Use:   "test FILE",
		Short: "Run a script compiled and interpreted, and compare",
		Long: `Run a script both compiled and interpreted, and say whether both measure the same
and what each costs. It needs a Go toolchain; without one the script is only
interpreted, and the exit status is 6.

Each round has three runs: compiled, interpreted, and compiled again in another
process. If the two compiled runs agree in all rounds, the interpreted one must agree
with them too; one round, but not the first, may be off by chance. If they do not
agree, the value is live: interpreted values must then be within the range of the
compiled ones, plus the tolerance, and must move as they do. --exact requires the same
values from all runs, for scripts whose input does not change.

--input names a folder that is laid out like the root of a machine, with proc, sys,
etc and so on, from which gopsutil then reads. It does not redirect files that a
script opens by their paths, nor those of its programs. If it is given several times,
each round takes the next one, and later rounds the last.

Exit status: 1 if something differs, or no run is good; 6 if it could not be compiled,
because there is no Go.`,
		Example: `  vedette inspector test disk.go
  vedette inspector test cpu.go --runs 50 --interval 1s
  vedette inspector test memory.go --exact --input testdata/web-1`,
		Args: cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	f := cmd.Flags()
	f.IntVar(&t.runs, "runs", defaultRounds, "compare `N` rounds")
	f.DurationVar(&t.pause, "interval", defaultPause, "start a round every `DURATION`")
	f.StringArrayVar(&t.inputs, "input", nil, "read the machine's files in `DIR`; may be repeated")
	f.BoolVar(&t.exact, "exact", false, "want the very same values")
	f.Float64Var(&t.tolerance, "tolerance", defaultTolerance, "let live values be off by this `PERCENT`")
	f.BoolVar(&t.unchecked, "unchecked", false, "run it although the check refuses it, to see what would happen")
	moduleFlag(cmd, &t.module)
	f.BoolVar(&t.json, "json", false, "print one JSON object: {file, same, rounds, differences, native, interpreted, ...}")
	ExecFlag(cmd, &t.programs)
	_ = cmd.MarkFlagDirname("input")
	return cmd
}

func (t *inspectorTest) validate() error {
	switch {
	case t.runs < 1 || t.runs > maxRounds:
		return cli.Usagef("--runs is %d; it must be between 1 and %d", t.runs, maxRounds)
	case t.pause < 0 || t.pause > inspectors.MaxInterval:
		return cli.Usagef("--interval is %v; it must be between 0 and %v", t.pause, inspectors.MaxInterval)
	case !(t.tolerance >= 0): // nor NaN
		return cli.Usagef("--tolerance is %v; it must be 0 percent or more", t.tolerance)
	}
	return CheckPrograms(t.programs)
}

func (t *inspectorTest) run(cmd *cobra.Command, file string) (err error) {
	if err := t.validate(); err != nil {
		return err
	}
	d, err := config.FileDefinition(file)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	if !t.unchecked {
		if err := CheckFile(ctx, file).Err(); err != nil {
			return err
		}
	}
	folder, remove, err := tempdir.Make("vedette-test-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	inputs, err := newInputs(folder, t.inputs)
	if err != nil {
		return err
	}
	native, err := t.compile(ctx, cmd, d, folder)
	if err != nil && !errors.Is(err, promote.ErrNoGo) {
		return unlessStopped(ctx, err)
	}
	if native == nil {
		cli.Errln(cmd.ErrOrStderr(), "not compared, only interpreted: %v", err)
	}
	rounds, err := t.rounds(ctx, d, native, inputs)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	r := &testReport{File: file, Name: d.Name, Compared: native != nil, Exact: t.exact}
	r.fill(rounds, compare.Options{Exact: t.exact, Tolerance: t.tolerance / percentOfOne})
	return r.print(cmd.OutOrStdout(), t.json)
}

// unlessStopped drops errors that ^C has caused.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// compile compiles the script into a plugin in the folder.
func (t *inspectorTest) compile(ctx context.Context, cmd *cobra.Command, d inspectors.Definition, folder string) (*promote.Binary, error) {
	if err := promote.Available(); err != nil {
		return nil, err
	}
	module, err := findModule(t.module)
	if err != nil {
		return nil, err
	}
	return compile(ctx, cmd.ErrOrStderr(), promote.Options{
		Definitions: []inspectors.Definition{d}, Output: filepath.Join(folder, "native"), Module: module, Native: true,
	})
}

// rounds runs the script on both sides as often as the flags say. Without a native plugin
// it fills in only the interpreted runs.
func (t *inspectorTest) rounds(ctx context.Context, d inspectors.Definition, native *promote.Binary, inputs *inputs) (rounds []compare.Round, err error) {
	interpreted, err := newSide(ctx, d, t.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, interpreted.close()) }()
	var compiled [2]*side
	if native != nil {
		plugin := inspectors.Definition{
			Name: d.Name, Interval: d.Interval, Timeout: d.Timeout, Budget: d.Budget,
			Plugin: &inspectors.Plugin{Path: native.Path},
		}
		for i := range compiled {
			if compiled[i], err = newSide(ctx, plugin, nil); err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, compiled[i].close()) }()
		}
	}
	ticker := time.NewTicker(max(t.pause, 1))
	defer ticker.Stop()
	for n := range t.runs {
		if n > 0 {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
		if err := inputs.next(); err != nil {
			return nil, err
		}
		var r compare.Round
		var faults [3]error
		if native != nil {
			r.Native, faults[0] = compiled[0].run(ctx)
		}
		r.Interpreted, faults[1] = interpreted.run(ctx)
		if native != nil {
			r.Control, faults[2] = compiled[1].run(ctx)
		}
		if err := errors.Join(append(faults[:], ctx.Err())...); err != nil {
			return nil, err
		}
		if rounds = append(rounds, r); endless(r) {
			break // more rounds take long and show nothing new
		}
	}
	return rounds, nil
}

// endless reports whether every run of a round ended at its timeout.
func endless(r compare.Round) bool {
	for _, run := range []compare.Run{r.Native, r.Interpreted, r.Control} {
		if run.Wall > 0 && !errors.Is(run.Err, plugins.ErrTimeout) {
			return false
		}
	}
	return true
}
