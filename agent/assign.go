package agent

import "github.com/vedettehq/vedette/rpc"

// assignMethods are those of assignments.
func (a *Agent) assignMethods(*rpc.Mux) {}
