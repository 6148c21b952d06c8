package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// EnvKeeper is set in the environment of a keeper, which is then not a script
// host.
const EnvKeeper = "VEDETTE_KEEPER"

// resultFD is the descriptor to which a keeper writes its result, after the three
// usual ones. It reads its order from standard input, which is closed when the
// program must end.
const resultFD = 3

// order tells a keeper what to do.
type order struct {
	Path string   `json:"path"`
	Args []string `json:"args"`
	Confinement
	// CPUSeconds bounds the processor time.
	CPUSeconds uint64 `json:"cpu_seconds"`
}

// Confinement says what programs must not have.
type Confinement struct {
	// User is the number of the user and the group to become, 0 for none.
	User int `json:"user"`
	// Private are files and folders that they must not see.
	Private []string `json:"private,omitempty"`
	// DataBytes and Files are limits like those of plugins.Limits, 0 for none.
	DataBytes int64 `json:"data_bytes,omitempty"`
	Files     int   `json:"files,omitempty"`
	// OOMScoreAdj is how much sooner than other processes the system kills them.
	OOMScoreAdj int `json:"oom_score_adj,omitempty"`
}

// result is the report of a keeper when nothing of the program is left.
type result struct {
	Code   int    `json:"code"`
	Reason string `json:"reason,omitempty"`
	// Error is why it was not run.
	Error string `json:"error,omitempty"`
	// Missing are the parts of the confinement that the system lacks.
	Missing []string `json:"missing,omitempty"`
}

// Keepers run programs, each with a keeper.
type Keepers struct {
	Confinement
	// Path and Args are the command line of a script host.
	Path string
	Args []string
	// Start starts a keeper, in a separate process group and unable to gain
	// rights. It must not be killed when the agent is, because it ends by itself
	// then.
	Start func(*exec.Cmd) error
	// Warn is told each time what is missing in the confinement of a program.
	Warn func(missing string)
}

// endTime is how long a keeper may take to end a program.
const endTime = time.Second

// Run runs a program until it ends or ctx does. The error says why it was not run
// or did not end by itself. When Run returns, nothing of the program is left,
// except for processes that the kernel cannot end.
func (k *Keepers) Run(ctx context.Context, path string, args []string) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	orders, lifeline, err := os.Pipe()
	if err != nil {
		return Outcome{}, err
	}
	defer lifeline.Close()
	results, resultWrite, err := os.Pipe()
	if err != nil {
		_ = orders.Close()
		return Outcome{}, err
	}
	defer results.Close()
	cmd := &exec.Cmd{
		Path: k.Path, Args: k.Args, Dir: "/", Env: []string{EnvKeeper + "=1", "GOMAXPROCS=1", "GOTRACEBACK=none"},
		Stdin: orders, ExtraFiles: []*os.File{resultWrite},
	}
	o := order{Path: path, Args: args, Confinement: k.Confinement, CPUSeconds: cpuSeconds(ctx)}
	start := func(cmd *exec.Cmd) error {
		err := k.Start(cmd)
		_, _ = orders.Close(), resultWrite.Close()
		if err == nil {
			// A keeper that is gone, or told to stop, does not read it.
			go func() { _ = json.NewEncoder(lifeline).Encode(&o) }()
		}
		return err
	}
	gone := make(chan struct{})
	end := func() {
		_ = lifeline.Close()
		go func() {
			timer := time.NewTimer(endTime)
			defer timer.Stop()
			select {
			case <-gone:
			case <-timer.C:
				_ = cmd.Process.Kill()
			}
		}()
	}
	c, err := capture(ctx, cmd, start, end, func() { close(gone) })
	if err != nil {
		return Outcome{}, fmt.Errorf("cannot start its keeper: %w", plain(err))
	}
	outcome, err := k.outcome(ctx, c, results)
	// The system includes what the keeper waited for: the program, and everything
	// that it left behind.
	outcome.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return outcome, err
}

// cpuSeconds is the processor time that a program may take if its run ends with
// ctx: that of one processor, and a little more.
func cpuSeconds(ctx context.Context) uint64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return uint64(max(time.Until(deadline), 0)/time.Second) + 2
}

// outcome reads the result of a keeper that has ended.
func (k *Keepers) outcome(ctx context.Context, c captured, results io.Reader) (Outcome, error) {
	var r result
	err := json.NewDecoder(io.LimitReader(results, 64<<10)).Decode(&r)
	for _, missing := range r.Missing {
		k.Warn(missing)
	}
	switch {
	case r.Error != "":
		return Outcome{}, errors.New(r.Error)
	case c.over:
		return Outcome{}, errTooMuch
	case ctx.Err() != nil:
		return Outcome{}, context.Cause(ctx)
	case err != nil:
		return Outcome{}, fmt.Errorf("its keeper ended before it: %s", c.stderr)
	}
	return Outcome{Output: c.stdout, Code: r.Code, Reason: r.Reason, Stderr: c.stderr}, nil
}
