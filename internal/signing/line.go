package signing

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// successionContext begins the message that is signed of a Succession.
	successionContext = "vedette.v1 keys\n"
	// acceptContext begins the one that the key signs which follows: nobody can put
	// somebody else's key into a line.
	acceptContext = "vedette.v1 key follows\n"
)

// MaxLine is how many statements a line of keys has at most.
const MaxLine = 64

var (
	// ErrFork is wrapped by the error of a statement that takes the place of another.
	ErrFork = errors.New("it takes the place of another statement")
	// ErrGap is wrapped by the error of a statement before which one is missing.
	ErrGap = errors.New("statements before it are missing")
)

// Succession is one statement of a line of keys: the key that holds, the newest of the
// line, says which key follows it, or which key of the line is not good any more.
type Succession struct {
	Number  int64  // 1 for the first of a line, and one more each time
	Prev    string // Sum of the statement before; "" for the first
	By      string // the public key that signs: the newest of the line
	Next    string // the public key that follows it, or ""
	Revoked string // the public key of the line that counts for nothing any more, or ""
	// FromMS is when Next begins to count, and UntilMS until when a host may begin with
	// code that By has signed, in milliseconds since 1970 UTC; 0 is no bound.
	FromMS, UntilMS int64
	Signature       string // of By, in base64
	NextSignature   string // of Next, where there is one
}

// message is what is signed. No part of it can hold a new line.
func (s *Succession) message(context string) []byte {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []byte(context + strings.Join([]string{number(s.Number), s.Prev, s.By, s.Next, s.Revoked, number(s.FromMS), number(s.UntilMS)}, "\n"))
}

// Sum is the hex SHA-256 of all that the statement says.
func (s *Succession) Sum() string {
	sum := sha256.Sum256(s.message(successionContext))
	return hex.EncodeToString(sum[:])
}

// check says what is wrong with a statement by itself, and returns its keys. The other
// is the one that follows or that is revoked.
func (s *Succession) check() (by, other PublicKey, err error) {
	switch {
	case s.Number < 1 || s.Number > MaxLine:
		return by, other, fmt.Errorf("its number is %d, and not from 1 to %d", s.Number, MaxLine)
	case (s.Next == "") == (s.Revoked == ""):
		return by, other, errors.New("it names neither a key that follows nor one that is revoked, or both")
	case s.FromMS < 0 || s.UntilMS < 0 || s.UntilMS > 0 && s.UntilMS < s.FromMS:
		return by, other, errors.New("the old key ends before the new one begins")
	case s.Revoked != "" && (s.FromMS != 0 || s.UntilMS != 0):
		return by, other, errors.New("it revokes a key for some time: a key is revoked for good")
	}
	if by, err = ParsePublic(s.By); err != nil {
		return by, other, fmt.Errorf("the key that signs is not one: %w", err)
	}
	if other, err = ParsePublic(s.Next + s.Revoked); err != nil {
		return by, other, fmt.Errorf("the key that it names is not one: %w", err)
	}
	if !by.verifies(s.message(successionContext), s.Signature) {
		return by, other, fmt.Errorf("the signature is not of this statement by the key %s", by.ID())
	}
	if s.Next != "" && !other.verifies(s.message(acceptContext), s.NextSignature) {
		return by, other, fmt.Errorf("the key %s, which is to follow, has not signed it too", other.ID())
	}
	return by, other, nil
}

// verifies reports whether the signature is the key's of a message.
func (k PublicKey) verifies(message []byte, signature string) bool {
	raw, err := decodeSignature(signature)
	return err == nil && ed25519.Verify(k.key, message, raw)
}

// lineKey is a key of a line, with what was said of it.
type lineKey struct {
	public          PublicKey
	id              string // of public: it names the key, and is too short to tell that two are one
	fromMS, untilMS int64
	revoked         bool
}

// Line is a line of keys, each named by the one before. A value without statements has no
// keys. It must not be used by several goroutines at once.
type Line struct {
	said []Succession
	keys []lineKey
}

// ReadLine reads a line from its statements, the first first.
func ReadLine(said []Succession) (*Line, error) {
	if len(said) == 0 {
		return nil, errors.New("a line of keys has at least one statement")
	}
	l := &Line{}
	for i := range said {
		if err := l.Add(said[i]); err != nil {
			return nil, fmt.Errorf("statement %d of the line: %w", i+1, err)
		}
	}
	return l, nil
}

// Add adds the next statement. One that the line has already changes nothing.
func (l *Line) Add(s Succession) error {
	by, other, err := s.check()
	if err != nil {
		return err
	}
	switch have := int64(len(l.said)); {
	case s.Number <= have && l.said[s.Number-1].Sum() == s.Sum():
		return nil
	case s.Number <= have:
		return fmt.Errorf("%w: number %d of this line is known, and says something else", ErrFork, s.Number)
	case s.Number > have+1:
		return fmt.Errorf("%w: it is number %d, and the line has %d", ErrGap, s.Number, have)
	case have == 0 && s.Prev != "":
		return fmt.Errorf("%w: it is the first, and names one before it", ErrFork)
	case have > 0 && s.Prev != l.said[have-1].Sum():
		return fmt.Errorf("%w: it follows another statement than number %d of this line", ErrFork, have)
	}
	first := len(l.keys) == 0
	if newest := len(l.keys) - 1; !first && (!l.keys[newest].public.Equal(by) || l.keys[newest].revoked) {
		return fmt.Errorf("the key %s does not hold the line: %s", by.ID(), l.holder())
	}
	known := slices.IndexFunc(l.keys, func(k lineKey) bool { return k.public.Equal(other) })
	switch {
	case s.Next != "" && (known >= 0 || first && by.Equal(other)):
		return fmt.Errorf("the key %s was in the line before; a line does not go back", other.ID())
	case s.Revoked != "" && known < 0 && (!first || !by.Equal(other)):
		return fmt.Errorf("the key %s, which it revokes, is not in the line", other.ID())
	case known < 0 && l.Has(other.ID()):
		return fmt.Errorf("the id of the key that follows is %s, like that of another key of the line: make another key", other.ID())
	}
	if first {
		l.keys = append(l.keys, lineKey{public: by, id: by.ID()})
		known = 0 // of a key that revokes itself
	}
	if s.Next != "" {
		l.keys[len(l.keys)-1].untilMS = s.UntilMS
		l.keys = append(l.keys, lineKey{public: other, id: other.ID(), fromMS: s.FromMS})
	} else {
		l.keys[known].revoked = true
	}
	l.said = append(l.said, s)
	return nil
}

func (l *Line) holder() string {
	newest := l.keys[len(l.keys)-1]
	if newest.revoked {
		return "it has ended, because its newest key " + newest.id + " is revoked"
	}
	return newest.id + " does"
}

// Follow makes the next statement of a line, or the first: that next follows the key,
// which must hold the line.
func (k PrivateKey) Follow(l *Line, next PrivateKey, from, until time.Time) (Succession, error) {
	return k.say(l, Succession{Next: next.Public().String(), FromMS: milliseconds(from), UntilMS: milliseconds(until)}, &next)
}

// Revoke makes the next statement of a line, or the first: that a key of it is not good
// any more.
func (k PrivateKey) Revoke(l *Line, revoked PublicKey) (Succession, error) {
	return k.say(l, Succession{Revoked: revoked.String()}, nil)
}

// say signs a statement, and adds it to the line, which must be able to take it.
func (k PrivateKey) say(l *Line, s Succession, next *PrivateKey) (Succession, error) {
	s.Number, s.By = int64(len(l.said)+1), k.Public().String()
	if n := len(l.said); n > 0 {
		s.Prev = l.said[n-1].Sum()
	}
	s.Signature = k.signs(s.message(successionContext))
	if next != nil {
		s.NextSignature = next.signs(s.message(acceptContext))
	}
	return s, l.Add(s)
}

func (k PrivateKey) signs(message []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.key, message))
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Statements are those of the line, the first first.
func (l *Line) Statements() []Succession { return slices.Clone(l.said) }

// Extends reports whether the line is the other one, or goes on from it.
func (l *Line) Extends(other *Line) bool {
	return len(l.said) >= len(other.said) && slices.EqualFunc(l.said[:len(other.said)], other.said, func(a, b Succession) bool { return a.Sum() == b.Sum() })
}

// Meets reports whether two lines have a key in common.
func (l *Line) Meets(other *Line) bool {
	return slices.ContainsFunc(l.keys, func(k lineKey) bool { return other.Holds(k.public) })
}

// Holds reports whether a key is in the line. Another key with the same id is not.
func (l *Line) Holds(key PublicKey) bool {
	return slices.ContainsFunc(l.keys, func(k lineKey) bool { return k.public.Equal(key) })
}

// Has reports whether there is a key of that id in the line. Its keys have different
// ids; keys of other lines may have the same ones.
func (l *Line) Has(id string) bool { return l.at(id) >= 0 }

func (l *Line) at(id string) int {
	return slices.IndexFunc(l.keys, func(k lineKey) bool { return k.id == id })
}

// IDs are those of the keys, the first first.
func (l *Line) IDs() []string {
	ids := make([]string, 0, len(l.keys))
	for i := range l.keys {
		ids = append(ids, l.keys[i].id)
	}
	return ids
}

// Key returns a key of the line by its id.
func (l *Line) Key(id string) (PublicKey, bool) {
	if at := l.at(id); at >= 0 {
		return l.keys[at].public, true
	}
	return PublicKey{}, false
}

// Newest returns the key that holds the line, or false where that is revoked.
func (l *Line) Newest() (PublicKey, bool) {
	if len(l.keys) == 0 {
		return PublicKey{}, false
	}
	newest := l.keys[len(l.keys)-1]
	return newest.public, !newest.revoked
}

// After returns the ids of the keys that have followed one, the next first.
func (l *Line) After(id string) []string {
	if at := l.at(id); at >= 0 {
		return l.IDs()[at+1:]
	}
	return nil
}

// Said is what a line says of one of its keys.
type Said struct {
	Revoked         bool
	FromMS, UntilMS int64 // when it counts for code that begins; 0 is no bound
}

// Of says what the line says of a key; nothing where it is not in the line.
func (l *Line) Of(id string) Said {
	at := l.at(id)
	if at < 0 {
		return Said{}
	}
	k := &l.keys[at]
	return Said{k.revoked, k.fromMS, k.untilMS}
}
