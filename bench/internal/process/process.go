// Package process measures processes of this machine from outside: what memory
// and what processor time they take.
package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Children returns the processes that one has started.
func Children(pid int) []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var children []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// Tree returns a process and all that descend from it.
func Tree(pid int) []int {
	all := []int{pid}
	for _, child := range Children(pid) {
		all = append(all, Tree(child)...)
	}
	return all
}

// PSS returns the proportional set size of processes in MiB: their memory, with
// pages that several share counted in parts (proc(5), smaps_rollup).
func PSS(pids ...int) float64 { return memory("Pss:", pids) }

// RSS returns the resident memory of processes in MiB.
func RSS(pids ...int) float64 { return memory("Rss:", pids) }

func memory(field string, pids []int) float64 {
	var kib float64
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(line, field); ok {
				n, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
				kib += n
			}
		}
	}
	return kib / 1024
}

// CPU returns the user and system time of processes, from their schedulers'
// nanosecond clocks (schedstat) thread by thread, as stat counts in 10 ms.
func CPU(pids ...int) time.Duration {
	var total time.Duration
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(task)
			if fields := strings.Fields(string(text)); len(fields) > 0 {
				n, _ := strconv.ParseInt(fields[0], 10, 64)
				total += time.Duration(n)
			}
		}
	}
	return total
}
