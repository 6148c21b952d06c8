package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// upgradeStage is how long a stage of an upgrade may take, which includes the download
	// of the program and its trial on the host.
	upgradeStage = 5 * time.Minute
	// maxSignatureBytes bounds the size of a signature file.
	maxSignatureBytes = 64 << 10
)

// hostsUpgrade is one run of `vedette hosts upgrade`.
type hostsUpgrade struct {
	client
	rollouts.PlanFlags
	to, message, program, key string
}

// NewUpgrade makes the command `vedette hosts upgrade`.
func NewUpgrade() *cobra.Command {
	u := &hostsUpgrade{}
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Replace the agent's program on hosts that let it",
		Long: `Give hosts another program of the agent, at once or in stages, and follow it. Each
host checks the signature, tries the program, and goes back by itself where the master
has no report of it within a minute (agent.upgrade.within). A stage that does not do well
takes back what was reached.

A host takes it only where its own configuration says so: agent.upgrade.allow, and the
keys of releases in agent.upgrade.keys. The program is signed with --release-key, or was
signed before with "vedette sign": then its signature is beside it, in BIN.sig.

It is a push like any other, under the name vedette/agent: receipts, rollouts, inspector
history, rollback and delete take that name. After a delete, hosts go back to the program
that they had before. The exit status is that of vedette push.`,
		Example: `  vedette hosts upgrade --to host=web-1 --release-key release.pem
  vedette hosts upgrade --to role=db --canary 1,10%,100% -m "1.2.4"
  vedette hosts upgrade --to "" --program ./vedette-agent,linux/arm64=./vedette-agent-arm64
  vedette receipts vedette/agent`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return u.run(cmd) },
	}
	u.client.Flags(cmd)
	u.PlanFlags.Flags(cmd)
	cmd.Flags().StringVar(&u.to, "to", "", "the label `SELECTOR` of the hosts, such as role=db; '' is every host")
	cmd.Flags().StringVarP(&u.message, "message", "m", "", "why, for the history")
	cmd.Flags().StringVar(&u.program, "program", "", "the program `BIN`; more platforms follow as ,GOOS/GOARCH=BIN (default: vedette-agent beside this program)")
	cmd.Flags().StringVar(&u.key, "release-key", "", "sign the program with the private key in `FILE`, whose public key hosts have in agent.upgrade.keys")
	u.JSONFlag(cmd, "print one JSON object a line, for each change and the end")
	u.CompleteFlags(cmd)
	return cmd
}

func (u *hostsUpgrade) run(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("to") {
		return cli.Usagef("say which hosts with --to SELECTOR, such as --to host=web-1; --to '' is every host")
	}
	if u.StageTimeout == 0 {
		u.StageTimeout = upgradeStage
	}
	plan, err := u.Plan()
	if err != nil {
		return err
	}
	code, artefacts, err := u.code()
	if err != nil {
		return err
	}
	s, err := u.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := u.upload(cmd.Context(), cmd.ErrOrStderr(), artefacts); err != nil {
		return err
	}
	result, err := remote.Call(s, wire.CatalogPush, wire.PushParams{Code: code, Selector: &u.to, Message: u.message, Plan: plan})
	if err != nil {
		return err
	}
	if !u.JSON {
		if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(begunText(code.Name, result))); err != nil {
			return err
		}
	}
	return rollouts.Finish(cmd, &u.Client, code.Name, result, &u.PlanFlags)
}

// code makes the code of an upgrade: the programs with their signatures.
func (u *hostsUpgrade) code() (wire.Code, []artefact, error) {
	if u.program == "" {
		self, err := os.Executable()
		if err != nil {
			return wire.Code{}, nil, fmt.Errorf("cannot find this program's own file: %w", err)
		}
		u.program = filepath.Join(filepath.Dir(self), "vedette-agent")
	}
	artefacts, err := readArtefacts(u.program)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; name the program with --program", err)
	}
	if err != nil {
		return wire.Code{}, nil, err
	}
	code := wire.Code{Name: wire.AgentProgram, Plugin: &wire.PushedPlugin{Artefacts: make(map[string]wire.Artefact)}}
	for _, a := range artefacts {
		code.Plugin.Artefacts[a.platform] = wire.Artefact{SHA256: a.sum, Size: a.size}
		signatures, err := u.signatures(a)
		if err != nil {
			return code, nil, err
		}
		code.Plugin.Args = append(code.Plugin.Args, signatures...)
	}
	return code, artefacts, nil
}

// signatures returns the signatures of one program: a new one by our key, or those of the
// file beside it.
func (u *hostsUpgrade) signatures(a artefact) ([]string, error) {
	if u.key != "" {
		key, err := remote.ReadSignKey(u.key)
		if err != nil {
			return nil, err
		}
		return []string{wire.ProgramSignature(a.platform, key.Public().ID(), key.SignFileSum(a.sum))}, nil
	}
	f, err := os.Open(a.path + ".sig")
	if err != nil {
		return nil, fmt.Errorf("cannot read the signature of %q: %w; give --release-key, or run: vedette sign --sign-key FILE %s", a.path, err, a.path)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSignatureBytes))
	if err != nil {
		return nil, fmt.Errorf("cannot read the signature of %q: %w", a.path, err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 2 {
			all = append(all, wire.ProgramSignature(a.platform, words[0], words[1]))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no signature in %q; make one with: vedette sign --sign-key FILE %s", a.path+".sig", a.path)
	}
	return all, nil
}
