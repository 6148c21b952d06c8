package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/rpc/wire"
)

// foresee lists hosts, and says which of them would refuse code, as far as their
// reported policies tell. Both lists are sorted by name, and bounded.
func foresee(keys knownKeys, code signedCode, revision string, selected []*target) (names []string, refusals []wire.Refusal) {
	needs := needsOf(code.Code)
	slices.SortFunc(selected, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	for _, t := range selected {
		if len(names) < wire.MaxSelected {
			names = append(names, t.name)
		}
		if reason := t.refusal(keys, code, needs, revision); reason != "" && len(refusals) < wire.MaxSelected {
			refusals = append(refusals, wire.Refusal{Host: t.name, Reason: reason})
		}
	}
	return names, refusals
}

// refusal says why the host would refuse code, or "".
func (t *target) refusal(keys knownKeys, code signedCode, needs inspectors.Needs, revision string) string {
	own := func(s wire.InspectorStatus) bool { return s.Name == code.Name && s.Assigned == "" }
	switch told := t.receipts[code.Name]; {
	case !t.accepts:
		return reasonNotAccepted
	case t.unsigned(keys, code) != "":
		return t.unsigned(keys, code)
	case slices.ContainsFunc(t.statuses, own) && !slices.Contains(library.Names(), code.Name):
		return fmt.Sprintf("the host's own configuration has an inspector %s", code.Name)
	case code.Plugin != nil && t.record.OS != "" && code.Plugin.Artefacts[t.record.OS+"/"+t.record.Arch].SHA256 == "":
		return fmt.Sprintf("there is no program for %s/%s", t.record.OS, t.record.Arch)
	case t.record.Policy != nil && t.covers(keys, code, needs) != nil:
		return t.covers(keys, code, needs).Error()
	case told.Revision == revision && told.State == wire.ReceiptRefused && len(t.record.Signers) == 0:
		return told.Reason
	}
	return ""
}

// needsOf returns the needs that a script declares. Code whose declaration is not
// readable is refused before hosts are considered.
func needsOf(code wire.Code) inspectors.Needs {
	said, err := inspectors.ParseDirectives(code.File, code.Source)
	if err != nil {
		return inspectors.Needs{}
	}
	return said.Needs
}

// covers says which of a script's needs the host's policy does not cover, or that it allows
// no plugins. Only the host can say whether signatures are valid.
func (t *target) covers(keys knownKeys, code signedCode, needs inspectors.Needs) error {
	p := t.record.Policy
	policy := inspectors.Policy{
		Net: p.Net, Endpoints: p.Connect, Sockets: p.Unix, Processes: p.Processes, Files: p.FS, Programs: p.Exec, Plugins: p.Plugins,
		Secrets: make(map[string]inspectors.SecretRule),
	}
	for name, rule := range p.Secrets {
		policy.Secrets[name] = inspectors.SecretRule{For: rule.For, Signers: rule.Signers}
	}
	if code.Plugin != nil {
		return policy.CheckPlugin()
	}
	claimed := &inspectors.Definition{Name: code.Name, Pushed: true, SignedBy: keys.standsFor(t, code)}
	return errors.Join(policy.Check(needs), policy.CheckSecrets(needs, claimed))
}

// unsigned says which signatures the host wants that the code does not have, or "".
func (t *target) unsigned(keys knownKeys, code signedCode) string {
	if len(t.record.Signers) == 0 && t.record.Needed == 0 {
		return ""
	}
	wanted, needed := keys.trustedBy(t), max(t.record.Needed, 1)
	by := keys.signers(t, code, wanted)
	switch missing := needed - len(by); {
	case missing <= 0:
		return ""
	case len(wanted) == 0:
		return "the host wants signed code, and every key that it knows is revoked"
	case needed == 1:
		return "the host wants code that is signed by " + strings.Join(wanted, " or ")
	case len(by) == 0:
		return fmt.Sprintf("the host wants code that is signed by %d of %s", needed, strings.Join(wanted, ", "))
	default:
		return fmt.Sprintf("the host wants code that is signed by %d of %s, and only %s has signed it: `vedette inspector sign %s` adds a signature",
			needed, strings.Join(wanted, ", "), strings.Join(by, ", "), code.Name)
	}
}
