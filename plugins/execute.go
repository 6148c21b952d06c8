package plugins

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"github.com/vedettehq/vedette/internal/mask"
	"github.com/vedettehq/vedette/plugins/internal/executor"
	"github.com/vedettehq/vedette/plugins/internal/sandbox"
)

// execute lets the agent run the programs that the scripts of a script host need,
// and give them their secrets, until release.
func (p *process) execute() error {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := p.rpc.Execute(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("cannot run programs for it: %w", err)
	}
	keepers := p.keepers()
	agent := &executor.Agent{
		Programs: p.spec.needs.Programs, Run: keepers.Run, Slots: p.spec.programs,
		Secrets: p.spec.needs.Secrets, Secret: p.secret, Mask: p.spec.mask,
	}
	p.executing, p.executed = cancel, make(chan struct{})
	go func() {
		defer close(p.executed)
		agent.Serve(stream)
	}()
	return nil
}

// secret returns the value of a secret of the host. From now on it is masked in
// all that the process says.
func (p *process) secret(name string) (string, error) {
	read := p.pool.options.Secret
	if read == nil {
		return "", errors.New("this host has no secrets")
	}
	value, err := read(name)
	if err != nil {
		p.spec.log.Warn("a secret cannot be handed to a script", "secret", name, "reason", err)
		return "", err
	}
	if len(value) < mask.MinBytes || len(value) > mask.MaxBytes {
		return "", fmt.Errorf("its value has %d bytes; at least %d and at most %d are needed, or it could not be kept out of the output of scripts",
			len(value), mask.MinBytes, mask.MaxBytes)
	}
	p.spec.mask.Learn(name, value)
	return value, nil
}

// said makes text from a child fit for a log: printable, and without secrets.
func (p *process) said(text string) string { return p.spec.mask.Text(printable(text)) }

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
			// It must outlive a killed agent for as long as it takes to end the
			// program. Its lifeline tells it about the agent's end.
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
