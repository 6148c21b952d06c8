package assignment

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxNamedKeys bounds how many keys a refusal names.
const maxNamedKeys = 4

// Signers are the keys whose signatures count on this host, by their ids. A nil
// Signers has none.
type Signers struct {
	need   int               // how many of the wanted keys must sign
	labels map[string]string // from the host's own configuration
	data   string            // the folder of seen
	seen   *seen             // nil if it is not known what has run
	log    *slog.Logger      // or nil

	wanted map[string]signing.PublicKey // those of agent.policy.signers; if there are none, code needs no signature
	known  map[string]signing.PublicKey // the wanted keys, and those named by secrets
}

// ParseSigners reads agent.policy.signers.
func ParseSigners(texts []string) (*Signers, error) {
	s := &Signers{need: 1, wanted: make(map[string]signing.PublicKey), known: make(map[string]signing.PublicKey)}
	return s, s.add("agent.policy.signers", texts, s.wanted, s.known)
}

// Know adds the keys of a secret. Code need not be signed by them.
func (s *Signers) Know(secret string, texts []string) error {
	return s.add("agent.secrets."+secret+".signers", texts, s.known)
}

// Host sets the host's side: how many of the keys of agent.policy.signers must
// have signed code, the host's labels, and the folder that stores what it has
// seen.
func (s *Signers) Host(log *slog.Logger, need int, labels map[string]string, data string) {
	s.log, s.need, s.labels, s.data = log, max(need, 1), labels, data
}

// open reads which signed code has run on the host.
func (s *Signers) open() {
	if s != nil && s.log != nil {
		s.seen = openSeen(s.log, s.data)
	}
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

// IDs returns the ids of the keys of which at least one must have signed code,
// sorted.
func (s *Signers) IDs() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.wanted))
}

// Check refuses code that too few of the wanted keys have signed, and returns the
// ids of all known keys that have. It trusts nothing that came with the code: it
// computes the revision from the code itself.
func (s *Signers) Check(code *wire.Code, signatures []wire.Signature) (by []string, err error) {
	return s.check(code, signatures, signing.UseRun)
}

// CheckTrial is Check for code that is tried and not stored.
func (s *Signers) CheckTrial(code *wire.Code, signatures []wire.Signature) (by []string, err error) {
	return s.check(code, signatures, signing.UseTry)
}

func (s *Signers) check(code *wire.Code, signatures []wire.Signature, use string) (by []string, err error) {
	if s == nil || len(s.known) == 0 {
		return nil, nil
	}
	if text, ok := notUTF8(code); ok {
		return nil, fmt.Errorf("%w: %.40q in the code is not UTF-8, so its signature would also fit other code", inspectors.ErrPolicy, text)
	}
	revision := wire.RevisionOf(*code)
	var others, wanted []string
	fix := ""
	for _, g := range signatures[:min(len(signatures), wire.MaxSignatures)] {
		if _, known := s.known[g.Key]; !known {
			others = append(others, fmt.Sprintf("%.16q", g.Key))
			continue
		}
		if slices.Contains(by, g.Key) {
			continue // one key is one signer
		}
		if wrong := s.wrong(code.Name, revision, &g, use); wrong != "" {
			others = append(others, fmt.Sprintf("%q, whose signature %s", g.Key, wrong))
			fix = fmt.Sprintf("; `vedette inspector sign %s` signs it again", code.Name)
			continue
		}
		by = append(by, g.Key)
		if _, wants := s.wanted[g.Key]; wants {
			wanted = append(wanted, g.Key)
		}
	}
	if len(s.wanted) == 0 || len(wanted) >= s.need {
		return by, nil
	}
	for _, id := range by {
		others = append(others, fmt.Sprintf("%q", id))
	}
	who, want := "is not signed", "a signature"
	if len(others) > 0 {
		who = "is signed by " + someOf(others)
	}
	if s.need > 1 {
		want = fmt.Sprintf("signatures by %d", s.need)
		return nil, fmt.Errorf("%w: the code %s, but agent.policy.signers in the host's configuration wants %s of %s%s",
			inspectors.ErrPolicy, who, want, strings.Join(s.IDs()[:min(len(s.wanted), maxNamedKeys)], ", "), fix)
	}
	return nil, fmt.Errorf("%w: the code %s, but agent.policy.signers in the host's configuration wants %s by %s%s",
		inspectors.ErrPolicy, who, want, someOf(s.IDs()), fix)
}

// wrong returns what is wrong with a signature by a known key, such as "is not of
// this code", or "".
func (s *Signers) wrong(inspector, revision string, g *wire.Signature, use string) string {
	statement := g.Statement()
	if !s.known[g.Key].VerifyCode(revision, statement, g.Signature) {
		return "is not of this code"
	}
	m := s.seen.of(inspector, g.Key)
	switch {
	case statement.Old() && m.Number > 0:
		return fmt.Sprintf("has no number, and this host has run number %d", m.Number)
	case statement.Old():
		if s.log != nil {
			s.log.Warn("code is signed in the old form, which may be sent to any host at any time; sign it again, because the next version refuses it",
				"inspector", inspector, "key", g.Key)
		}
		return ""
	case statement.Use != signing.UseRun && use != signing.UseTry:
		return "is for a trial alone"
	case statement.Number < m.Number:
		return fmt.Sprintf("has number %d, and this host has run number %d", statement.Number, m.Number)
	}
	if selector, err := labels.Parse(statement.Selector); err != nil || !selector.Matches(labels.Set(s.labels)) {
		return fmt.Sprintf("is for hosts with %.100s, and the labels of this host's own configuration are %.100s", statement.Selector, labels.Set(s.labels))
	}
	if statement.Number == m.Number && slices.Contains(m.Revisions, revision) {
		return "" // it first ran while the signature was valid
	}
	switch now := time.Now().UnixMilli(); {
	case statement.FromMS > now:
		return "is good from " + momentOf(statement.FromMS)
	case statement.UntilMS > 0 && statement.UntilMS < now:
		return "was good until " + momentOf(statement.UntilMS)
	}
	return ""
}

func momentOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// Ran notes that code runs. Older code with signatures by the same keys is refused
// from now on.
func (s *Signers) Ran(item *wire.Assigned) {
	if s == nil || s.seen == nil {
		return
	}
	revision := wire.RevisionOf(item.Code)
	for i := range item.Signatures {
		g := &item.Signatures[i]
		if _, known := s.known[g.Key]; known && g.Number > 0 && s.wrong(item.Name, revision, g, signing.UseRun) == "" {
			s.seen.note(item.Name, g.Key, g.Number, revision)
		}
	}
}

// notUTF8 finds text that is not UTF-8. Its hash would be the same as that of
// another text.
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

// someOf lists alternatives, up to a bound.
func someOf(names []string) string {
	if more := len(names) - maxNamedKeys; more > 0 {
		return fmt.Sprintf("%s or %d more", strings.Join(names[:maxNamedKeys], ", "), more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
	return names[0]
}
