package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

const (
	// maxLines is how many lines of keys a master stores.
	maxLines = 256
	// maxUnnamed is how many of those may be lines of which no host names a key.
	// Whoever may add statements can make keys for any number of such lines, and must
	// not use up the room of others.
	maxUnnamed = wire.MaxKeyLines
)

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
		c.keysChanged, c.keysSum = 1, sumOf(c.lines)
	}
	return nil
}

// sumOf identifies lines with all that they say.
func sumOf(lines []*signing.Line) string {
	h := sha256.New()
	for _, l := range lines {
		said := l.Statements()
		h.Write([]byte(said[len(said)-1].Sum())) // which covers those before
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Keys returns the lines of keys.
func (c *Catalog) Keys() wire.KeyLines {
	c.mu.Lock()
	defer c.mu.Unlock()
	return keyLines(c.lines)
}

func keyLines(lines []*signing.Line) wire.KeyLines {
	result := wire.KeyLines{Lines: make([]wire.KeyLine, 0, len(lines))}
	for _, line := range lines {
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
	if err == nil && at < 0 {
		err = c.roomFor(line)
	}
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
	c.keysSum = sumOf(next)
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
	at := slices.IndexFunc(lines, func(l *signing.Line) bool { return l.Holds(by) })
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
	}
	for i, other := range lines {
		if i == at {
			continue
		}
		if other.Meets(line) {
			return refuse(wire.CodeConflict, fmt.Errorf("the key that follows is in another line, that of %s", other.IDs()[0]))
		}
		if same := slices.IndexFunc(line.IDs(), other.Has); same >= 0 { // signatures name keys by their ids
			return refuse(wire.CodeConflict, fmt.Errorf("another key has the id %s too, in the line of %s: make another key", line.IDs()[same], other.IDs()[0]))
		}
	}
	return at, line, nil
}

// roomFor says why there is no room for a line more.
func (c *Catalog) roomFor(line *signing.Line) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	named := make(map[string]bool)
	for _, t := range c.targets {
		for _, id := range t.keys() {
			named[id] = true
		}
	}
	isNamed := func(l *signing.Line) bool {
		return slices.ContainsFunc(l.IDs(), func(id string) bool { return named[id] })
	}
	unnamed := 0
	for _, l := range c.lines {
		if !isNamed(l) {
			unnamed++
		}
	}
	switch {
	case len(c.lines) >= maxLines:
		return rpc.Errorf(wire.CodeBusy, "cannot take the statement: there are %d lines of keys, and no more are allowed", len(c.lines))
	case unnamed >= maxUnnamed && !isNamed(line):
		return rpc.Errorf(wire.CodeBusy, "cannot take the statement: no host names the key %s, and there are %d lines of such keys already, which is the most; "+
			"a line may begin when a host has connected that names its key, in agent.policy.signers or in agent.secrets", line.IDs()[0], unnamed)
	}
	return nil
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

// tellKeys tells an agent which keys have followed others. One that is too old to know
// of that goes on without.
func (c *Catalog) tellKeys(ctx context.Context, s *Session) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c.mu.Lock()
	lines, changed, sum := keyLines(s.target.concerning(c.lines)), c.keysChanged, c.keysSum
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
	if t := s.target; t.session == s {
		t.record.Told = sum
		if !old {
			t.record.Signers = result.Signers
		}
		c.dirty[t] = true
	}
	return nil
}
