package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/plugins"
)

// inspectorRun is one run of `vedette inspector run`.
type inspectorRun struct {
	interval, timeout time.Duration
	count             int
	json              bool
	programs          []string
	secrets           []string
}

// NewInspectorRun makes the command `vedette inspector run`.
func NewInspectorRun() *cobra.Command {
	r := &inspectorRun{}
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a script as an agent would, and print its samples",
		Long: `Run a script in a script host, as an agent does, and print what it measures. It
runs once, or every --interval until ^C or --count. What the script prints, and
its errors, go to standard error; a run that failed makes the exit status 1.
At the end it says for each alert of the script whether it would fire now, with the
value and the threshold.

The script may connect to, and read, what it declares as needs. It may run only the
programs that --allow-exec names, instead of agent.policy.exec in a configuration, and
gets only the secrets that --secret gives, instead of agent.secrets.`,
		Example: `  vedette inspector run disk.go
  vedette inspector run cpu.go --interval 1s
  vedette inspector run disk.go --interval 2s --count 5 --json
  vedette inspector run nginx.go --allow-exec /usr/bin/systemctl
  vedette inspector run pg.go --secret pg-password=./password`,
		Args: cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().DurationVar(&r.interval, "interval", 0, "run again every `DURATION`")
	cmd.Flags().DurationVar(&r.timeout, "timeout", 0, "cut a run off after this `DURATION` (default: as an agent would)")
	cmd.Flags().IntVar(&r.count, "count", 0, "stop after `N` runs (default 1, without an end if --interval is given)")
	cmd.Flags().BoolVar(&r.json, "json", false, "print one JSON object a line: {key, labels, val, ts}")
	ExecFlag(cmd, &r.programs)
	secretFlag(cmd, &r.secrets)
	return cmd
}

// definition applies the flags to the definition in the file.
func (r *inspectorRun) definition(cmd *cobra.Command, file string) (inspectors.Definition, error) {
	intervalGiven, timeoutGiven := cmd.Flags().Changed("interval"), cmd.Flags().Changed("timeout")
	switch {
	case r.count < 0 || (r.count == 0 && cmd.Flags().Changed("count")):
		return inspectors.Definition{}, cli.Usagef("--count is %d; it must be above 0", r.count)
	case intervalGiven && (r.interval < inspectors.MinInterval || r.interval > inspectors.MaxInterval):
		return inspectors.Definition{}, cli.Usagef("--interval is %v; it must be between %v and %v", r.interval, inspectors.MinInterval, inspectors.MaxInterval)
	case timeoutGiven && (r.timeout <= 0 || r.timeout > inspectors.MaxInterval):
		return inspectors.Definition{}, cli.Usagef("--timeout is %v; it must be above 0 and at most %v", r.timeout, inspectors.MaxInterval)
	case intervalGiven && r.timeout > r.interval:
		return inspectors.Definition{}, cli.Usagef("--timeout %v is longer than --interval %v", r.timeout, r.interval)
	}
	d, err := config.FileDefinition(file)
	if err != nil {
		return d, err
	}
	if intervalGiven {
		d.Interval = r.interval
		if d.Timeout > d.Interval {
			d.Timeout = inspectors.DefaultTimeout(d.Interval)
		}
	}
	if timeoutGiven {
		d.Timeout = r.timeout
		d.Interval = max(d.Interval, d.Timeout)
	}
	if !intervalGiven && r.count == 0 {
		r.count = 1
	}
	return d, nil
}

func (r *inspectorRun) run(cmd *cobra.Command, file string) (err error) {
	if err := CheckPrograms(r.programs); err != nil {
		return err
	}
	secrets, err := parseSecrets(r.secrets)
	if err != nil {
		return err
	}
	d, err := r.definition(cmd, file)
	if err != nil {
		return err
	}
	if faults := check.Definition(d); len(faults) > 0 {
		return faults // an agent would refuse to load it
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	errs := cmd.ErrOrStderr()
	log := config.NewLogger(config.Log{Level: slog.LevelError}, errs)
	pool, err := agentcmd.NewPool("", log, func(_, line string) { cli.Errln(errs, "%s", line) }, allowExec(r.programs), allowSecrets(d.Name, secrets))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.Load(ctx, d); err != nil {
		return explainPolicy(err)
	}
	return r.loop(ctx, pool, d, &runPrinter{out: cmd.OutOrStdout(), errs: errs, json: r.json, table: cli.Table{Out: cmd.OutOrStdout()}})
}

// loop runs the inspector as often as the flags say.
func (r *inspectorRun) loop(ctx context.Context, pool *plugins.Pool, d inspectors.Definition, p *runPrinter) error {
	ticker := time.NewTicker(d.Interval)
	defer ticker.Stop()
	for n := 1; ; n++ {
		var outcome plugins.Outcome
		pool.Run(ctx, []plugins.Job{{Name: d.Name, Timeout: d.Timeout}}, func(o plugins.Outcome) { outcome = o })
		if ctx.Err() != nil {
			break // stopped: a run that ^C has cut off did not fail
		}
		if err := p.print(outcome); err != nil {
			return err
		}
		if n == r.count || errors.Is(outcome.Err, plugins.ErrQuarantined) {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := p.alerts(context.WithoutCancel(ctx), d); err != nil {
		return err
	}
	switch {
	case p.failed:
		return cli.Exit(cli.ExitFailed, nil)
	case p.samples == 0 && r.count == 1 && ctx.Err() == nil:
		cli.Errln(p.errs, "no samples; if the script compares two runs, try --interval 1s --count 2")
	}
	return nil
}

// runPrinter prints the results of runs.
type runPrinter struct {
	out, errs io.Writer
	json      bool
	table     cli.Table
	samples   int
	failed    bool
	seen      []inspectors.Sample // samples of the last runs, for the alerts
}

// sampleLine is one sample, as --json prints it.
type sampleLine struct {
	Key    string            `json:"key"`
	Labels inspectors.Labels `json:"labels"`
	Val    float64           `json:"val"`
	TS     int64             `json:"ts"` // ms since the epoch, UTC
}

func (p *runPrinter) print(o plugins.Outcome) error {
	p.fit(o.Samples)
	p.remember(o.Samples)
	for _, s := range o.Samples {
		p.samples++
		var err error
		if p.json {
			err = json.NewEncoder(p.out).Encode(sampleLine{s.Key, s.Labels, s.Value, s.Time.UnixMilli()})
		} else {
			err = p.table.Row(cli.Clock(s.Time), s.Key+s.Labels.String(), cli.Value(s.Key, s.Value))
		}
		if err != nil {
			return fmt.Errorf("cannot print the samples: %w", err)
		}
	}
	if o.Err != nil {
		p.failed = true
		cli.Errln(p.errs, "the run failed: %v", o.Err)
	}
	return nil
}

// fit widens the columns for all samples of a run.
func (p *runPrinter) fit(samples []inspectors.Sample) {
	for _, s := range samples {
		p.table.Fit(cli.Clock(s.Time), s.Key+s.Labels.String(), cli.Value(s.Key, s.Value))
	}
}
