package catalog

import (
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// keys are the ids of the keys that the host's configuration names, of those that have
// followed them as far as it has said, and of those that its secrets are for.
func (t *target) keys() []string {
	ids := slices.Clone(t.record.Signers)
	if p := t.record.Policy; p != nil {
		for _, rule := range p.Secrets {
			ids = append(ids, rule.Signers...)
		}
	}
	return ids
}

// hasKeys reports whether the host's configuration names keys.
func (t *target) hasKeys() bool { return t.record.Needed > 0 || len(t.keys()) > 0 }

// concerning returns the lines that an agent is told: those that have a key of the host
// come first, because there is a most.
func (t *target) concerning(lines []*signing.Line) []*signing.Line {
	keys := t.keys()
	var first, rest []*signing.Line
	for _, l := range lines {
		if slices.ContainsFunc(keys, l.Has) {
			first = append(first, l)
		} else {
			rest = append(rest, l)
		}
	}
	all := append(first, rest...)
	return all[:min(len(all), wire.MaxKeyLines)]
}

// knownKeys are the lines of keys as a host knows them, or will before it gets code.
type knownKeys struct {
	lines []*signing.Line
	sum   string // of the lines
	nowMS int64
}

func (c *Catalog) knownKeysLocked() knownKeys {
	return knownKeys{c.lines, c.keysSum, time.Now().UnixMilli()}
}

// lineOf returns the line that a key is in, or an empty one.
func (k knownKeys) lineOf(id string) *signing.Line {
	if at := slices.IndexFunc(k.lines, func(l *signing.Line) bool { return l.Has(id) }); at >= 0 {
		return k.lines[at]
	}
	return &signing.Line{}
}

// trustedBy returns the ids of the keys of which some must have signed code for a host.
// A host that was told of all lines has said itself what it makes of them; any other is
// told before it gets code.
func (k knownKeys) trustedBy(t *target) []string {
	if t.record.Told == k.sum {
		return t.record.Signers
	}
	var ids []string // in the order of the host, which people know from its settings
	for _, id := range t.record.Signers {
		for _, id := range append([]string{id}, k.lineOf(id).After(id)...) {
			if !slices.Contains(ids, id) && !k.lineOf(id).Of(id).Revoked {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// counts reports whether a signature of a key counts for code with which a host begins
// now, or has begun already.
func (k knownKeys) counts(id string, begun bool, t *target) bool {
	said := k.lineOf(id).Of(id)
	early := said.FromMS > k.nowMS && !slices.Contains(t.keys(), id) // a key that the host names counts at once
	late := said.UntilMS > 0 && said.UntilMS < k.nowMS
	return !said.Revoked && (begun || !early && !late)
}

// signers counts who of the keys that a host trusts has signed: the keys of one line are
// one. Whether the signatures are good is for the host to say.
func (k knownKeys) signers(t *target, code signedCode, trusted []string) (by []string) {
	who, begun := make(map[string]bool), t.hasBegun(code)
	for _, g := range code.signatures {
		if g.Use == signing.UseTry || !slices.Contains(trusted, g.Key) || !k.counts(g.Key, begun, t) {
			continue
		}
		first := g.Key
		if ids := k.lineOf(g.Key).IDs(); len(ids) > 0 {
			first = ids[0]
		}
		if !who[first] {
			who[first], by = true, append(by, g.Key)
		}
	}
	return by
}

// standsFor returns the ids of the keys that have signed code, and of those that they
// have followed: a secret for one of those is for them too.
func (k knownKeys) standsFor(t *target, code signedCode) (all []string) {
	begun := t.hasBegun(code)
	for _, g := range code.signatures {
		if !k.counts(g.Key, begun, t) {
			continue
		}
		all = append(all, g.Key)
		if ids := k.lineOf(g.Key).IDs(); len(ids) > 0 {
			all = append(all, ids[:slices.Index(ids, g.Key)]...)
		}
	}
	return all
}

// hasBegun reports whether the host has accepted this code: then the times of keys do not
// matter any more.
func (t *target) hasBegun(code signedCode) bool {
	r := t.receipts[code.Name]
	return r.Revision == wire.RevisionOf(code.Code) && slices.Contains([]string{wire.ReceiptVerified, wire.ReceiptLoaded, wire.ReceiptHealthy}, r.State)
}
