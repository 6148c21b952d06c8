package plugins

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"

	"github.com/vedettehq/vedette/plugins/internal/executor"
	"github.com/vedettehq/vedette/plugins/internal/sandbox"
)

// execute has the agent run the programs that the scripts of a script host need,
// until release.
func (p *process) execute() error {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := p.rpc.Execute(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("cannot run programs for it: %w", err)
	}
	keepers := p.keepers()
	agent := &executor.Agent{Programs: p.spec.needs.Programs, Run: keepers.Run, Slots: p.spec.programs}
	p.executing, p.executed = cancel, make(chan struct{})
	go func() {
		defer close(p.executed)
		agent.Serve(stream)
	}()
	return nil
}

// keepers are what runs the programs, as the user that scripts run as and within
// the limits of a script host.
func (p *process) keepers() *executor.Keepers {
	s := p.spec
	k := &executor.Keepers{
		Path: s.path, Args: s.args,
		Confinement: executor.Confinement{
			Private: s.sandbox.Private, DataBytes: max(s.limits.DataBytes, 0), Files: max(s.limits.Files, 0),
			OOMScoreAdj: max(s.oomScoreAdj, 0),
		},
		Start: func(cmd *exec.Cmd) error {
			// It must outlive an agent that is killed, for as long as it takes to end
			// the program: its lifeline tells it.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			return s.spawner.start(cmd)
		},
		Warn: p.hooks.warn,
	}
	if sandbox.IsRoot() {
		k.User = s.sandbox.User
	}
	return k
}
