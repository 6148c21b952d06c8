package patience

import (
	"fmt"
	"runtime"
	"strings"
)

const (
	ours      = "github.com/vedettehq/vedette"
	self      = ours + "/internal/patience."
	maxStacks = 1 << 20 // size of all goroutines' stacks
	maxShown  = 40      // different stacks
)

// Goroutines returns the stacks of the goroutines that run code of ours. Equal
// ones are shown once with their number.
func Goroutines() string {
	buf := make([]byte, maxStacks)
	buf = buf[:runtime.Stack(buf, true)]
	return summary(string(buf))
}

// summary extracts the useful part of a trace of all goroutines.
func summary(trace string) string {
	var order []string
	count := make(map[string]int)
	for stack := range strings.SplitSeq(trace, "\n\n") {
		head, frames, _ := strings.Cut(strings.TrimSpace(stack), "\n")
		if !strings.Contains(frames, ours) || strings.Contains(frames, self+"Goroutines(") {
			continue
		}
		_, state, _ := strings.Cut(head, "[")
		state, _, _ = strings.Cut(state, "]")
		state, _, _ = strings.Cut(state, ",") // without how long
		key := "[" + state + "]\n" + withoutArguments(frames)
		if count[key]++; count[key] == 1 {
			order = append(order, key)
		}
	}
	var b strings.Builder
	for i, key := range order {
		if i == maxShown {
			fmt.Fprintf(&b, "and %d more\n", len(order)-maxShown)
			break
		}
		fmt.Fprintf(&b, "%d × %s\n\n", count[key], key)
	}
	if len(order) == 0 {
		return "there is no other goroutine of ours\n"
	}
	return b.String()
}

// withoutArguments removes the differences between two goroutines at the same
// place: arguments, offsets and numbers.
func withoutArguments(frames string) string {
	var b strings.Builder
	for line := range strings.Lines(frames) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			line, _, _ = strings.Cut(line, " +0x")
		case strings.HasPrefix(line, "created by "):
			line, _, _ = strings.Cut(line, " in goroutine ")
		default:
			if i := strings.LastIndexByte(line, '('); i > 0 {
				line = line[:i]
			}
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
