// Package processes reports how many processes there are, in all and by state,
// and how many have been started since the system was.
//
//vedette:name processes
//vedette:interval 5s
package processes

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v3/load"
	"github.com/vedettehq/vedette/inspectors"
)

// states are the states of proc(5) by their letter.
var states = map[byte]string{
	'R': "running", 'S': "sleeping", 'D': "waiting", 'Z': "zombie", 'T': "stopped", 't': "traced", 'I': "idle",
}

func Inspect(ctx context.Context, r *inspectors.Report) error {
	misc, err := load.MiscWithContext(ctx)
	if err != nil {
		return err
	}
	r.Counter("started_total", float64(misc.ProcsCreated))
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	files, err := filepath.Glob(filepath.Join(root, "[0-9]*", "stat"))
	if err != nil {
		return err
	}
	counts := map[byte]int{}
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state …, where the name may hold anything.
		line := string(text)
		end := strings.LastIndex(line, ") ")
		if end < 0 || end+2 >= len(line) {
			continue
		}
		total++
		counts[line[end+2]]++
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Gauge("total", float64(total))
	for letter, state := range states {
		r.Gauge("count", float64(counts[letter]), "state", state)
	}
	return nil
}
