package api

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// alertMethods registers the methods for alerts and silences.
func (a *API) alertMethods(m *methods) {
	handle(m, wire.AlertsList, a.Alerts.List)
	handle(m, wire.AlertsExplain, a.Alerts.Explain)
	handle(m, wire.AlertsTest, a.Alerts.Test)
	handle(m, wire.AlertsAck, a.Alerts.Ack)
	handle(m, wire.AlertsThresholds, a.Alerts.Thresholds)
	handle(m, wire.AlertsThreshold, a.Alerts.SetThreshold)
	handle(m, wire.SilencesList, a.Alerts.Silences)
	handle(m, wire.SilencesAdd, a.silence)
	handle(m, wire.SilencesEnd, a.Alerts.EndSilence)
	handle(m, wire.MaintenancesList, a.Alerts.Maintenances)
	handle(m, wire.MaintenancesAdd, a.Alerts.AddMaintenance)
	handle(m, wire.MaintenancesEnd, a.Alerts.EndMaintenance)
	handle(m, wire.MasterMaintenance, a.selfMaintenance)
}

// selfMaintenance is what a host asks for itself: its credential says which host it is.
func (a *API) selfMaintenance(ctx context.Context, p wire.SelfMaintenanceParams) (wire.SelfMaintenanceResult, error) {
	peer := rpc.PeerFrom(ctx)
	if err := inspectors.ValidateHost(p.Hostname); err != nil {
		return wire.SelfMaintenanceResult{}, rpc.Errorf(rpc.CodeInvalidParams, "hostname: %v", err)
	}
	if err := connOf(peer).who().MayReportFor(p.Hostname); err != nil {
		a.claimed(p.Hostname, peer.RemoteAddr(), err)
		return wire.SelfMaintenanceResult{}, rpc.Errorf(wire.CodeForbidden, "%v", err)
	}
	return a.Alerts.SelfMaintenance(ctx, p)
}

// silence makes a silence. Alerts do not have the labels of hosts, so a selector
// is translated into the names of the hosts that it selects now. A silence by a
// caller who is bound to some hosts applies to those alone, whatever else it
// matches.
func (a *API) silence(ctx context.Context, p wire.SilenceParams) (wire.Silence, error) {
	matchers, caller := slices.Clone(p.Matchers), scope.From(ctx)
	if p.Selector != "" || !caller.All() {
		selector, err := catalog.ParseSelector(p.Selector)
		if err != nil {
			return wire.Silence{}, err
		}
		var names []string
		for _, host := range a.Registry.List() {
			if caller.Sees(host.Host) && selector.Matches(catalog.Labels(host)) {
				names = append(names, regexp.QuoteMeta(host.Host))
			}
		}
		if len(names) == 0 {
			return wire.Silence{}, rpc.Errorf(wire.CodeNotFound, "the selector %q selects no host", p.Selector)
		}
		slices.Sort(names)
		matchers = append(matchers, fmt.Sprintf("host=~%q", strings.Join(names, "|")))
	}
	return a.Alerts.Silence(ctx, matchers, p)
}
