package api

import "github.com/vedettehq/vedette/rpc"

// trialMethods are those of trials and boosts.
func (a *API) trialMethods(*rpc.Mux) {}
