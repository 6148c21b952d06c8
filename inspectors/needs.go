package inspectors

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Needs are what a script reaches beyond the usual: the numbers of the system
// in /proc and /sys, and how full file systems are. It names them in the
// directive needs, with these words:
//
//	net         connections to other machines
//	net:TO      connections to one host and port, or to a network; see
//	            ParseEndpoint. To the machine itself only by this
//	unix:PATH   connections to a socket of the file system, or to those in a
//	            folder
//	processes   what belongs to processes of other users: their input and
//	            output, open files and programs
//	fs:PATH     to read a file, or a folder with all that is in it
//	exec:PATH   to run a program with Exec
//	secret:NAME the value of a secret of the host, with Secret
//
// What it does not name it cannot reach, and a host's Policy bounds what code
// from elsewhere may name, and which programs any script may. The zero value
// needs nothing.
type Needs struct {
	// Net is every endpoint that is not near; see Near.
	Net       bool
	Processes bool
	// Endpoints are in the form of Endpoint, sorted, without duplicates.
	Endpoints []string
	// Sockets are absolute and clean paths, sorted, without duplicates.
	Sockets []string
	// Files are absolute and clean paths, sorted, without duplicates.
	Files []string
	// Programs are absolute and clean paths, sorted, without duplicates.
	Programs []string
	// Secrets are names, sorted, without duplicates.
	Secrets []string
}

// maxPaths is the most files, programs, endpoints, sockets or secrets that one script may name.
const maxPaths = 32

// Connects reports whether the script needs any connection.
func (n Needs) Connects() bool { return n.Net || len(n.Endpoints) > 0 || len(n.Sockets) > 0 }

// ParseNeeds reads the words of a directive, such as `net fs:/var/log/app`. The
// error names every wrong word.
func ParseNeeds(text string) (Needs, error) {
	var n Needs
	var faults []error
	for _, word := range strings.Fields(text) {
		if err := n.parseWord(word); err != nil {
			faults = append(faults, err)
		}
	}
	tidy := func(list *[]string, what, fix string) {
		slices.Sort(*list)
		if *list = slices.Compact(*list); len(*list) > maxPaths {
			faults = append(faults, fmt.Errorf("%d %s are named; at most %d are allowed%s", len(*list), what, maxPaths, fix))
		}
	}
	tidy(&n.Files, "paths", "; name the folder that they are in")
	tidy(&n.Programs, "programs", "")
	tidy(&n.Endpoints, "hosts", "; name the network that they are in")
	tidy(&n.Sockets, "sockets", "; name the folder that they are in")
	tidy(&n.Secrets, "secrets", "")
	if err := errors.Join(faults...); err != nil {
		return Needs{}, err
	}
	return n, nil
}

// parseWord reads one word of a directive.
func (n *Needs) parseWord(word string) error {
	kind, rest, named := strings.Cut(word, ":")
	list, check := (*[]string)(nil), checkNeededPath
	switch {
	case word == "net":
		n.Net = true
		return nil
	case word == "processes":
		n.Processes = true
		return nil
	case kind == "net" && named:
		e, err := ParseEndpoint(rest)
		if err != nil {
			return err
		}
		n.Endpoints = append(n.Endpoints, e.String())
		return nil
	case kind == "fs":
		list = &n.Files
	case kind == "exec":
		list, check = &n.Programs, checkNeededProgram
	case kind == "unix":
		list, check = &n.Sockets, checkNeededSocket
	case kind == "secret":
		list, check = &n.Secrets, ValidateSecretName
	default:
		return fmt.Errorf("%s is not among net, net:HOST:PORT, unix:PATH, processes, fs:PATH, exec:PATH and secret:NAME", Quote(word))
	}
	if err := check(rest); err != nil {
		return err
	}
	*list = append(*list, rest)
	return nil
}

// checkNeededPath returns the fault of a path in fs:PATH.
func checkNeededPath(p string) error {
	switch {
	case p == "":
		return errors.New("fs: has no path; write it as fs:/var/log/app")
	case !path.IsAbs(p):
		return fmt.Errorf("fs:%s is not absolute; write it as fs:/%s", p, p)
	case path.Clean(p) != p:
		return fmt.Errorf("fs:%s is not plain; write it as fs:%s", p, path.Clean(p))
	case p == "/":
		return errors.New("fs:/ is everything; name the folder that is read")
	}
	return nil
}

// checkNeededProgram returns the fault of a path in exec:PATH. It has to be
// absolute and clean, so that it means one file whatever PATH and the working
// folder are.
func checkNeededProgram(p string) error {
	switch {
	case p == "":
		return errors.New("exec: has no path; write it as exec:/usr/bin/uptime")
	case !path.IsAbs(p):
		return fmt.Errorf("exec:%s is not absolute, and programs are not looked for; write it as exec:/usr/bin/%s", p, path.Base(p))
	case path.Clean(p) != p:
		return fmt.Errorf("exec:%s is not plain; write it as exec:%s", p, path.Clean(p))
	case p == "/":
		return errors.New("exec:/ is a folder; name one program")
	}
	return nil
}

// String returns the needs in the form of the directive. The zero value is "".
func (n Needs) String() string {
	var words []string
	if n.Net {
		words = append(words, "net")
	}
	for _, e := range n.Endpoints {
		words = append(words, "net:"+e)
	}
	for _, p := range n.Sockets {
		words = append(words, "unix:"+p)
	}
	if n.Processes {
		words = append(words, "processes")
	}
	for _, p := range n.Files {
		words = append(words, "fs:"+p)
	}
	for _, p := range n.Programs {
		words = append(words, "exec:"+p)
	}
	for _, name := range n.Secrets {
		words = append(words, "secret:"+name)
	}
	return strings.Join(words, " ")
}

// Policy says which needs of outside code a host allows. The zero value allows
// none. It does not bound the inspectors of the host's own configuration, except
// for programs, which it bounds for every script.
type Policy struct {
	// Net covers every endpoint that is not near; see Near.
	Net       bool
	Processes bool
	// Endpoints may be connected to in addition to those of Net, in the form that
	// ParseEndpoint reads.
	Endpoints []string
	// Sockets are sockets in the file system, and folders with sockets, that may
	// be connected to.
	Sockets []string
	// Files are files, and folders with everything in them, that may be read.
	Files []string
	// Programs may be run, each under the exact path that a script gives: a link
	// to one of them is another program.
	Programs []string
	// Plugins allows compiled programs, which have the rights of the agent: the
	// rest of the policy does not bound them.
	Plugins bool
	// Secrets are the host's secrets, by name, with the rules for who may have
	// them.
	Secrets map[string]SecretRule
}

// ErrPolicy is wrapped by the errors of a Policy's methods.
var ErrPolicy = errors.New("refused by this host's policy")

// refused is the error for a need that a policy does not cover.
func refused(need, setting string) error {
	return fmt.Errorf("%w: the script says %sneeds %s, but %s", ErrPolicy, directivePrefix, need, setting)
}

// Check refuses every need that the policy does not cover, except for secrets: for
// those, CheckSecrets asks whose the needs are.
func (p Policy) Check(n Needs) error {
	var faults []error
	refuse := func(need, setting string) { faults = append(faults, refused(need, setting)) }
	if n.Net && !p.Net {
		refuse("net", "agent.policy.net is not true in the host's configuration")
	}
	for _, need := range n.Endpoints {
		if !p.coversEndpoint(need) {
			refuse("net:"+need, "agent.policy.connect of the host's configuration does not cover that")
		}
	}
	for _, need := range n.Sockets {
		if !slices.ContainsFunc(p.Sockets, func(have string) bool { return pathWithin(need, have) }) {
			refuse("unix:"+need, "agent.policy.unix of the host's configuration does not cover that path")
		}
	}
	if n.Processes && !p.Processes {
		refuse("processes", "agent.policy.processes is not true in the host's configuration")
	}
	for _, need := range n.Files {
		covered := slices.ContainsFunc(p.Files, func(have string) bool { return pathWithin(need, have) })
		if !covered {
			refuse("fs:"+need, "agent.policy.fs of the host's configuration does not cover that path")
		}
	}
	return errors.Join(append(faults, p.CheckPrograms(n))...)
}

// coversEndpoint reports whether the policy covers an endpoint of Needs.
func (p Policy) coversEndpoint(text string) bool {
	need, err := ParseEndpoint(text)
	if err != nil {
		return false
	}
	if p.Net && !need.Near() {
		return true
	}
	return slices.ContainsFunc(p.Endpoints, func(have string) bool {
		e, err := ParseEndpoint(have)
		return err == nil && e.covers(need)
	})
}

// CheckPrograms refuses programs that the policy does not name, and nothing else:
// it is for the scripts of a host's own configuration.
func (p Policy) CheckPrograms(n Needs) error {
	var faults []error
	for _, need := range n.Programs {
		if !slices.Contains(p.Programs, need) {
			faults = append(faults, refused("exec:"+need, "agent.policy.exec of the host's configuration does not name that program"))
		}
	}
	return errors.Join(faults...)
}

// CheckPlugin refuses a plugin unless the policy allows plugins.
func (p Policy) CheckPlugin() error {
	if p.Plugins {
		return nil
	}
	return fmt.Errorf("%w: a plugin has all the rights of the agent, but agent.policy.plugins is not true in the host's configuration", ErrPolicy)
}

// pathWithin reports whether p is root or below it. Both are clean.
func pathWithin(p, root string) bool {
	rest, err := filepath.Rel(root, p)
	return err == nil && filepath.IsLocal(rest)
}

// Isolation says in which process a script runs.
type Isolation string

// The kinds of isolation. A third is to make a plugin of the script.
const (
	// IsolationShared is the process of all scripts with the same needs. It is
	// the default; the empty Isolation means it too.
	IsolationShared Isolation = "shared"
	// IsolationOwn is a process for this script alone: it costs some 10 MiB, and
	// nothing that another script does can hold it up.
	IsolationOwn Isolation = "own"
)

// Validate says whether the isolation is one of the known ones, or empty.
func (i Isolation) Validate() error {
	switch i {
	case "", IsolationShared, IsolationOwn:
		return nil
	}
	return fmt.Errorf("isolation %s is not known; write shared or own", Quote(string(i)))
}
