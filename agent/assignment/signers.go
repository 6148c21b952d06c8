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

// Signers are the keys whose signatures count on this host, by their ids. Nil has
// none.
type Signers struct {
	wanted map[string]signing.PublicKey // of agent.policy.signers; where there are none, code needs no signature
	known  map[string]signing.PublicKey // those, and what secrets ask for
}

// ParseSigners reads agent.policy.signers.
func ParseSigners(texts []string) (*Signers, error) {
	s := &Signers{wanted: make(map[string]signing.PublicKey), known: make(map[string]signing.PublicKey)}
	return s, s.add("agent.policy.signers", texts, s.wanted, s.known)
}

// Know adds keys, of a secret, by which code need not be signed.
func (s *Signers) Know(secret string, texts []string) error {
	return s.add("agent.secrets."+secret+".signers", texts, s.known)
}

func (s *Signers) add(setting string, texts []string, to ...map[string]signing.PublicKey) error {
	for _, text := range texts {
		key, err := signing.ParsePublic(text)
		if err != nil {
			return fmt.Errorf("%s: %.60q is not a public key: %w", setting, text, err)
		}
		for _, keys := range to {
			keys[key.ID()] = key
		}
	}
	return nil
}

// IDs are those of the keys of which one must have signed code, sorted.
func (s *Signers) IDs() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.wanted))
}

// Check refuses code that none of the wanted keys has signed, and returns the ids of
// all known keys that have. It trusts nothing that came with the code: the revision
// is that of the code itself.
func (s *Signers) Check(code *wire.Code, signatures []wire.Signature) (by []string, err error) {
	if s == nil || len(s.known) == 0 {
		return nil, nil
	}
	if text, ok := notUTF8(code); ok {
		return nil, fmt.Errorf("%w: %.40q in the code is not UTF-8, and so a signature would not be of it alone", inspectors.ErrPolicy, text)
	}
	revision := wire.RevisionOf(*code)
	var others []string
	for _, g := range signatures[:min(len(signatures), wire.MaxSignatures)] {
		key, known := s.known[g.Key]
		switch {
		case !known:
			others = append(others, fmt.Sprintf("%.16q", g.Key))
		case key.Verify(revision, g.Signature):
			by = append(by, g.Key)
		default:
			others = append(others, fmt.Sprintf("%q, whose signature is not of this code", g.Key))
		}
	}
	if len(s.wanted) == 0 || slices.ContainsFunc(by, func(id string) bool { _, wanted := s.wanted[id]; return wanted }) {
		return by, nil
	}
	for _, id := range by {
		others = append(others, fmt.Sprintf("%q", id))
	}
	who := "is not signed"
	if len(others) > 0 {
		who = "is signed by " + someOf(others)
	}
	return nil, fmt.Errorf("%w: the code %s, but agent.policy.signers in the host's configuration wants a signature by %s",
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
