package api

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// ownAlerts takes the alerts of an agent's own inspectors. The answer names a
// faulty one, and the rest is evaluated.
func (a *API) ownAlerts(ctx context.Context, p wire.OwnAlertsParams) (wire.OwnAlertsResult, error) {
	agent, err := connOf(rpc.PeerFrom(ctx)).helloSaid()
	if err != nil {
		return wire.OwnAlertsResult{}, err
	}
	if len(p.Inspectors) > wire.MaxOwnInspectors {
		return wire.OwnAlertsResult{}, rpc.Errorf(rpc.CodeInvalidParams, "there are %d inspectors; at most %d are allowed", len(p.Inspectors), wire.MaxOwnInspectors)
	}
	var result wire.OwnAlertsResult
	own, lines := make([]wire.OwnAlerts, 0, len(p.Inspectors)), 0
	for _, one := range p.Inspectors {
		if err := inspectors.ValidateKey(one.Inspector); err != nil {
			return wire.OwnAlertsResult{}, rpc.Errorf(rpc.CodeInvalidParams, "inspectors: %v", err)
		}
		if lines += len(one.Lines); lines > wire.MaxOwnAlertLines {
			return wire.OwnAlertsResult{}, rpc.Errorf(rpc.CodeInvalidParams, "the host's inspectors have more than %d directives about alerts", wire.MaxOwnAlertLines)
		}
		said, err := inspectors.ParseAlertLines(one.Inspector, one.Lines)
		if err == nil {
			_, faults := alerts.Rules(alerts.Probe{Name: one.Inspector, Said: said, Hosts: []string{agent.Host}, Own: true, Interval: intervalOf(one)})
			err = faults.Err()
		} else {
			one.Lines = nil
		}
		if err != nil {
			result.Faults = append(result.Faults, err.Error())
		}
		one.IntervalMS = intervalOf(one).Milliseconds()
		own = append(own, one)
	}
	a.Registry.SetOwnAlerts(agent, own)
	return result, nil
}

// intervalOf is the reported interval, within its bounds.
func intervalOf(one wire.OwnAlerts) time.Duration {
	return time.Duration(min(max(one.IntervalMS, 0), inspectors.MaxInterval.Milliseconds())) * time.Millisecond
}
