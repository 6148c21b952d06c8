package assignment

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
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

	// These are from the configuration.
	wanted map[string]signing.PublicKey // those of agent.policy.signers; if there are none, code needs no signature
	known  map[string]signing.PublicKey // the wanted keys, and those named by secrets

	mu    sync.Mutex // guards all below
	lines []*signing.Line
	// unkept says that the lines are not on the disk, because they could not be written.
	unkept bool
	keys   map[string]trusted // known, and what has followed those; replaced, never changed
	// begun has, by revision, the signatures that were good when it was decided to load it.
	begun map[string][]wire.Signature
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

// open reads which signed code has run on the host, and which keys have followed others.
func (s *Signers) open() {
	if s != nil && s.log != nil {
		s.seen = openSeen(s.log, s.data)
		s.openKeys(s.log, s.data)
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = trust(s.known, s.wanted, s.lines)
	return nil
}

// IDs are those of the keys of which one must have signed code, sorted: those of the
// configuration, and those that have followed them, without revoked ones.
func (s *Signers) IDs() []string {
	if s == nil {
		return nil
	}
	var ids []string
	for id, k := range s.trusted() {
		if k.wanted && !k.said.Revoked {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Needed is how many signers must have signed code; 0 is none.
func (s *Signers) Needed() int {
	if s == nil || len(s.wanted) == 0 {
		return 0
	}
	return s.need
}

func (s *Signers) trusted() map[string]trusted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
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
	revision, keys := wire.RevisionOf(*code), s.trusted()
	var others, signed []string
	who := make(map[string]bool) // that is wanted
	fix := ""
	for _, g := range signatures[:min(len(signatures), wire.MaxSignatures)] {
		k, known := keys[g.Key]
		if !known {
			others = append(others, fmt.Sprintf("%.16q", g.Key))
			continue
		}
		if slices.Contains(signed, g.Key) {
			continue // one key is one signer
		}
		if wrong := s.wrong(code.Name, revision, &g, use); wrong != "" {
			others = append(others, fmt.Sprintf("%q, whose signature %s", g.Key, wrong))
			fix = fmt.Sprintf("; `vedette inspector sign %s` signs it again", code.Name)
			continue
		}
		if g.Statement().Old() && s.log != nil {
			s.log.Warn("code is signed in the old form, which may be sent to any host at any time; sign it again, because the next version refuses it",
				"inspector", code.Name, "key", g.Key)
		}
		signed = append(signed, g.Key)
		by = append(by, k.stands...)
		if !slices.Contains(k.stands, g.Key) {
			by = append(by, g.Key)
		}
		if k.wanted {
			who[k.who] = true
		}
	}
	if len(s.wanted) == 0 || len(who) >= s.need {
		slices.Sort(by)
		return slices.Compact(by), nil
	}
	for _, id := range signed {
		others = append(others, fmt.Sprintf("%q", id))
	}
	return nil, s.tooFew(others, fix)
}

// tooFew is the error of code that too few have signed.
func (s *Signers) tooFew(others []string, fix string) error {
	who, want := "is not signed", "a signature, and every key that it names is revoked"
	if len(others) > 0 {
		who = "is signed by " + someOf(others)
	}
	switch ids := s.IDs(); {
	case len(ids) == 0:
	case s.need > 1:
		want = fmt.Sprintf("signatures by %d of %s", s.need, strings.Join(ids[:min(len(ids), maxNamedKeys)], ", "))
	default:
		want = "a signature by " + someOf(ids)
	}
	return fmt.Errorf("%w: the code %s, but agent.policy.signers in the host's configuration wants %s%s", inspectors.ErrPolicy, who, want, fix)
}

// wrong returns what is wrong with a signature by a known key, such as "is not of
// this code", or "".
func (s *Signers) wrong(inspector, revision string, g *wire.Signature, use string) string {
	statement, key := g.Statement(), s.trusted()[g.Key]
	if !key.public.VerifyCode(revision, statement, g.Signature) {
		return "is not of this code"
	}
	m := s.seen.of(inspector, key.kin...)
	switch {
	case key.said.Revoked:
		return "is by a key that was revoked"
	case statement.Old() && m.Number > 0:
		return fmt.Sprintf("has no number, and this host has run number %d", m.Number)
	case statement.Old(): // it bounds nothing, but its key may have a time
	case statement.Use != signing.UseRun && use != signing.UseTry:
		return "is for a trial alone"
	case statement.Number < m.Number:
		return fmt.Sprintf("has number %d, and this host has run number %d", statement.Number, m.Number)
	}
	if selector, err := labels.Parse(statement.Selector); err != nil || !selector.Matches(labels.Set(s.labels)) {
		return fmt.Sprintf("is for hosts with %.100s, and the labels of this host's own configuration are %.100s", statement.Selector, labels.Set(s.labels))
	}
	if statement.Number == m.Number && slices.Contains(m.Revisions, revision) || use == signing.UseRun && s.hasBegun(revision, g) {
		return "" // it began while the signature was valid
	}
	switch now := time.Now().UnixMilli(); {
	case statement.FromMS > now:
		return "is good from " + momentOf(statement.FromMS)
	case statement.UntilMS > 0 && statement.UntilMS < now:
		return "was good until " + momentOf(statement.UntilMS)
	case key.said.FromMS > now:
		return "is by a key that counts from " + momentOf(key.said.FromMS)
	case key.said.UntilMS > 0 && key.said.UntilMS < now:
		return "is by a key that counted until " + momentOf(key.said.UntilMS)
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
		if _, known := s.trusted()[g.Key]; known && s.wrong(item.Name, revision, g, signing.UseRun) == "" {
			s.seen.note(item.Name, g.Key, g.Number, revision)
		}
	}
}

// begin notes which signatures of the items are good now, where those are enough: code
// that was assigned in time is loaded, however long that takes. It forgets the others,
// except those of the revisions in keep, which run.
func (s *Signers) begin(items []wire.Assigned, keep map[string]bool) {
	if s == nil || len(s.known) == 0 {
		return
	}
	begun, keys := make(map[string][]wire.Signature), s.trusted()
	for i := range items {
		item := &items[i]
		if _, err := s.Check(&item.Code, item.Signatures); err != nil {
			continue // the host does not begin with it
		}
		revision := wire.RevisionOf(item.Code)
		for j := range item.Signatures[:min(len(item.Signatures), wire.MaxSignatures)] {
			g := item.Signatures[j]
			if _, known := keys[g.Key]; known && s.wrong(item.Name, revision, &g, signing.UseRun) == "" {
				begun[revision] = append(begun[revision], g)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for revision, signatures := range s.begun {
		if _, again := begun[revision]; !again && keep[revision] {
			begun[revision] = signatures
		}
	}
	s.begun = begun
}

func (s *Signers) hasBegun(revision string, g *wire.Signature) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.begun[revision], *g)
}

// left returns who has signed a revision that was begun with, without keys that are
// revoked by now, and whether those are enough. by is who it was then.
func (s *Signers) left(revision string, by []string) (now []string, enough bool) {
	if s == nil {
		return by, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	revoked, who := false, make(map[string]bool)
	for _, g := range s.begun[revision] {
		k := s.keys[g.Key]
		if k.said.Revoked {
			revoked = true
			continue
		}
		now = append(append(now, g.Key), k.stands...)
		if k.wanted {
			who[k.who] = true
		}
	}
	if !revoked {
		return by, true
	}
	slices.Sort(now)
	return slices.Compact(now), len(s.wanted) > 0 && len(who) >= s.need
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
