package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// linesPrefix is where the lines of keys are, each by the id of its first key.
const linesPrefix = "keys/"

func (c *Catalog) loadKeysLocked(ctx context.Context) error {
	stored, err := c.store.List(ctx, linesPrefix)
	if err != nil {
		return err
	}
	for _, s := range stored {
		var given wire.KeyLine
		if err := decode(s, &given); err != nil {
			return err
		}
		line, err := given.Read()
		if err != nil {
			return fmt.Errorf("%s: %w", s.Key, err)
		}
		c.lines = append(c.lines, line)
	}
	if len(c.lines) > 0 {
		c.keysChanged = 1
	}
	return nil
}

// Keys returns the lines of keys.
func (c *Catalog) Keys() wire.KeyLines {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keysLocked()
}

func (c *Catalog) keysLocked() wire.KeyLines {
	result := wire.KeyLines{Lines: make([]wire.KeyLine, 0, len(c.lines))}
	for _, line := range c.lines {
		result.Lines = append(result.Lines, wire.LineOf(line))
	}
	return result
}

// AddKey adds a statement to its line, or begins one with it, and tells the hosts. A
// statement that is there already changes nothing.
func (c *Catalog) AddKey(ctx context.Context, p wire.KeyAddParams) (wire.KeyLine, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	lines := c.lines
	c.mu.Unlock()
	said := signing.Succession(p.Statement)
	at, line, err := lineWith(lines, said)
	if err != nil {
		return wire.KeyLine{}, err
	}
	if at >= 0 && lines[at].Extends(line) {
		return wire.LineOf(line), nil
	}
	value := encode(wire.LineOf(line))
	want, next := state.None, slices.Clone(lines)
	if at < 0 {
		next = append(next, line)
	} else {
		want = state.VersionOf(encode(wire.LineOf(lines[at])))
		next[at] = line
	}
	attempt := audit.From(ctx)
	ids := line.IDs()
	err = c.store.Apply(context.WithoutCancel(ctx), state.Put(linesPrefix+ids[0], value, want), attempt.Change(ids[0], describeStatement(said)))
	if err != nil {
		return wire.KeyLine{}, fmt.Errorf("cannot write the keys: %w", err)
	}
	attempt.Written()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = next
	c.keysChanged++
	for _, t := range c.targets {
		c.kickLocked(t)
	}
	return wire.LineOf(line), nil
}

// lineWith returns a line with a statement more, and which of the lines it takes the
// place of; -1 is none.
func lineWith(lines []*signing.Line, said signing.Succession) (int, *signing.Line, error) {
	refuse := func(code int, err error) (int, *signing.Line, error) {
		return -1, nil, rpc.Errorf(code, "cannot take the statement: %v", err)
	}
	by, err := signing.ParsePublic(said.By)
	if err != nil {
		return refuse(rpc.CodeInvalidParams, fmt.Errorf("by %.60q is no public key: %w", said.By, err))
	}
	at := slices.IndexFunc(lines, func(l *signing.Line) bool { return l.Has(by.ID()) })
	var before []signing.Succession
	if at >= 0 {
		before = lines[at].Statements()
	}
	line := &signing.Line{}
	for _, s := range append(before, said) {
		if err = line.Add(s); err != nil {
			break
		}
	}
	switch {
	case errors.Is(err, signing.ErrFork), errors.Is(err, signing.ErrGap):
		return refuse(wire.CodeConflict, err)
	case err != nil:
		return refuse(rpc.CodeInvalidParams, err)
	case at < 0 && len(lines) >= wire.MaxKeyLines:
		return refuse(wire.CodeBusy, fmt.Errorf("there are %d lines of keys, and no more are allowed", len(lines)))
	}
	for i, other := range lines {
		if i != at && other.Meets(line) {
			return refuse(wire.CodeConflict, fmt.Errorf("the key that follows is in another line, that of %s", other.IDs()[0]))
		}
	}
	return at, line, nil
}

// describeStatement is what the audit log has of a statement.
func describeStatement(s signing.Succession) string {
	id := func(text string) string {
		key, err := signing.ParsePublic(text)
		if err != nil {
			return "no key"
		}
		return key.ID()
	}
	if s.Revoked != "" {
		return fmt.Sprintf("%s revokes %s", id(s.By), id(s.Revoked))
	}
	text := fmt.Sprintf("%s follows %s", id(s.Next), id(s.By))
	if s.UntilMS > 0 {
		text += ", which counts until " + time.UnixMilli(s.UntilMS).UTC().Format(time.RFC3339)
	}
	return text
}

// mustTellKeysLocked reports whether the agent of a session is to be told of the keys.
// Hosts whose configuration names no keys need not know.
func (c *Catalog) mustTellKeysLocked(s *Session) bool {
	return s.keys != c.keysChanged && s.target.hasKeys()
}

// hasKeys reports whether the host's configuration names keys.
func (t *target) hasKeys() bool {
	if len(t.record.Signers) > 0 || t.record.Needed > 0 {
		return true
	}
	if p := t.record.Policy; p != nil {
		for _, rule := range p.Secrets {
			if len(rule.Signers) > 0 {
				return true
			}
		}
	}
	return false
}

// tellKeys tells an agent which keys have followed others. One that is too old to know
// of that goes on without.
func (c *Catalog) tellKeys(ctx context.Context, s *Session) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c.mu.Lock()
	lines, changed := c.keysLocked(), c.keysChanged
	c.mu.Unlock()
	result, err := wire.AgentKeys.Call(ctx, s.agent, lines)
	var answer *rpc.Error
	old := errors.As(err, &answer) && answer.Code == rpc.CodeMethodNotFound
	if err != nil && !old {
		return err
	}
	for _, why := range result.Refused {
		c.opts.Log.Error("a host does not follow a line of keys", "host", s.target.name, "reason", why)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.keys = changed
	if t := s.target; t.session == s && !old && !slices.Equal(t.record.Signers, result.Signers) {
		t.record.Signers = result.Signers
		c.dirty[t] = true
	}
	return nil
}

// signers counts who of the keys that a host names has signed: the keys of one line are
// one. Whether the signatures are good is for the host to say.
func signers(lines []*signing.Line, signatures []wire.Signature, keys []string) (by []string) {
	who := make(map[string]bool)
	for _, g := range signatures {
		if g.Use == signing.UseTry || !slices.Contains(keys, g.Key) {
			continue
		}
		first := g.Key
		if at := slices.IndexFunc(lines, func(l *signing.Line) bool { return l.Has(g.Key) }); at >= 0 {
			first = lines[at].IDs()[0]
		}
		if !who[first] {
			who[first], by = true, append(by, g.Key)
		}
	}
	return by
}

// standsFor adds to keys those that they have followed: a secret for one of those is for
// them too.
func standsFor(lines []*signing.Line, keys []string) []string {
	all := slices.Clone(keys)
	for _, key := range keys {
		for _, l := range lines {
			if ids := l.IDs(); l.Has(key) {
				all = append(all, ids[:slices.Index(ids, key)]...)
			}
		}
	}
	return all
}
