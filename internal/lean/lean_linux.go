package lean

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapping is a range of memory of this process.
type mapping struct{ start, end uintptr }

// trimText returns the pages of the program's own file. It leaves alone pages that
// the process has changed, because their content is nowhere else: the data, and
// all of a part that was relocated.
func trimText() {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range unchanged(text, self) {
		// The memory of the slice is not part of Go's heap and stays mapped for as
		// long as the process lives. Nothing is read or written through the slice.
		part := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), m.start)), m.end-m.start)
		_ = unix.Madvise(part, unix.MADV_DONTNEED)
	}
}

// unchanged finds in smaps, see proc(5), the parts of a file that the process may
// only read or execute and has not changed.
func unchanged(smaps []byte, file string) []mapping {
	var found []mapping
	var current mapping
	ours := false
	lines := bufio.NewScanner(bytes.NewReader(smaps))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if name := fields[0]; !strings.HasSuffix(name, ":") { // the first line of a part
			var ok bool
			current, ok = parseRange(name)
			ours = ok && len(fields) >= 6 && (fields[1] == "r--p" || fields[1] == "r-xp") &&
				strings.Join(fields[5:], " ") == file
			continue
		}
		if ours && fields[0] == "Anonymous:" && len(fields) > 1 && fields[1] == "0" {
			found = append(found, current)
		}
	}
	return found
}

func parseRange(text string) (mapping, bool) {
	from, to, found := strings.Cut(text, "-")
	start, err1 := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	return mapping{uintptr(start), uintptr(end)}, found && err1 == nil && err2 == nil && start < end
}
