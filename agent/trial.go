package agent

import "github.com/vedettehq/vedette/rpc"

// trialMethods are those of trials and boosts.
func (a *Agent) trialMethods(*rpc.Mux) {}
