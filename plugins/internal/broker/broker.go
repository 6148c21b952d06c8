// Package broker is the agent's help for script hosts, which have no rights.
//
// A monitor is expected to measure two things that only root can find out: how
// full a file system is that is mounted below another user's folder, and what a
// process of another user reads, writes and has open. The right to look into other
// processes is also the right to read and change their memory, so a script host
// does not get it. Instead the kernel suspends some of its system calls until the
// agent has answered them (seccomp_unotify(2)): the one for the size of a file
// system, if it is marked (package statfs), and, for scripts that need to look at
// processes, those that open files and read links.
//
// The broker also makes the connections of scripts that need some. A filter of
// system calls sees no addresses, so the kernel suspends connect as well. The
// broker reads the address, compares it with the Reach of the host, and connects a
// copy of the host's descriptor to the address that it has read. An agent that is
// not root does this too, for hosts that run as its user.
//
// The broker answers a fixed list of questions. Any other call is left to the
// host, with the rights that it has. Nothing that the host says is trusted: a path
// is copied before it is checked, and the checked copy is used.
package broker

import (
	"path/filepath"
	"regexp"
	"strings"
)

// question is the kind of thing that a path of the host asks for.
type question int

const (
	nothing question = iota // a call that the host may make by itself
	content                 // the text of a small file
	folder                  // a list of names
	link                    // the target of a link
)

// ofProcess matches the files of a process, below the folder of processes.
var ofProcess = regexp.MustCompile(`^[1-9][0-9]{0,9}/(?:(io|smaps_rollup)|(fd)|(exe|cwd|fd/[0-9]{1,9}))$`)

// classify returns what a path asks for. procs are the folders of processes.
func classify(path string, procs []string) question {
	for _, proc := range procs {
		rest, found := strings.CutPrefix(path, proc+"/")
		if !found {
			continue
		}
		switch m := ofProcess.FindStringSubmatch(rest); {
		case m == nil:
		case m[1] != "":
			return content
		case m[2] != "":
			return folder
		default:
			return link
		}
	}
	return nothing
}

// sizable reports whether the agent answers for the size of the file system at a
// path. It does not if the path means something else to the agent than to the
// host.
func sizable(path string) bool {
	return filepath.IsAbs(path) && !strings.HasPrefix(filepath.Clean(path)+"/", "/proc/")
}
