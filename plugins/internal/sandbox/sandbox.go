// Package sandbox strips a script host of everything that it does not need, in
// layers of the kernel that hold even if a script breaks out of the interpreter:
//
//	user      a separate user without rights, if the agent runs as root
//	mounts    a view of the file system that is read-only and lacks the agent's
//	          own files, if the agent runs as root
//	landlock  a list of what may be read at all, no TCP server, no signals to
//	          others, and no look into other processes
//	seccomp   a list of the system calls of a program that only computes, reads
//	          files, and speaks over connections it has
//
// Each layer is worth having alone. If one cannot be set, that is not an error but
// is reported, with the reason, all the way up to the master.
//
// The first three have to be set before the Go runtime has more than one thread,
// because the kernel sets them for one thread and its children. So the script host
// starts twice: Enter sets them on one thread and replaces the process by a new
// execution of the program, and Seal sets the last layer there, once the program
// listens.
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
	// LayerBroker is not a layer but a service of the agent to a script host
	// without rights: see package broker. It is reported like a layer.
	LayerBroker = "broker"
)

// Names in the environment of a script host.
const (
	// EnvSettings holds the Settings as JSON, for Enter.
	EnvSettings = "VEDETTE_SANDBOX"
	// EnvReport holds the Report of Enter as JSON, for the program's second life.
	EnvReport = "VEDETTE_ISOLATION"
)

// DefaultUser is the user that script hosts run as: a number from a range that no
// system assigns, so nothing else belongs to it.
const DefaultUser = 0x76656474 // "vedt"

// Settings say what a script host needs, and so what it may keep.
type Settings struct {
	// User is the number of the user and the group to become, 0 for none.
	User int `json:"user"`
	// NoUser says why User is 0.
	NoUser string `json:"no_user,omitempty"`
	// Private are the files and folders of the agent, which are hidden.
	Private []string `json:"private,omitempty"`
	// Folders are additional places of /proc and the like.
	Folders []string `json:"folders,omitempty"`
	// Read are files and folders that scripts need to read.
	Read []string `json:"read,omitempty"`
	// Net says whether connections over IP may be made, and Unix the same for
	// sockets in the file system. The agent makes each of them: without a Broker
	// there are none.
	Net  bool `json:"net,omitempty"`
	Unix bool `json:"unix,omitempty"`
	// Sockets is the descriptor of the folder in which the host makes its
	// socket, 0 for none. It is closed by Seal.
	Sockets int `json:"sockets,omitempty"`
	// Broker is the descriptor of a socket over which the agent takes the
	// listener of the filter, 0 for none.
	Broker int `json:"broker,omitempty"`
	// Watched says that an agent which is not root checks the connections of the
	// host. For that the host cannot hide its memory from its own user.
	Watched bool `json:"watched,omitempty"`
	// NoBroker says why Broker is 0 although a broker would be useful.
	NoBroker string `json:"no_broker,omitempty"`
	// Processes says whether the agent opens files about the processes of other
	// users for the host; this needs a broker.
	Processes bool `json:"processes,omitempty"`
	// OOMScoreAdj is how much sooner than other processes the system kills the
	// host when memory runs out, 0 for no difference.
	OOMScoreAdj int `json:"oom_score_adj,omitempty"`
	// Name is the system's name for the process, at most 15 bytes.
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

// Report says which layers are in force, and why others are not.
type Report struct {
	Layers  []string  `json:"layers,omitempty"`
	Missing []Missing `json:"missing,omitempty"`
	// Faults are other settings that failed, one sentence each.
	Faults []string `json:"faults,omitempty"`
	// Comm is the descriptor under which the process can name itself, or 0.
	Comm int `json:"comm,omitempty"`
}

// Missing is a layer that is not in force, or only in part.
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
