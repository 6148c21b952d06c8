package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/probe"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// push is one run of `vedette push`.
type push struct {
	client
	rollouts.PlanFlags
	remote.SignFlags
	to, message, name, version string
	interval, timeoutRun       time.Duration
	allowNone, dryRun          bool
	back                       backFlags
	plugin                     string
	args                       []string
}

// NewPush makes the command `vedette push`.
func NewPush() *cobra.Command {
	p := &push{}
	cmd := &cobra.Command{
		Use:   "push FILE",
		Short: "Put an inspector onto the hosts that it is for",
		Long: `Check a script, make it the current revision of its inspector on the master, and
follow it onto the hosts, at once or in stages. A stage that fails is rolled back, and
the hosts that failed are named with their reasons.

Without --to the inspector stays on the hosts that it has; a new one goes to every
host. A SELECTOR that matches no host is refused, unless --allow-none is given.
--dry-run tells what would change, on which hosts, and which of them will refuse it
and why, and exits with 10 if there is something to do. --plugin pushes a compiled
program instead of a script. --sign-key signs it here, for hosts that require that; if
the code is current already, only the signature is added. The revision that is replaced
is signed too, so that hosts may go back to it.

If the master wants a second person for that (master.two_persons), the push waits for
` + "`vedette approve`" + ` by somebody else.

Exit status: 0 healthy on every connected host; 7 the check found faults, and nothing
was pushed; 8 rolled back, replaced, or failed or refused on some host; 9 the command
did not wait for the end, or a second person has to approve the push. Hosts that are
away get it when they return, and do not count.`,
		Example: `  vedette push disk.go --to role=db -m "count inodes too"
  vedette push disk.go --to role=db --dry-run
  vedette push disk.go --canary 1,10%,100% --bake 30s
  vedette push disk.go --no-wait --json
  vedette push disk.go --sign-key signing.pem
  vedette push --plugin ./gpu,linux/arm64=./gpu-arm64 --name gpu --interval 5s`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case p.plugin == "" && len(args) == 0:
				return errors.New("vedette push needs a FILE, or --plugin")
			case p.plugin != "" && len(args) > 0:
				return fmt.Errorf("vedette push takes a FILE or --plugin, but got both, %q too", args[0])
			case p.plugin != "" && p.dryRun:
				return errors.New("--dry-run takes a script: a master checks only programs that it has")
			case len(args) > 1:
				return fmt.Errorf("vedette push takes one FILE, but got %q too; `vedette apply` pushes a folder", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.run(cmd, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	p.flags(cmd)
	p.JSONFlag(cmd, "print one JSON object a line, for each change and the end; faults as `inspector check --json`")
	return cmd
}

func (p *push) flags(cmd *cobra.Command) {
	p.client.Flags(cmd)
	p.PlanFlags.Flags(cmd)
	p.SignFlags.Flags(cmd)
	p.back.flags(cmd)
	p.back.onlyFlag(cmd)
	cmd.Flags().StringVar(&p.to, "to", "", "the label `SELECTOR` of its hosts, such as role=db or 'zone in (a,b)'; '' is every host")
	allowNoneFlag(cmd, &p.allowNone)
	cmd.Flags().BoolVar(&p.dryRun, "dry-run", false, "tell what would change, and change nothing")
	cmd.Flags().StringVarP(&p.message, "message", "m", "", "why, for the history")
	cmd.Flags().StringVar(&p.name, "name", "", "the inspector's `KEY` (default: the script's //vedette:name, else the file's name)")
	cmd.Flags().DurationVar(&p.interval, "interval", 0, "run every `DURATION` (default: the script's //vedette:interval, else 10s)")
	cmd.Flags().DurationVar(&p.timeoutRun, "timeout-run", 0,
		"cut a run off after this `DURATION` (default: the script's //vedette:timeout, else 80 % of the interval)")
	cmd.Flags().StringVar(&p.version, "if-version", "", "push only if this is still the entry's `VERSION`, as `inspectors --json` prints it; '' is for a new one")
	cmd.Flags().StringVar(&p.plugin, "plugin", "", "push the compiled program `BIN`; more platforms follow as ,GOOS/GOARCH=BIN")
	cmd.Flags().StringArrayVar(&p.args, "arg", nil, "an `ARGUMENT` of the plugin; may be repeated")
	p.CompleteFlags(cmd)
}

func (p *push) run(cmd *cobra.Command, args []string) error {
	plan, err := p.Plan()
	if err != nil {
		return err
	}
	if err := p.SignFlags.Read(cmd); err != nil {
		return err
	}
	if err := p.back.read(&p.SignFlags); err != nil {
		return err
	}
	code, artefacts, err := p.code(cmd, args)
	if err != nil {
		return err
	}
	s, err := p.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	// The master's check needs the programs of a plugin.
	if err := p.upload(cmd.Context(), cmd.ErrOrStderr(), artefacts); err != nil {
		return err
	}
	params := wire.PushParams{Code: code, AllowNone: p.allowNone, Message: p.message, Plan: plan}
	if cmd.Flags().Changed("to") {
		params.Selector = &p.to
	}
	back, err := signFor(s, &p.SignFlags, p.back, &params)
	if err != nil {
		return err
	}
	checked, err := checkOnMaster(cmd, s, params, p.JSON)
	if err == nil {
		err = p.Agree(code, checked.Revision)
	}
	if err != nil {
		return err
	}
	if checked.Nobody != "" && !p.allowNone {
		return cli.Exit(cli.ExitCheck, fmt.Errorf("nothing was pushed: %s; where that is meant, give --allow-none", nobodyText(checked.Nobody, checked.Drops)))
	}
	if text := builtInText(code.Name, checked.BuiltIn, checked.Replaces); text != "" {
		cli.Errln(cmd.ErrOrStderr(), "warning: %s", text)
	}
	if p.dryRun {
		return p.foretell(cmd, s, params, checked)
	}
	if text := refusalsText(checked.Refusals, checked.Hosts); text != "" {
		cli.Errln(cmd.ErrOrStderr(), "warning: %s", strings.TrimSpace(text))
	}
	if cmd.Flags().Changed("if-version") {
		params.Version = &p.version
	}
	if err := p.signBack(cmd, s, code.Name, back); err != nil {
		return err
	}
	result, err := remote.Call(s, wire.CatalogPush, params)
	if err != nil {
		return faultsOf(cmd, err, code.File, p.JSON)
	}
	if !p.JSON {
		if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(pushedText(code.Name, result))); err != nil {
			return err
		}
	}
	return rollouts.Finish(cmd, &p.Client, code.Name, result, &p.PlanFlags)
}

// allowNoneFlag adds the flag that permits a selector without hosts.
func allowNoneFlag(cmd *cobra.Command, allow *bool) {
	cmd.Flags().BoolVar(allow, "allow-none", false, "take a selector that no host has, for hosts that are to come")
}

// nobodyText says that a selector selects no host, and how many hosts lose the inspector.
func nobodyText(nobody string, drops int) string {
	if drops == 0 {
		return nobody
	}
	return cli.Counted(drops, "host", "hosts") + " would drop it; " + nobody
}

// builtInText says that a push replaces a built-in inspector, or is "".
func builtInText(name string, builtIn bool, replaces int) string {
	if !builtIn || replaces == 0 {
		return ""
	}
	return fmt.Sprintf("%s is built in; what is pushed under that name replaces it on %s, until it is deleted", name, cli.Counted(replaces, "host", "hosts"))
}

// pushedText says what a push has started and names its hosts, because a push without a
// selector goes to every host.
func pushedText(name string, result wire.PushResult) string {
	text := begunText(name, result)
	if result.NotBuilt != "" {
		text += fmt.Sprintf("the master accepted it without building it, so its hosts find out whether it builds\n    %s\n", result.NotBuilt)
	}
	return text
}

// begunText is the first line of pushedText.
func begunText(name string, result wire.PushResult) string {
	switch {
	case result.Proposal != "":
		return fmt.Sprintf("%s %s waits for a second person, to go to %s\n", name, cli.ShortID(result.Revision), whereText(result))
	case result.Signed:
		return fmt.Sprintf("%s %s is current already; its hosts get the signature\n", name, cli.ShortID(result.Revision))
	case result.Rollout == "":
		return fmt.Sprintf("%s %s is current already; nothing is to be done\n", name, cli.ShortID(result.Revision))
	}
	return fmt.Sprintf("%s %s goes to %s\n", name, cli.ShortID(result.Revision), whereText(result))
}

// whereText says which hosts a rollout goes to, and how many drop the inspector.
func whereText(result wire.PushResult) string {
	hosts := "none yet; hosts get it when they match"
	if result.Hosts > 0 {
		hosts = cli.Counted(result.Hosts, "host", "hosts")
	}
	begun := "rollout " + result.Rollout
	if result.Proposal != "" {
		begun = "proposal " + result.Proposal
	}
	text := fmt.Sprintf("%s: %s (%s)", remote.SelectorText(result.Selector), hosts, begun)
	if result.Drops > 0 {
		text += fmt.Sprintf("; %s it", cli.Counted(result.Drops, "host drops", "hosts drop"))
	}
	return text
}

// code returns the code of a script or a plugin, and the programs of a plugin. A script has
// passed the check.
func (p *push) code(cmd *cobra.Command, args []string) (wire.Code, []artefact, error) {
	for flag, d := range map[string]time.Duration{"interval": p.interval, "timeout-run": p.timeoutRun} {
		if err := checkDuration(flag, d); err != nil {
			return wire.Code{}, nil, err
		}
	}
	code := wire.Code{Name: p.name, IntervalMS: p.interval.Milliseconds(), TimeoutMS: p.timeoutRun.Milliseconds()}
	if p.plugin == "" {
		err := scriptCode(cmd, args[0], &code, p.JSON)
		return code, nil, err
	}
	if p.name == "" {
		return code, nil, cli.Usagef("--plugin needs --name, the inspector's key")
	}
	artefacts, err := readArtefacts(p.plugin)
	if err != nil {
		return code, nil, err
	}
	code.Plugin = &wire.PushedPlugin{Args: p.args, Artefacts: make(map[string]wire.Artefact)}
	for _, a := range artefacts {
		code.Plugin.Artefacts[a.platform] = wire.Artefact{SHA256: a.sum, Size: a.size}
	}
	return code, artefacts, nil
}

// scriptCode reads a script into code, checks it, and names it after its file if it has no
// name. It prints faults.
func scriptCode(cmd *cobra.Command, file string, code *wire.Code, asJSON bool) error {
	text, err := os.ReadFile(file) // first, because an unreadable file is not a fault in code
	if err != nil {
		return fmt.Errorf("cannot read the script: %w", err)
	}
	result := probe.CheckFile(cmd.Context(), file)
	if result.Err() != nil {
		if err := probe.PrintChecked(cmd, file, result, asJSON); err != nil {
			return err
		}
		return cli.Exit(cli.ExitCheck, nil)
	}
	said, err := inspectors.ParseDirectives(file, string(text))
	if err != nil {
		return cli.Exit(cli.ExitCheck, err)
	}
	code.File, code.Source = filepath.Base(file), string(text)
	if code.Name == "" {
		code.Name = said.Name
	}
	if code.Name == "" {
		code.Name = strings.TrimSuffix(code.File, ".go")
	}
	if err := inspectors.ValidateKey(code.Name); err != nil {
		return cli.Usagef("%v; give another with --name", err)
	}
	return nil
}

// checkOnMaster has the master check the code, because its rules may be newer, and prints
// the faults as the local check does. It returns what a push would do.
func checkOnMaster(cmd *cobra.Command, s *remote.Session, p wire.PushParams, asJSON bool) (wire.CheckResult, error) {
	result, err := remote.Call(s, wire.CatalogCheck, wire.CheckParams{Code: p.Code, Selector: p.Selector, Signatures: p.Signatures})
	if err != nil {
		return result, err
	}
	if len(result.Diagnostics) == 0 {
		return result, nil
	}
	if err := probe.PrintChecked(cmd, p.Code.File, fromMaster(result), asJSON); err != nil {
		return result, err
	}
	return result, cli.Exit(cli.ExitCheck, nil)
}

// faultsOf prints the faults in the error of a push, such as those that only a build finds.
// It returns any other error unchanged.
func faultsOf(cmd *cobra.Command, err error, file string, asJSON bool) error {
	var answer *rpc.Error
	if !errors.As(err, &answer) {
		return err
	}
	var data wire.CheckResult
	text, e := json.Marshal(answer.Data)
	if e != nil || json.Unmarshal(text, &data) != nil || len(data.Diagnostics) == 0 {
		return err
	}
	if err := probe.PrintChecked(cmd, file, fromMaster(data), asJSON); err != nil {
		return err
	}
	return cli.Exit(cli.ExitCheck, nil)
}

// fromMaster converts the result of the master's check to that of the local one.
func fromMaster(result wire.CheckResult) probe.Checked {
	var found probe.Checked
	for _, d := range result.Diagnostics {
		found.Diagnostics = append(found.Diagnostics, inspectors.Diagnostic{File: d.File, Line: d.Line, Col: d.Col, Message: d.Message, Fix: d.Fix})
	}
	return found
}

// checkDuration checks the value of a flag that is a duration; 0 is allowed.
func checkDuration(flag string, d time.Duration) error {
	if d < 0 {
		return cli.Usagef("--%s is %v; it must be above 0", flag, d)
	}
	return nil
}
