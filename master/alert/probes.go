package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/vedettehq/vedette/inspectors/alerts"
)

// probePrefix precedes the name of an inspector in the file name that the API gives for
// its rules.
const probePrefix = "inspector:"

// ownInfix stands between the name of an inspector from hosts' own configuration and the
// fingerprint of its directives, which tells it from others of that name.
const ownInfix = "#"

// fingerprint identifies the directives of a probe.
func fingerprint(p alerts.Probe) string {
	sum := sha256.Sum256(fmt.Appendln(nil, p.Interval, strings.Join(p.Said.AlertLines, "\n")))
	return hex.EncodeToString(sum[:4])
}

// SetProbes replaces the alerts of inspectors, by name; an inspector may have several
// revisions. The error names alerts that cannot be evaluated; the others are evaluated.
func (a *Alerts) SetProbes(probes map[string][]alerts.Probe) error {
	a.probing.Lock()
	defer a.probing.Unlock()
	return a.setProbesLocked(probes)
}

func (a *Alerts) setProbesLocked(probes map[string][]alerts.Probe) error {
	groups := make(map[string]*rulefmt.RuleGroups, len(probes))
	var all []error
	hosts := a.opts.Hosts()
	take := func(id, name string, revisions ...alerts.Probe) {
		var spread []alerts.Probe
		for _, p := range revisions {
			parts, err := a.thresholds.spread(p, hosts)
			spread, all = append(spread, parts...), append(all, err)
		}
		list, faults := alerts.Rules(spread...)
		if err := faults.Err(); err != nil {
			all = append(all, fmt.Errorf("cannot use the alerts of the inspector %q: %w", name, err))
		}
		if len(list) > 0 {
			groups[id] = &rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: name, Rules: list}}}
		}
	}
	for name, revisions := range probes {
		var pushed []alerts.Probe
		for _, p := range revisions {
			if p.Own {
				// Each has its own group, so it keeps its state whatever other hosts begin
				// to report.
				take(probePrefix+name+ownInfix+fingerprint(p), name, p)
			} else {
				pushed = append(pushed, p)
			}
		}
		take(probePrefix+name, name, pushed...)
	}
	a.mu.Lock()
	a.probes, a.given = groups, probes
	a.mu.Unlock()
	return errors.Join(append(all, a.spreadBuiltin(), a.update())...)
}
