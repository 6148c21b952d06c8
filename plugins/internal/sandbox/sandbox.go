// Package sandbox takes from a script host what it does not need, in layers of
// the kernel that hold also where the interpreter is broken out of:
//
//	user      an own user without rights, where the agent runs as root
//	mounts    a view of the file system that is read-only and lacks the agent's
//	          own files, where the agent runs as root
//	landlock  a list of what may be read at all, no TCP server, no signals to
//	          others, and no look into other processes
//	seccomp   a list of the system calls that a program needs which computes,
//	          reads files, and speaks over connections it has
//
// Each layer is worth having alone, and one that cannot be set is no fault but
// is told, with the reason, all the way up to the master.
//
// The first three have to be there before the Go runtime has more than one
// thread, because the kernel sets them for one thread and its children. So the
// script host starts twice: Enter sets them on one thread and executes the
// program again in the place of itself, and Seal sets the last one in the
// program that then runs, once it listens.
package sandbox

import (
	"encoding/json"
	"fmt"
)

// The layers, in the order in which they are set.
const (
	LayerUser     = "user"
	LayerMounts   = "mounts"
	LayerLandlock = "landlock"
	LayerSeccomp  = "seccomp"
	// LayerBroker is no layer but a service of the agent to a script host that
	// has no rights: see package broker. It is told like a layer.
	LayerBroker = "broker"
)

// Names in the environment of a script host.
const (
	// EnvSettings holds the Settings as JSON, for Enter.
	EnvSettings = "VEDETTE_SANDBOX"
	// EnvReport holds the Report of Enter as JSON, for what runs after it.
	EnvReport = "VEDETTE_ISOLATION"
)

// DefaultUser is the user that script hosts run as: a number from a range that
// no system hands out, so that nothing else belongs to it.
const DefaultUser = 0x76656474 // "vedt"

// Settings say what a script host needs, and with it what it may keep.
type Settings struct {
	// User is the number of the user and the group to become, 0 for none.
	User int `json:"user"`
	// NoUser says why User is 0.
	NoUser string `json:"no_user,omitempty"`
	// Private are the files and folders of the agent, which are taken out of
	// sight.
	Private []string `json:"private,omitempty"`
	// Folders are where /proc and the like are found besides in their usual
	// places.
	Folders []string `json:"folders,omitempty"`
	// Read are files and folders that scripts need to read.
	Read []string `json:"read,omitempty"`
	// Net is whether connections over IP may be made, Unix the same for sockets of
	// the file system. The agent is asked for each: without a Broker there are
	// none.
	Net  bool `json:"net,omitempty"`
	Unix bool `json:"unix,omitempty"`
	// Sockets is the descriptor of the folder in which the host makes its
	// socket, 0 for none. It is closed by Seal.
	Sockets int `json:"sockets,omitempty"`
	// Broker is the descriptor of a socket over which the agent takes the
	// listener of the filter, 0 for none.
	Broker int `json:"broker,omitempty"`
	// Watched is whether an agent that is not root looks at what the host connects
	// to. For that the host cannot hide its memory from its own user.
	Watched bool `json:"watched,omitempty"`
	// NoBroker says why Broker is 0 where it need not be.
	NoBroker string `json:"no_broker,omitempty"`
	// Processes is whether the agent opens for the host what tells of the
	// processes of other users; it takes a broker.
	Processes bool `json:"processes,omitempty"`
	// OOMScoreAdj is how much sooner than others the system kills the host when
	// memory runs out, 0 for no difference.
	OOMScoreAdj int `json:"oom_score_adj,omitempty"`
	// Name is what the system calls the process, at most 15 bytes.
	Name string `json:"name,omitempty"`
}

// Encode writes the settings for the environment of a child.
func (s Settings) Encode() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers and strings only
	}
	return string(text)
}

// Report tells which layers are in force, and why others are not.
type Report struct {
	Layers  []string  `json:"layers,omitempty"`
	Missing []Missing `json:"missing,omitempty"`
	// Faults are what else could not be set, one sentence each.
	Faults []string `json:"faults,omitempty"`
	// Comm is the descriptor under which the process can name itself, or 0.
	Comm int `json:"comm,omitempty"`
}

// Missing is a layer that is not in force, or not wholly.
type Missing struct {
	Layer  string `json:"layer"`
	Reason string `json:"reason"`
}

func (r *Report) set(layer string, err error) {
	if err != nil {
		r.Missing = append(r.Missing, Missing{layer, err.Error()})
		return
	}
	r.Layers = append(r.Layers, layer)
}

func (r *Report) fault(what string, err error) {
	if err != nil {
		r.Faults = append(r.Faults, fmt.Sprintf("cannot %s: %v", what, err))
	}
}
