package alert

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/vedettehq/vedette/inspectors/alerts"
)

// probePrefix stands before the name of an inspector in the file that the API gives
// for its rules.
const probePrefix = "inspector:"

// SetProbes takes the alerts of inspectors, by their names; there may be several
// revisions of each. They replace those of the call before. The error names what
// cannot be evaluated, and the rest is.
func (a *Alerts) SetProbes(probes map[string][]alerts.Probe) error {
	groups := make(map[string]*rulefmt.RuleGroups, len(probes))
	var all []error
	for name, revisions := range probes {
		list, faults := alerts.Rules(revisions...)
		if err := faults.Err(); err != nil {
			all = append(all, fmt.Errorf("cannot use the alerts of the inspector %q: %w", name, err))
		}
		if len(list) > 0 {
			groups[probePrefix+name] = &rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: name, Rules: list}}}
		}
	}
	a.mu.Lock()
	a.probes = groups
	a.mu.Unlock()
	return errors.Join(append(all, a.update())...)
}
