package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// signaturesPrefix begins the key of a revision's signatures: they are stored
// apart from the revision, which does not change.
const signaturesPrefix = "signatures/"

// signedCode is code in the form in which hosts get it.
type signedCode struct {
	wire.Code
	signatures []wire.Signature // by key; replaced, never changed
}

// CheckSignatures refuses values that cannot be signatures. Only the hosts, which
// have the keys, can verify them.
func CheckSignatures(signatures []wire.Signature) error {
	if len(signatures) > wire.MaxSignatures {
		return rpc.Errorf(rpc.CodeInvalidParams, "%d signatures are given; at most %d are allowed", len(signatures), wire.MaxSignatures)
	}
	seen := make(map[string]bool)
	for _, s := range signatures {
		if err := signing.CheckShape(s.Key, s.Signature); err != nil {
			return rpc.Errorf(rpc.CodeInvalidParams, "signatures: %v", err)
		}
		if err := s.Statement().Check(); err != nil {
			return rpc.Errorf(rpc.CodeInvalidParams, "signatures: of the key %s: %v", s.Key, err)
		}
		if _, err := labels.Parse(s.Selector); err != nil {
			return rpc.Errorf(rpc.CodeInvalidParams, "signatures: the selector of the key %s: %v", s.Key, err)
		}
		if seen[s.Key] {
			return rpc.Errorf(rpc.CodeInvalidParams, "signatures: there are two of the key %s", s.Key)
		}
		seen[s.Key] = true
	}
	return nil
}

// signatures returns the signatures of a revision.
func (c *Catalog) signatures(ctx context.Context, revision string) ([]wire.Signature, error) {
	stored, err := c.store.Get(ctx, signaturesPrefix+revision)
	if isNotFound(err) {
		return nil, nil
	}
	var signatures []wire.Signature
	if err == nil {
		err = decode(stored, &signatures)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the signatures of revision %.8s: %w", revision, err)
	}
	return signatures, nil
}

// sign adds signatures to those of a revision, and returns the change that stores
// them, or none if there is nothing new. A new signature by a key replaces the old
// one.
func sign(revision string, has, more []wire.Signature) ([]wire.Signature, []state.Change, error) {
	all := slices.Clone(has)
	for _, s := range more {
		at := slices.IndexFunc(all, func(old wire.Signature) bool { return old.Key == s.Key })
		if at < 0 {
			all = append(all, s)
		} else {
			all[at] = s
		}
	}
	slices.SortFunc(all, func(a, b wire.Signature) int { return strings.Compare(a.Key, b.Key) })
	if slices.Equal(all, has) {
		return has, nil, nil
	}
	if len(all) > wire.MaxSignatures {
		return nil, nil, rpc.Errorf(rpc.CodeInvalidParams, "revision %.8s would have %d signatures; at most %d are allowed", revision, len(all), wire.MaxSignatures)
	}
	want := state.None
	if len(has) > 0 {
		want = state.VersionOf(encode(has))
	}
	return all, []state.Change{state.Put(signaturesPrefix+revision, encode(all), want)}, nil
}

// signedLocked sends the present signatures of a revision to the hosts that should
// run it. A refusal by a host becomes undecided again.
func (c *Catalog) signedLocked(name, revision string, signatures []wire.Signature) {
	if code, needed := c.code[revision]; needed {
		code.signatures = signatures
		c.code[revision] = code
	}
	clear(c.assignments) // they are known by their revisions alone
	for _, t := range c.targets {
		if t.wants[name] != revision {
			continue
		}
		t.assignment = nil
		if known := t.receipts[name]; known.Revision == revision && known.State == wire.ReceiptRefused {
			delete(t.receipts, name)
			c.receiptChangedLocked(t, name)
		}
		c.kickLocked(t)
	}
}

// signersOf names the keys of signatures.
func signersOf(signatures []wire.Signature) []string {
	var keys []string
	for _, s := range signatures {
		keys = append(keys, s.Key)
	}
	return keys
}

// withSigners adds to a history who has signed its revisions.
func (c *Catalog) withSigners(ctx context.Context, history []wire.HistoryEntry) error {
	known := make(map[string][]string)
	for i := range history {
		h := &history[i]
		keys, seen := known[h.Revision]
		if !seen && h.Revision != "" {
			signatures, err := c.signatures(ctx, h.Revision)
			if err != nil {
				return err
			}
			keys = signersOf(signatures)
			known[h.Revision] = keys
		}
		h.Signers = keys
	}
	return nil
}
