package assignment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxNamedKeys bounds the keys that a refusal names.
const maxNamedKeys = 4

// Signers are the keys of agent.policy.signers by their ids. Where there are
// none, code needs no signature.
type Signers map[string]signing.PublicKey

// ParseSigners reads agent.policy.signers.
func ParseSigners(texts []string) (Signers, error) {
	keys := make(Signers, len(texts))
	for _, text := range texts {
		key, err := signing.ParsePublic(text)
		if err != nil {
			return nil, fmt.Errorf("agent.policy.signers: %.60q is not a public key: %w", text, err)
		}
		keys[key.ID()] = key
	}
	return keys, nil
}

// IDs are those of the keys, sorted.
func (s Signers) IDs() []string { return slices.Sorted(maps.Keys(s)) }

// Check refuses code that none of the keys has signed. It trusts nothing that
// came with the code: the revision is that of the code itself.
func (s Signers) Check(code *wire.Code, signatures []wire.Signature) error {
	if len(s) == 0 {
		return nil
	}
	if text, ok := notUTF8(code); ok {
		return fmt.Errorf("%w: %.40q in the code is not UTF-8, and so a signature would not be of it alone", inspectors.ErrPolicy, text)
	}
	revision := wire.RevisionOf(*code)
	var others []string
	for _, g := range signatures[:min(len(signatures), wire.MaxSignatures)] {
		key, known := s[g.Key]
		switch {
		case !known:
			others = append(others, fmt.Sprintf("%.16q", g.Key))
		case key.Verify(revision, g.Signature):
			return nil
		default:
			others = append(others, fmt.Sprintf("%q, whose signature is not of this code", g.Key))
		}
	}
	who := "is not signed"
	if len(others) > 0 {
		who = "is signed by " + someOf(others)
	}
	return fmt.Errorf("%w: the code %s, but agent.policy.signers in the host's configuration wants a signature by %s",
		inspectors.ErrPolicy, who, someOf(s.IDs()))
}

// notUTF8 finds a text that is no UTF-8, which would have the same hash as
// another one.
func notUTF8(code *wire.Code) (string, bool) {
	texts := []string{code.Name, code.File, code.Source, code.Isolation}
	if p := code.Plugin; p != nil {
		texts = append(texts, p.Args...)
		for platform, artefact := range p.Artefacts {
			texts = append(texts, platform, artefact.SHA256)
		}
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return text, true
		}
	}
	return "", false
}

// someOf lists alternatives, not too many of them.
func someOf(names []string) string {
	if more := len(names) - maxNamedKeys; more > 0 {
		return fmt.Sprintf("%s or %d more", strings.Join(names[:maxNamedKeys], ", "), more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
	return names[0]
}
