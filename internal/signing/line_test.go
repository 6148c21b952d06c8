package signing

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// follow adds to a line that a new key follows, and returns that.
func follow(t *testing.T, l *Line, key PrivateKey) PrivateKey {
	t.Helper()
	next := generate(t)
	if _, err := key.Follow(l, next, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return next
}

func TestLineOfKeys(t *testing.T) {
	first, l := generate(t), &Line{}
	second := follow(t, l, first)
	third := follow(t, l, second)
	if got := l.After(first.Public().ID()); !slices.Equal(got, []string{second.Public().ID(), third.Public().ID()}) {
		t.Errorf("the first is followed by %v", got)
	}
	if _, err := third.Revoke(l, first.Public()); err != nil || !l.Of(first.Public().ID()).Revoked || l.Of(second.Public().ID()).Revoked {
		t.Errorf("a revocation gave %v, and %+v", err, l)
	}
	again, err := ReadLine(l.Statements())
	if err != nil || !again.Extends(l) || !l.Extends(again) {
		t.Errorf("read again it is another: %v", err)
	}
	if newest, ok := l.Newest(); !ok || newest.ID() != third.Public().ID() {
		t.Errorf("it is held by %s", newest.ID())
	}
	if _, err := third.Revoke(l, third.Public()); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Newest(); ok {
		t.Error("a line whose newest key is revoked is held by it")
	}
}

// What an attacker can make of the statements that there are, and of keys that do not
// hold the line, is refused, with the reason.
func TestStatementsThatNoLineTakes(t *testing.T) {
	first, stranger := generate(t), generate(t)
	l := &Line{}
	second := follow(t, l, first)
	third := follow(t, l, second)
	said := func(by PrivateKey, s Succession, next *PrivateKey) Succession {
		s.By = by.Public().String()
		s.Signature = by.signs(s.message(successionContext))
		if next != nil {
			s.NextSignature = next.signs(s.message(acceptContext))
		}
		return s
	}
	following := func(by, next PrivateKey) Succession {
		return said(by, Succession{Number: 3, Prev: l.said[1].Sum(), Next: next.Public().String()}, &next)
	}
	good := following(third, stranger)
	changed := func(change func(*Succession)) Succession {
		s := good
		change(&s)
		return s
	}
	key := third.Public().String()
	for _, tt := range []struct {
		want string
		is   error
		s    Succession
	}{
		{"does not hold the line", nil, following(first, stranger)},
		{"does not hold the line", nil, following(stranger, generate(t))},
		{"a line does not go back", nil, following(third, first)},
		{"is known, and says something else", ErrFork, said(first, Succession{Number: 1, Next: stranger.Public().String()}, &stranger)},
		{"follows another statement", ErrFork, said(third, Succession{Number: 3, Prev: l.said[0].Sum(), Next: stranger.Public().String()}, &stranger)},
		{"the line has 2", ErrGap, said(third, Succession{Number: 4, Prev: good.Sum(), Next: stranger.Public().String()}, &stranger)},
		{"is not in the line", nil, said(third, Succession{Number: 3, Prev: l.said[1].Sum(), Revoked: stranger.Public().String()}, nil)},
		{"has not signed it too", nil, said(third, Succession{Number: 3, Prev: l.said[1].Sum(), Next: stranger.Public().String()}, nil)},
		{"has not signed it too", nil, said(third, Succession{Number: 3, Prev: l.said[1].Sum(), Next: stranger.Public().String()}, &third)},
		{"is not of this statement", nil, changed(func(s *Succession) { s.UntilMS = 5 })},
		{"is not of this statement", nil, changed(func(s *Succession) { s.By = stranger.Public().String() })},
		{"is not of this statement", nil, changed(func(s *Succession) { s.Signature = l.said[1].Signature })},
		{"is not of this statement", nil, changed(func(s *Succession) { s.Signature = "AAAA" })},
		{"its number is 0", nil, changed(func(s *Succession) { s.Number = 0 })},
		{"its number is 65", nil, changed(func(s *Succession) { s.Number = 65 })},
		{"or both", nil, changed(func(s *Succession) { s.Next = "" })},
		{"or both", nil, changed(func(s *Succession) { s.Revoked = key })},
		{"ends before the new one begins", nil, changed(func(s *Succession) { s.FromMS, s.UntilMS = 2, 1 })},
		{"for good", nil, said(third, Succession{Number: 3, Prev: l.said[1].Sum(), Revoked: key, UntilMS: 7}, nil)},
		{"the key that signs is not one", nil, changed(func(s *Succession) { s.By = "me" })},
		{"the key that it names is not one", nil, changed(func(s *Succession) { s.Next = "me\n" })},
	} {
		line, _ := ReadLine(l.Statements())
		err := line.Add(tt.s)
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%+v gave %v, want %q", tt.s, err, tt.want)
		}
		if len(line.said) != 2 || len(line.keys) != 3 {
			t.Errorf("%q: it is in the line all the same", tt.want)
		}
	}
	line, _ := ReadLine(l.Statements())
	if err := errors.Join(line.Add(l.said[0]), line.Add(good), line.Add(good)); err != nil || len(line.said) != 3 {
		t.Errorf("what is known already, and what is good, gave %v", err)
	}
	if _, err := ReadLine(nil); err == nil {
		t.Error("a line of nothing is one")
	}
}

// TestLinesHoldByLot has the holder of a line and an attacker, who has the keys that were
// revoked or followed, speak in turn, and gives what they say in any order, again and
// again. The line has what the holder said, and nothing else.
func TestLinesHoldByLot(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		owner, holder := &Line{}, generate(t)
		lost := []PrivateKey{generate(t)} // the attacker's
		var all []Succession
		for range 1 + r.IntN(8) {
			if keys := owner.keys; len(keys) > 0 && r.IntN(3) == 0 {
				if s, err := holder.Revoke(owner, keys[r.IntN(max(1, len(keys)-1))].public); err == nil {
					all = append(all, s)
				}
			} else {
				lost = append(lost, holder)
				next := generate(t)
				s, err := holder.Follow(owner, next, time.Time{}, time.UnixMilli(1+r.Int64N(9)))
				if err != nil {
					t.Fatal(err)
				}
				all, holder = append(all, s), next
			}
			// The attacker goes on from any place, by any key that is lost.
			said := owner.Statements()
			forged, _ := ReadLine(said[:r.IntN(len(said)+1)])
			if forged == nil {
				forged = &Line{}
			}
			by, next := lost[r.IntN(len(lost))], lost[r.IntN(len(lost))]
			s, _ := by.Follow(forged, next, time.Time{}, time.Time{})
			all = append(all, s)
			if r.IntN(2) == 0 {
				s.Signature = all[r.IntN(len(all))].Signature
				all = append(all, s)
			}
		}
		checkLot(t, r, owner, all)
	}
}

// checkLot gives statements by lot to somebody who has seen the first of the owner's.
func checkLot(t *testing.T, r *rand.Rand, owner *Line, all []Succession) {
	t.Helper()
	said := owner.Statements()
	seen, _ := ReadLine(said[:1])
	for range 6 * len(all) {
		had := len(seen.said)
		s := all[r.IntN(len(all))]
		newest, _ := seen.Newest()
		ours := slices.ContainsFunc(said, func(o Succession) bool { return o.Sum() == s.Sum() && o.Signature == s.Signature })
		if !ours && s.Number == int64(had)+1 && s.By == newest.String() {
			continue // a stolen key before the first word of its owner: nobody can tell
		}
		err := seen.Add(s)
		switch {
		case !owner.Extends(seen):
			t.Fatalf("the line has what its holder has not said: %+v", s)
		case len(seen.said) < had:
			t.Fatal("the line goes back")
		case ours && s.Number <= int64(had)+1 && err != nil:
			t.Fatalf("what the holder said is refused: %v", err)
		}
	}
	for _, s := range said {
		if err := seen.Add(s); err != nil {
			t.Fatalf("the rest is refused: %v", err)
		}
	}
	if !seen.Extends(owner) {
		t.Fatal("the line is not whole")
	}
}

// Keys are told apart as a whole: one whose id is that of a key of the line has no part
// in it. Such keys cost years to make, so the test changes the ids.
func TestIDsAreNotKeys(t *testing.T) {
	for n := range 3 {
		first, twin := generate(t), generate(t)
		l := &Line{}
		second := follow(t, l, first)
		third := follow(t, l, second)
		l.keys[n].id = twin.Public().ID()
		if _, err := twin.Follow(l, generate(t), time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "does not hold the line") {
			t.Errorf("the twin of key %d goes on with the line: %v", n+1, err)
		}
		if _, err := third.Revoke(l, twin.Public()); err == nil || !strings.Contains(err.Error(), "is not in the line") {
			t.Errorf("the twin of key %d is revoked: %v", n+1, err)
		}
		if _, err := third.Follow(l, twin, time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "like that of another key") {
			t.Errorf("the twin of key %d follows: %v", n+1, err)
		}
		other := &Line{}
		follow(t, other, twin)
		if l.Meets(other) || other.Meets(l) || l.Holds(twin.Public()) || !l.Holds(first.Public()) {
			t.Errorf("the line of the twin of key %d has a key of this one", n+1)
		}
	}
}
