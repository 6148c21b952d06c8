package starve

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// threadState is the state of a thread, by the letter of proc(5).
func threadState(stat []byte) byte {
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
}

// look finds out what the process wants and how much processor time it has had. ok
// is false if the system does not tell.
func look(pid int) (wants want, cpu time.Duration, ok bool) {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	dir, err := os.Open(tasks)
	if err != nil {
		return idle, 0, false
	}
	names, err := dir.Readdirnames(-1)
	_ = dir.Close()
	if err != nil || len(names) == 0 {
		return idle, 0, false
	}
	cpu, ok = processTime(pid)
	if !ok {
		return idle, 0, false
	}
	for _, name := range names {
		stat, err := os.ReadFile(tasks + "/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		switch threadState(stat) {
		case 'R':
			wants = max(wants, runs)
		case 'D':
			wants = max(wants, waits)
		case 'T', 't':
			wants = max(wants, stopped)
		}
	}
	return wants, cpu, true
}

// processTime is the processor time of a process, by the kernel's clock for it;
// see clock_getcpuclockid(3).
func processTime(pid int) (time.Duration, bool) {
	const scheduled = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduled, &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}

// pressure is the kernel's report about the processors of this machine, or empty.
func pressure() string {
	text, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return ""
	}
	for field := range strings.FieldsSeq(string(text)) {
		if value, found := strings.CutPrefix(field, "avg10="); found {
			return "pressure on the processors is " + value + " %"
		}
	}
	return ""
}
