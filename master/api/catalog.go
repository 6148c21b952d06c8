package api

import "github.com/vedettehq/vedette/rpc"

// catalogMethods are those of the catalog, receipts, rollouts, labels and the
// audit log.
func (a *API) catalogMethods(*rpc.Mux) {}
