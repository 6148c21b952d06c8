package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// apply is one run of `vedette apply`.
type apply struct {
	client
	rollouts.PlanFlags
	remote.SignFlags
	prune, yes, dryRun bool
	allowNone          bool
	back               backFlags
	message            string
}

// NewApply makes the command `vedette apply`.
func NewApply() *cobra.Command {
	a := &apply{}
	cmd := &cobra.Command{
		Use:   "apply DIR",
		Short: "Make the master's catalog what a folder of inspectors says",
		Long: `Make the master's catalog match a folder of inspectors, which may be in git: check
all files, show what would change, ask for confirmation, and push new and changed
inspectors one after the other, each as ` + "`vedette push`" + ` does. If one does not do
well, apply stops there; it goes on past one that waits for a second person, and exits
with 9 in the end. Inspectors that are only on the master are left alone, unless
--prune deletes them.

Each *.go file is an inspector for every host. If the folder has a ` + config.FolderFile + `, that
file names the inspectors and their hosts instead. Files whose names begin with _ or .
are ignored, as by the go command:

    inspectors:
      disk: { file: disk.go, to: role=db, interval: 10s }

Without a terminal for the confirmation it needs --yes. --dry-run only shows the plan,
and exits with 10 if there are changes.`,
		Example: `  vedette apply ./inspectors
  vedette apply ./inspectors --dry-run
  vedette apply ./inspectors --yes --prune --canary 1,10%,100% -m "$(git log -1 --format=%s)"`,
		Args: cli.OneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0]) },
	}
	a.client.Flags(cmd)
	a.PlanFlags.Flags(cmd)
	a.SignFlags.Flags(cmd)
	a.back.flags(cmd)
	cmd.Flags().BoolVar(&a.prune, "prune", false, "delete what is only on the master")
	cmd.Flags().BoolVarP(&a.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&a.dryRun, "dry-run", false, "show the plan, and change nothing")
	allowNoneFlag(cmd, &a.allowNone)
	cmd.Flags().StringVarP(&a.message, "message", "m", "", "why, for the history")
	a.JSONFlag(cmd, "print one JSON object a line: each step of the plan, then each change")
	return cmd
}

func (a *apply) run(cmd *cobra.Command, dir string) error {
	plan, err := a.Plan()
	if err != nil {
		return err
	}
	if err := a.SignFlags.Read(cmd); err != nil {
		return err
	}
	wanted, err := a.folder(cmd, dir)
	if err != nil {
		return err
	}
	s, err := a.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	steps, err := a.steps(cmd, s, wanted)
	if err != nil {
		return err
	}
	if err := a.show(cmd.OutOrStdout(), steps); err != nil {
		return err
	}
	changes := countChanges(steps)
	switch {
	case !a.allowNone && slices.ContainsFunc(steps, func(s applyStep) bool { return s.Nobody != "" }):
		return cli.Exit(cli.ExitCheck, errors.New("nothing was pushed: no host has what a selector says; where that is meant, give --allow-none"))
	case changes == 0:
		return nil
	case a.dryRun:
		return cli.Exit(cli.ExitPending, nil)
	}
	if err := a.confirm(cmd, changes); err != nil {
		return err
	}
	return a.apply(cmd, steps, plan)
}

// wanted is one inspector as the folder defines it.
type wanted struct {
	code     wire.Code
	selector string
}

// folder reads and checks all files of the folder, and reports the faults of all of them at
// once.
func (a *apply) folder(cmd *cobra.Command, dir string) ([]wanted, error) {
	folder, err := config.LoadFolder(dir)
	if _, unread := errors.AsType[*fs.PathError](err); unread {
		return nil, cli.Exit(cli.ExitFailed, err)
	} else if err != nil {
		return nil, cli.Exit(cli.ExitCheck, err)
	}
	for _, file := range folder.Left {
		cli.Errln(cmd.ErrOrStderr(), "warning: %s does not name %s; it is left out", config.FolderFile, file)
	}
	if len(folder.Inspectors) == 0 {
		return nil, fmt.Errorf("there is no inspector in %q", dir)
	}
	var all []wanted
	good := true
	for _, name := range slices.Sorted(maps.Keys(folder.Inspectors)) {
		in := folder.Inspectors[name]
		code := wire.Code{Name: name, IntervalMS: in.Interval.Milliseconds(), TimeoutMS: in.Timeout.Milliseconds()}
		if err := scriptCode(cmd, in.File, &code, a.JSON); cli.Status(err) == cli.ExitCheck {
			good = false
		} else if err != nil {
			return nil, err
		}
		all = append(all, wanted{code, in.To})
	}
	if !good {
		return nil, cli.Exit(cli.ExitCheck, nil)
	}
	return all, nil
}

// show prints the plan.
func (a *apply) show(w io.Writer, steps []applyStep) error {
	if a.JSON {
		return cli.PrintLines(w, steps)
	}
	_, err := io.WriteString(cli.ToTerminal(w), cli.Printable(planText(steps, a.prune)))
	return err
}

// confirm asks whether to go on, or requires --yes if there is no terminal to ask at.
func (a *apply) confirm(cmd *cobra.Command, changes int) error {
	if a.yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || cli.TerminalWidth(in) == 0 || a.JSON {
		return cli.Usagef("there is no terminal to ask on; look at the plan with --dry-run, and give --yes")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Make %s? [y/N] ", cli.Counted(changes, "change", "changes"))
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the answer: %w", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// apply makes the changes one after the other, and stops at the first that does not do
// well.
func (a *apply) apply(cmd *cobra.Command, steps []applyStep, plan wire.Plan) error {
	var waits error
	for i, step := range steps {
		var err error
		switch step.Change {
		case changeNew, changeCode, changeHosts, changeSigned:
			err = a.push(cmd, step, plan)
		case changeDelete:
			err = a.delete(cmd, step)
		}
		if _, proposed := errors.AsType[*rollouts.ProposedError](err); proposed {
			cli.Errln(cmd.ErrOrStderr(), "%s: %v", step.Name, err)
			waits = cli.Exit(cli.ExitWaiting, nil)
			continue // a waiting change does not hold up the others
		}
		if err != nil {
			if left := countChanges(steps[i+1:]); left > 0 {
				cli.Errln(cmd.ErrOrStderr(), "%s: %s left undone", step.Name, cli.Counted(left, "change is", "changes are"))
			}
			return err
		}
	}
	return waits
}

func (a *apply) push(cmd *cobra.Command, step applyStep, plan wire.Plan) error {
	params := wire.PushParams{
		Code: step.code, Selector: &step.To, AllowNone: a.allowNone, Message: a.message, Plan: plan, Version: &step.version,
	}
	s, err := a.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	back, err := signFor(s, &a.SignFlags, a.back, &params)
	if err == nil {
		err = a.signBack(cmd, s, step.Name, back)
	}
	if err != nil {
		return err
	}
	result, err := remote.Call(s, wire.CatalogPush, params)
	if err != nil {
		return faultsOf(cmd, err, step.code.File, a.JSON)
	}
	if !a.JSON {
		if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(pushedText(step.Name, result))); err != nil {
			return err
		}
	}
	return rollouts.Finish(cmd, &a.Client, step.Name, result, &a.PlanFlags)
}

func (a *apply) delete(cmd *cobra.Command, step applyStep) error {
	params := wire.DeleteParams{Name: step.Name, Message: a.message, Version: &step.version}
	return a.remove(cmd, params, &a.PlanFlags)
}
