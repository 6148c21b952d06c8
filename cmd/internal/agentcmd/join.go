package agentcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/internal/wholefile"
)

// joining is one run of `vedette join`.
type joining struct {
	program           string // how the agent is started
	token, tokenFile  string
	host, file, data  string
	acceptPushed, run bool
	atRoot            bool // the agent's files are where the package has them
}

// newJoin makes the command that joins this machine to a master. program is the name of the
// command that runs an agent.
func newJoin(program string) *cobra.Command {
	j := &joining{program: program}
	cmd := &cobra.Command{
		Use:   "join URL",
		Short: "Have this machine join a master",
		Long: `Have this machine join the master at an address, with a join token that "vedette
join-token" has made there. The token pins the master's authority, so nobody else can
pose as the master.

A key is made, which never leaves this machine, and the master's authority certifies
it for the name of the host. The agent renews the certificate by itself. Then a
configuration is written, and the agent can be started.

If an operator has to let the host in, the command waits for that. It can be stopped
and run again with the same token.`,
		Example: "  " + program + " join https://master.example:50505 --token vedette_join_…\n" +
			"  " + program + " join https://master.example:50505 --token-file join.token --host web-1 --run",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("%s join needs the URL of the master, such as: %s join https://master:50505 --token …", program, program)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return j.join(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&j.token, "token", "", "the join `TOKEN`")
	cmd.Flags().StringVar(&j.tokenFile, "token-file", "", "take the join token from `FILE`, so that other users do not see it among the processes")
	cmd.Flags().StringVar(&j.host, "host", "", "join under the `NAME` (default: the machine's host name)")
	cmd.Flags().StringVar(&j.file, "config", "", "write the configuration `FILE` (default $"+config.VariableConfig+", or "+defaultFile(true)+
		" for root, or vedette/agent.yaml in the user's configuration folder)")
	cmd.Flags().StringVar(&j.data, "data", "", "keep the agent's files in `DIR` (default $XDG_STATE_HOME/vedette-agent/HOST)")
	cmd.Flags().BoolVar(&j.acceptPushed, "accept-pushed", false, "let the master send code to this host")
	cmd.Flags().BoolVar(&j.run, "run", false, "run the agent then, until ^C")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

// defaultFile is the configuration file that is written if no other is named.
func defaultFile(root bool) string {
	if root {
		return "/etc/vedette/agent.yaml"
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "agent.yaml"
	}
	return filepath.Join(folder, "vedette", "agent.yaml")
}

func (j *joining) join(cmd *cobra.Command, master string) error {
	if err := j.readToken(); err != nil {
		return err
	}
	if j.file == "" {
		j.file = os.Getenv(config.VariableConfig)
	}
	if j.file == "" {
		j.file = defaultFile(os.Geteuid() == 0)
	}
	c, err := j.configuration(master)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	m, labels, err := member.Join(ctx, member.Options{
		Master: master, Token: j.token, Host: c.Agent.Host, Data: c.Agent.Data,
		Waiting: func() {
			fmt.Fprintf(cmd.OutOrStdout(), "Waiting until an operator lets this host in, with: vedette hosts approve %s\n", c.Agent.Host)
		},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Joined %s as host %s; the certificate is good until %s, and renewed by itself.\n",
		cli.Printable(master), m.Host(), cli.Moment(m.Ends().UnixMilli()))
	if text := j.configured(master, c, labels); text == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "The configuration %s stays as it is.\n", cli.Printable(j.file))
	} else if err := wholefile.Write(j.file, text); err != nil {
		return fmt.Errorf("cannot write the configuration %q; write it yourself, with agent.host %q and agent.master %q: %w", j.file, m.Host(), master, err)
	}
	if j.run {
		return j.start(cmd)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Start the agent with: %s --config %s\n", j.program, cli.Printable(j.file))
	return err
}

// readToken reads the join token and checks its form.
func (j *joining) readToken() error {
	if (j.token == "") == (j.tokenFile == "") {
		return cli.Usagef("give the join token with --token or --token-file; `vedette join-token` makes one on the master")
	}
	if j.tokenFile != "" {
		text, err := os.ReadFile(j.tokenFile)
		if err != nil {
			return fmt.Errorf("cannot read the join token: %w", err)
		}
		j.token = string(text)
	}
	if _, err := jointoken.Parse(j.token); err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	return nil
}

// configuration reads the configuration file if there is one. A file for another master or
// host is refused and left alone.
func (j *joining) configuration(master string) (c *config.Config, err error) {
	there := false
	options := config.LoadOptions{For: config.PartAgent, Library: library.Names()}
	if _, err := os.Stat(j.file); err == nil {
		there, options.Path = true, j.file
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the configuration %q: %w", j.file, err)
	}
	set := func(path, value, flag string) {
		if value != "" {
			options.Overrides = append(options.Overrides, config.Override{Path: path, Value: value, Flag: flag})
		}
	}
	set("agent.host", j.host, "host")
	if j.data == "" && os.Geteuid() == 0 && os.Getenv("XDG_STATE_HOME") == "" && os.Getenv("VEDETTE_AGENT_DATA") == "" {
		j.atRoot = true // like the package's systemd unit, which has no home of root
		options.Environ = append(os.Environ(), "XDG_STATE_HOME=/var/lib")
	}
	set("agent.data", j.data, "data")
	if !there {
		set("agent.master", master, "URL")
	}
	if c, err = config.Load(options); err != nil {
		return nil, err
	}
	switch {
	case there && c.Agent.Master != master && j.placeOfMaster() == nil:
		return nil, fmt.Errorf("cannot join with the configuration %q: it names the master %q; set agent.master there to %q, or give another file with --config", j.file, c.Agent.Master, master)
	case there && j.acceptPushed && !c.Agent.AcceptPushedInspectors && j.placeOfMaster() == nil:
		return nil, fmt.Errorf("cannot join with the configuration %q: it does not accept pushed inspectors; set agent.accept_pushed_inspectors there", j.file)
	case there && j.host != "" && j.inFile()("agent.host") && j.hostOfFile() != j.host:
		return nil, fmt.Errorf("cannot join with the configuration %q: it is for host %q; set agent.host there to %q", j.file, j.hostOfFile(), j.host)
	}
	return c, nil
}

// hostOfFile is the host that the configuration names without the flag --host.
func (j *joining) hostOfFile() string {
	c, err := config.Load(config.LoadOptions{Path: j.file, For: config.PartAgent, Library: library.Names()})
	if err != nil {
		return ""
	}
	return c.Agent.Host
}

// masterOfPackage matches the line of the package's configuration that is replaced by the
// host's master.
var masterOfPackage = regexp.MustCompile(`(?m)^( +)master: *"?http://127\.0\.0\.1:50505"?[ \t]*$`)

// placeOfMaster returns the positions of that line in the configuration and of its
// indentation. It is nil if there is no such line, or several.
func (j *joining) placeOfMaster() []int {
	text, err := os.ReadFile(j.file)
	if err != nil {
		return nil
	}
	if all := masterOfPackage.FindAllSubmatchIndex(text, 2); len(all) == 1 {
		return all[0]
	}
	return nil
}

// configured returns the new text of the configuration for a host that has joined, or "" if
// it stays as it is.
func (j *joining) configured(master string, c *config.Config, labels map[string]string) string {
	before, err := os.ReadFile(j.file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("# Written by `%s join`. docs/configuration.md has every setting.\nagent:\n%s", j.program, j.settings("  ", master, c, labels))
	}
	place := j.placeOfMaster()
	if err != nil || place == nil {
		return ""
	}
	indent := string(before[place[2]:place[3]])
	return string(before[:place[0]]) + strings.TrimSuffix(j.settings(indent, master, c, labels), "\n") + string(before[place[1]:])
}

// settings returns the agent's settings that the configuration does not have yet.
func (j *joining) settings(indent, master string, c *config.Config, labels map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%smaster: %s\n", indent, strconv.Quote(master))
	inFile := j.inFile()
	if !inFile("agent.host") {
		fmt.Fprintf(&b, "%shost: %s\n", indent, strconv.Quote(c.Agent.Host))
	}
	if !inFile("agent.data") && (j.atRoot || c.Origin("agent.data") != (config.Origin{})) {
		fmt.Fprintf(&b, "%sdata: %s\n", indent, strconv.Quote(c.Agent.Data))
	}
	if len(labels) > 0 && len(c.Agent.Labels) == 0 {
		fmt.Fprintf(&b, "%slabels:\n", indent)
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			fmt.Fprintf(&b, "%s  %s: %s\n", indent, strconv.Quote(name), strconv.Quote(labels[name]))
		}
	}
	if j.acceptPushed && !c.Agent.AcceptPushedInspectors {
		fmt.Fprintf(&b, "%saccept_pushed_inspectors: true\n", indent)
	}
	return b.String()
}

// inFile returns a function that reports whether the configuration file itself has a
// setting.
func (j *joining) inFile() func(path string) bool {
	if _, err := os.Stat(j.file); err != nil {
		return func(string) bool { return false }
	}
	c, err := config.Load(config.LoadOptions{Path: j.file, Environ: []string{}, For: config.PartAgent, Library: library.Names()})
	return func(path string) bool { return err == nil && c.Origin(path) != (config.Origin{}) }
}

// start runs the agent with the configuration.
func (j *joining) start(cmd *cobra.Command) error {
	run := New("agent", j.program)
	run.SetArgs([]string{"--config", j.file})
	run.SetOut(cmd.OutOrStdout())
	run.SetErr(cmd.ErrOrStderr())
	run.SilenceErrors, run.SilenceUsage = true, true
	return run.ExecuteContext(cmd.Context())
}
