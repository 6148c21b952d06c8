package assignment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/wholefile"
	"github.com/vedettehq/vedette/rpc/wire"
)

// keysFile is the name, in the agent's data folder, of the file with the lines of keys
// that the host follows.
const keysFile = "keys.json"

// trusted is a key that counts on this host, or that did.
type trusted struct {
	public signing.PublicKey
	// stands are the ids of the keys in the host's configuration that it counts as: itself,
	// and those that it has followed.
	stands []string
	wanted bool   // one of those is in agent.policy.signers
	who    string // the keys of one line are one signer, however many of them have signed
	said   signing.Said
	kin    []string // the ids of the keys of its line that are not revoked
}

// trust returns the keys that count, by id: those of the configuration, and those that
// have followed them. A key that follows, and has the id of one in the configuration
// without being it, does not count.
func trust(pinned, wanted map[string]signing.PublicKey, lines []*signing.Line) map[string]trusted {
	keys := make(map[string]trusted)
	add := func(id string, public signing.PublicKey, as string, line *signing.Line) {
		k, known := keys[id]
		switch {
		case known && !k.public.Equal(public):
			return
		case !known:
			k = trusted{public: public, who: id, kin: []string{id}}
			if line != nil {
				k.who, k.said, k.kin = line.IDs()[0], line.Of(id), kinOf(line)
			}
		}
		if id == as {
			k.said.FromMS = 0 // the host names the key itself
		}
		_, wants := wanted[as]
		k.stands, k.wanted = append(k.stands, as), k.wanted || wants
		keys[id] = k
	}
	ids := slices.Sorted(maps.Keys(pinned))
	of := make(map[string]*signing.Line)
	for _, id := range ids {
		if at := slices.IndexFunc(lines, func(l *signing.Line) bool { return l.Holds(pinned[id]) }); at >= 0 {
			of[id] = lines[at]
		}
		add(id, pinned[id], id, of[id])
	}
	for _, id := range ids {
		if of[id] == nil {
			continue
		}
		for _, next := range of[id].After(id) {
			public, _ := of[id].Key(next)
			add(next, public, id, of[id])
		}
	}
	return keys
}

// kinOf are the keys of a line whose numbers go on from each other. Those of a revoked
// key do not: a thief would use up the numbers of the owner.
func kinOf(line *signing.Line) []string {
	return slices.DeleteFunc(line.IDs(), func(id string) bool { return line.Of(id).Revoked })
}

// Follow takes the lines of keys that a master has: those that begin, or go on, where
// this host has a key. A line that is another than the one that the host follows
// already is refused, with the reason; one that is older changes nothing. The
// lines are on the disk when it returns, unless an error says so.
func (s *Signers) Follow(lines []wire.KeyLine) (refused []string, changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := make([]*signing.Line, 0, len(lines))
	for _, given := range lines[:min(len(lines), wire.MaxKeyLines)] {
		if !s.concerns(given) {
			continue // of other people's keys
		}
		line, err := given.Read()
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		fresh = append(fresh, line)
	}
	next := slices.Clone(s.lines)
	for i, line := range fresh {
		if slices.ContainsFunc(fresh, func(other *signing.Line) bool { return other != fresh[i] && other.Meets(line) }) {
			refused = append(refused, fmt.Sprintf("the key %s is in two lines; neither is followed", line.IDs()[0]))
			continue
		}
		why, more := extend(&next, line)
		if why != "" {
			refused = append(refused, why)
		}
		changed = changed || more
	}
	if changed {
		s.lines = next
		s.keys = trust(s.known, s.wanted, s.lines)
	}
	if changed || s.unkept {
		err = s.keepKeys()
		s.unkept = err != nil // and is tried again when the master tells the next time
	}
	return refused, changed, err
}

// concerns reports whether a line names a key of this host.
func (s *Signers) concerns(line wire.KeyLine) bool {
	return slices.ContainsFunc(line.Statements, func(said wire.KeyStatement) bool {
		return slices.ContainsFunc([]string{said.By, said.Next, said.Revoked}, func(text string) bool {
			key, err := signing.ParsePublic(text)
			if err != nil {
				return false
			}
			known, named := s.known[key.ID()]
			return named && known.Equal(key)
		})
	})
}

// extend puts a line in the place of the one that it goes on from.
func extend(lines *[]*signing.Line, line *signing.Line) (refused string, changed bool) {
	var met []int
	for i, known := range *lines {
		if known.Meets(line) {
			met = append(met, i)
		}
	}
	switch {
	case len(met) == 0:
		*lines = append(*lines, line)
		return "", true
	case len(met) == 1 && (*lines)[met[0]].Extends(line):
		return "", false // it has not got all that this host knows
	case len(met) == 1 && line.Extends((*lines)[met[0]]):
		(*lines)[met[0]] = line
		return "", true
	}
	return fmt.Sprintf("the line of the key %s is not the one that this host follows: somebody has made two; "+
		"the host goes on with the first that it saw, until other keys are in its configuration and %s is removed from its data folder",
		line.IDs()[0], keysFile), false
}

// openKeys reads the lines that the host follows. What it kept for keys that its
// configuration does not name any more stays there.
func (s *Signers) openKeys(log *slog.Logger, dir string) {
	if dir == "" {
		return
	}
	path := filepath.Join(dir, keysFile)
	lines, err := readKeys(path)
	if err != nil {
		aside, asideErr := wholefile.MoveAside(path)
		log.Error("which keys have followed those of the configuration is lost until the master tells it again; a key that was revoked counts until then",
			"reason", err, "moved_to", aside, "error", asideErr)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = lines
	s.keys = trust(s.known, s.wanted, s.lines)
}

func readKeys(path string) ([]*signing.Line, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept wire.KeyLines
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return nil, err
	}
	lines := make([]*signing.Line, 0, len(kept.Lines))
	for _, l := range kept.Lines {
		line, err := l.Read()
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// keepKeys writes down the lines. mu is held.
func (s *Signers) keepKeys() error {
	if s.data == "" {
		return nil
	}
	var kept wire.KeyLines
	for _, line := range s.lines {
		kept.Lines = append(kept.Lines, wire.LineOf(line))
	}
	text, err := json.Marshal(kept)
	if err == nil {
		err = wholefile.Write(filepath.Join(s.data, keysFile), string(text))
	}
	if err != nil {
		return fmt.Errorf("cannot write which keys this host follows: %w", err)
	}
	return nil
}
