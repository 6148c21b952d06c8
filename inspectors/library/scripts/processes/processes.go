// Package processes reports how many processes there are, in all and by state,
// how many threads they have, and how many have been started since the system
// started. Asking each of more than 1,000 processes for its state costs too much, so
// only running and waiting are then reported, which the system counts itself. The
// same holds if /proc hides the processes of other users, which is also an error.
//
//vedette:name processes
//vedette:interval 5s
package processes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v3/load"
	"github.com/vedettehq/vedette/inspectors"
)

// most is the number of processes up to which each is asked for its state.
const most = 1000

// states are the states of proc(5) by their letter.
var states = map[string]string{
	"R": "running", "S": "sleeping", "D": "waiting", "Z": "zombie", "T": "stopped", "t": "traced", "I": "idle",
}

func Inspect(ctx context.Context, r *inspectors.Report) error {
	misc, err := load.MiscWithContext(ctx)
	if err != nil {
		return err
	}
	r.Counter("started_total", float64(misc.ProcsCreated))
	text, err := os.ReadFile(proc("loadavg"))
	if err != nil {
		return err
	}
	var one, five, fifteen, running, threads float64
	if _, err := fmt.Sscanf(string(text), "%g %g %g %g/%g", &one, &five, &fifteen, &running, &threads); err != nil {
		return fmt.Errorf("cannot read %q: %w", text, err)
	}
	r.Gauge("threads", threads)
	option := hidden()
	if option == "" {
		r.Gauge("total", float64(misc.ProcsTotal))
	}
	if option == "" && misc.ProcsTotal <= most {
		return byState(ctx, r)
	}
	r.Gauge("count", float64(misc.ProcsRunning), "state", "running")
	r.Gauge("count", float64(misc.ProcsBlocked), "state", "waiting")
	if option != "" {
		return fmt.Errorf("/proc is mounted with %s, which hides the processes of others: what the system counts itself is reported, and no total; mount it with "+
			"hidepid=0 to have that", option)
	}
	return nil
}

// hidden returns the option by which /proc hides the processes of other users, or "" if it
// hides none from this process.
func hidden() string {
	if _, err := os.ReadFile(proc("1/stat")); err == nil {
		return ""
	}
	text, err := os.ReadFile(proc("self/mountinfo"))
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		parts := strings.SplitN(line, " - proc ", 2)
		if len(parts) < 2 {
			continue
		}
		for _, option := range strings.Split(parts[1], ",") {
			if strings.HasPrefix(option, "hidepid=") && option != "hidepid=0" && option != "hidepid=off" {
				return option
			}
		}
	}
	return ""
}

func byState(ctx context.Context, r *inspectors.Report) error {
	folder, err := os.Open(proc(""))
	if err != nil {
		return err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		text, err := os.ReadFile(proc(name + "/stat"))
		if err != nil {
			continue // it has ended
		}
		// pid (name) state …, where the name may hold anything.
		line := string(text)
		end := strings.LastIndex(line, ") ") + 2
		if end >= 2 && end < len(line) {
			counts[line[end:end+1]]++
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for letter, state := range states {
		r.Gauge("count", float64(counts[letter]), "state", state)
	}
	return nil
}

func proc(name string) string {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(root, name)
}
