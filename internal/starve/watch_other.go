//go:build !linux

package starve

import "time"

// look would find out what a process wants. Other systems do not tell.
func look(int) (wants want, cpu time.Duration, ok bool) { return idle, 0, false }

// pressure would be the kernel's report about the processors.
func pressure() string { return "" }

// quota would be the limit of a control group.
func quota(string) string { return "" }
