package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/rpc/wire"
)

// foresee names hosts, and says which of them would refuse code, as far as is known
// here: hosts know their own policy alone. Both are by name, and bounded.
func foresee(code signedCode, revision string, selected []*target) (names []string, refusals []wire.Refusal) {
	slices.SortFunc(selected, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	for _, t := range selected {
		if len(names) < wire.MaxSelected {
			names = append(names, t.name)
		}
		if reason := t.refusal(code, revision); reason != "" && len(refusals) < wire.MaxSelected {
			refusals = append(refusals, wire.Refusal{Host: t.name, Reason: reason})
		}
	}
	return names, refusals
}

// refusal says why the host would refuse code, or "".
func (t *target) refusal(code signedCode, revision string) string {
	own := func(s wire.InspectorStatus) bool { return s.Name == code.Name && s.Assigned == "" }
	switch told := t.receipts[code.Name]; {
	case !t.accepts:
		return reasonNotAccepted
	case len(t.record.Signers) > 0 && !signedByOne(code.signatures, t.record.Signers):
		return "the host wants code that is signed by " + strings.Join(t.record.Signers, " or ")
	case slices.ContainsFunc(t.statuses, own) && !slices.Contains(library.Names(), code.Name):
		return fmt.Sprintf("the host's own configuration has an inspector %s", code.Name)
	case code.Plugin != nil && t.record.OS != "" && code.Plugin.Artefacts[t.record.OS+"/"+t.record.Arch].SHA256 == "":
		return fmt.Sprintf("there is no program for %s/%s", t.record.OS, t.record.Arch)
	case told.Revision == revision && told.State == wire.ReceiptRefused && len(t.record.Signers) == 0:
		return told.Reason
	}
	return ""
}

// signedByOne reports whether there is a signature of one of the keys. Whether it is
// good is for the host to say.
func signedByOne(signatures []wire.Signature, keys []string) bool {
	return slices.ContainsFunc(signatures, func(s wire.Signature) bool { return slices.Contains(keys, s.Key) })
}
