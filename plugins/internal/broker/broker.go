// Package broker is the agent's help to script hosts that have no rights.
//
// Two things that a monitor is expected to tell are only known to root: how
// full a file system is that is mounted below a folder of somebody else, and
// what a process of somebody else reads, writes and has open. The right to look
// into other processes is the right to read and change their memory, so a
// script host does not get it. Instead the kernel puts some of its system calls
// aside until the agent has answered them (seccomp_unotify(2)): that of the
// size of a file system where it is marked (package statfs), and, for scripts
// that need to look at processes, those that open and read links.
//
// It also makes the connections of scripts that need some: a filter of system calls
// sees no addresses, so that the kernel puts connect aside as well. The broker
// reads the address, compares it with the Reach of the host, and connects a copy of
// the host's descriptor to what it has read. This an agent does that is not root,
// too, for hosts of its own user.
//
// The broker answers a fixed list of questions. Whatever else is asked, the
// host may do by itself, with the rights that it has. Nothing that it says is
// trusted: a path is copied before it is looked at, and what was looked at is
// what is used.
package broker

import (
	"path/filepath"
	"regexp"
	"strings"
)

// question is what a path of the host asks for.
type question int

const (
	nothing question = iota // what the host may do by itself
	content                 // the text of a small file
	folder                  // a list of names
	link                    // where a link leads
)

// ofProcess matches the files of a process, below the folder of processes.
var ofProcess = regexp.MustCompile(`^[1-9][0-9]{0,9}/(?:(io|smaps_rollup)|(fd)|(exe|cwd|fd/[0-9]{1,9}))$`)

// classify says what a path asks for. procs are the folders of processes.
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

// sizable reports whether the agent tells the size of the file system at a
// path. What means another thing to the agent than to the host is not.
func sizable(path string) bool {
	return filepath.IsAbs(path) && !strings.HasPrefix(filepath.Clean(path)+"/", "/proc/")
}
