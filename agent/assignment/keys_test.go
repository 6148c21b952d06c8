package assignment

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc/wire"
)

// hostOf has the signers of a host whose configuration names keys, as after a start.
func hostOf(t *testing.T, need int, data string, keys ...signing.PrivateKey) *Signers {
	t.Helper()
	var texts []string
	for _, k := range keys {
		texts = append(texts, k.Public().String())
	}
	s, err := ParseSigners(texts)
	if err != nil {
		t.Fatal(err)
	}
	s.Host(slog.New(slog.DiscardHandler), need, nil, data)
	s.open()
	return s
}

func someCode(source string) wire.Code { return wire.Code{Name: "disk", Source: source} }

// signedCode is code with a signature by each of the keys.
func signedCode(source string, number int64, keys ...signing.PrivateKey) *wire.Assigned {
	code := someCode(source)
	item := &wire.Assigned{Revision: wire.RevisionOf(code), Code: code}
	for _, k := range keys {
		item.Signatures = append(item.Signatures, wire.Sign(k, item.Revision, signing.Statement{Use: signing.UseRun, Number: number}))
	}
	return item
}

func refuses(s *Signers, item *wire.Assigned) string {
	_, err := s.Check(&item.Code, item.Signatures)
	if err == nil {
		return ""
	}
	return err.Error()
}

// line makes the line in which each key is followed by the next.
func line(t *testing.T, until time.Time, keys ...signing.PrivateKey) *signing.Line {
	t.Helper()
	l := &signing.Line{}
	for i := range keys[1:] {
		if _, err := keys[i].Follow(l, keys[i+1], time.Time{}, until); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func mustFollow(t *testing.T, s *Signers, lines ...*signing.Line) {
	t.Helper()
	if refused := follow(t, s, lines...); len(refused) > 0 {
		t.Fatalf("the host refuses %v", refused)
	}
}

func follow(t *testing.T, s *Signers, lines ...*signing.Line) []string {
	t.Helper()
	var said []wire.KeyLine
	for _, l := range lines {
		said = append(said, wire.LineOf(l))
	}
	refused, _, err := s.Follow(said)
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

// A host takes code of the key that follows, after a restart too, and of the old one
// until its time is over. The numbers go on.
func TestKeyFollowsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, data := signingtest.Key(t), signingtest.Key(t), t.TempDir()
		s := hostOf(t, 1, data, first)
		s.Ran(signedCode("old", 50, first))
		if refuses(s, signedCode("new", 60, second)) == "" {
			t.Fatal("code of a key that nobody named is taken")
		}
		l := line(t, time.Now().Add(time.Hour), first, second)
		mustFollow(t, s, l)
		for range 2 {
			for _, k := range []signing.PrivateKey{first, second} {
				if why := refuses(s, signedCode("new", 60, k)); why != "" {
					t.Error(why)
				}
			}
			if why := refuses(s, signedCode("older", 40, second)); !strings.Contains(why, "has run number 50") {
				t.Errorf("an older number of the key that follows: %q", why)
			}
			s = hostOf(t, 1, data, first)
		}
		s.Ran(signedCode("new", 60, first))
		time.Sleep(2 * time.Hour)
		if why := refuses(s, signedCode("newer", 70, first)); !strings.Contains(why, "is by a key that counted until 2000-01-01T01:00:00Z") {
			t.Errorf("after the end of the key: %q", why)
		}
		if why := refuses(s, signedCode("new", 60, first)) + refuses(s, signedCode("newer", 70, second)); why != "" {
			t.Error(why)
		}
		// A host that was configured with the new key alone.
		s = hostOf(t, 1, t.TempDir(), second)
		mustFollow(t, s, l)
		if refuses(s, signedCode("new", 60, first)) == "" {
			t.Error("the key before the one that the host names counts")
		}
	})
}

// A revoked key counts for nothing, whatever it has signed before.
func TestKeyIsRevoked(t *testing.T) {
	first, second, data := signingtest.Key(t), signingtest.Key(t), t.TempDir()
	s := hostOf(t, 1, data, first)
	running := signedCode("old", 50, first)
	s.begin([]wire.Assigned{*running}, nil)
	s.Ran(running)
	l := line(t, time.Time{}, first, second)
	mustFollow(t, s, l)
	if _, enough := s.left(running.Revision, nil); !enough {
		t.Error("a key that was followed is revoked")
	}
	before := wire.LineOf(l)
	if _, err := second.Revoke(l, first.Public()); err != nil {
		t.Fatal(err)
	}
	mustFollow(t, s, l)
	if _, enough := s.left(running.Revision, nil); enough {
		t.Error("what runs goes on")
	}
	for range 2 {
		if why := refuses(s, running); !strings.Contains(why, "is by a key that was revoked") {
			t.Errorf("code that has run: %q", why)
		}
		if why := refuses(s, signedCode("new", 60, second)); why != "" {
			t.Error(why)
		}
		if ids := s.IDs(); !slices.Equal(ids, []string{second.Public().ID()}) {
			t.Errorf("the host names %v", ids)
		}
		// The revocation comes later; this is not another line.
		if refused, changed, err := s.Follow([]wire.KeyLine{before}); len(refused) > 0 || changed || err != nil {
			t.Errorf("an older line gave %v, %v, %v", refused, changed, err)
		}
		s = hostOf(t, 1, data, first)
	}
}

// The numbers that a thief has used count no more once the key is revoked.
func TestNumbersOfARevokedKey(t *testing.T) {
	first, second := signingtest.Key(t), signingtest.Key(t)
	s := hostOf(t, 1, t.TempDir(), first)
	l := line(t, time.Time{}, first, second)
	mustFollow(t, s, l)
	stolen := signedCode("evil", math.MaxInt64, first)
	s.begin([]wire.Assigned{*stolen}, nil)
	s.Ran(stolen)
	if why := refuses(s, signedCode("new", 60, second)); !strings.Contains(why, "has number 60") {
		t.Errorf("older code of the same line: %q", why)
	}
	if _, err := second.Revoke(l, first.Public()); err != nil {
		t.Fatal(err)
	}
	mustFollow(t, s, l)
	mended := signedCode("new", 60, second)
	if why := refuses(s, mended); why != "" {
		t.Error(why)
	}
	s.begin([]wire.Assigned{*mended}, nil)
	s.Ran(mended)
	if why := refuses(s, signedCode("older", 59, second)); !strings.Contains(why, "has run number 60") {
		t.Errorf("older code by the key that is left: %q", why)
	}
}

// Lines that could not be written are written the next time that the master tells them.
func TestLinesAreWrittenAgain(t *testing.T) {
	first, second, data := signingtest.Key(t), signingtest.Key(t), t.TempDir()
	s := hostOf(t, 1, data, first)
	if err := os.MkdirAll(filepath.Join(data, keysFile, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	lines := []wire.KeyLine{wire.LineOf(line(t, time.Time{}, first, second))}
	if _, changed, err := s.Follow(lines); err == nil || !changed {
		t.Fatalf("a folder is in the way, and it says %v, %v", changed, err)
	}
	if err := os.RemoveAll(filepath.Join(data, keysFile)); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := s.Follow(lines); err != nil || changed {
		t.Errorf("told again it says %v, %v", changed, err)
	}
	if why := refuses(hostOf(t, 1, data, first), signedCode("new", 60, second)); why != "" {
		t.Errorf("after a restart: %s", why)
	}
}

// A host all of whose keys are revoked takes nothing, and says so.
func TestNoKeyIsLeft(t *testing.T) {
	first := signingtest.Key(t)
	s, l := hostOf(t, 1, t.TempDir(), first), &signing.Line{}
	if _, err := first.Revoke(l, first.Public()); err != nil {
		t.Fatal(err)
	}
	mustFollow(t, s, l)
	for _, item := range []*wire.Assigned{signedCode("new", 60, first), signedCode("new", 60)} {
		if why := refuses(s, item); !strings.Contains(why, "wants a signature, and every key that it names is revoked") {
			t.Errorf("it says %q", why)
		}
	}
	if s.Needed() != 1 || len(s.IDs()) > 0 {
		t.Errorf("it wants %d of %v", s.Needed(), s.IDs())
	}
}

// One who has a key cannot make two signers of it.
func TestKeysOfALineAreOneSigner(t *testing.T) {
	first, second, other := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	s := hostOf(t, 2, t.TempDir(), first, other)
	mustFollow(t, s, line(t, time.Time{}, first, second))
	if why := refuses(s, signedCode("new", 60, first, second)); !strings.Contains(why, "wants signatures by 2 of ") {
		t.Errorf("two signatures of one line: %q", why)
	}
	if why := refuses(s, signedCode("new", 60, second, other)); why != "" {
		t.Error(why)
	}
}

// A secret for a key is for those that follow it, and not for those before.
func TestSecretsFollowKeys(t *testing.T) {
	first, second, third := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	s, err := ParseSigners(nil)
	if err == nil {
		err = s.Know("pg", []string{second.Public().String()})
	}
	if err != nil {
		t.Fatal(err)
	}
	mustFollow(t, s, line(t, time.Time{}, first, second, third))
	for i, k := range []signing.PrivateKey{first, second, third} {
		item := signedCode("new", 60, k)
		by, err := s.Check(&item.Code, item.Signatures)
		if got := slices.Contains(by, second.Public().ID()); err != nil || got != (i > 0) {
			t.Errorf("key %d of the line: %v, %v", i+1, by, err)
		}
	}
}

// A damaged file of keys costs no start.
func TestDamagedKeysAreMovedAside(t *testing.T) {
	first, second, data := signingtest.Key(t), signingtest.Key(t), t.TempDir()
	s := hostOf(t, 1, data, first)
	mustFollow(t, s, line(t, time.Time{}, first, second))
	if err := os.WriteFile(filepath.Join(data, keysFile), []byte(`{"lines":[{"statements":[{"number":7}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s = hostOf(t, 1, data, first)
	if refuses(s, signedCode("new", 60, second)) == "" {
		t.Error("what is not to be read counts")
	}
	mustFollow(t, s, line(t, time.Time{}, first, second))
}

// TestHostsFollowByLot has a master send random lines: some by the owner of the host's key,
// some by an attacker with the old keys, and some by strangers, with restarts between. The
// host trusts what the owner said as far as it has heard it, and never less than before.
func TestHostsFollowByLot(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 4 {
		keys := make([]signing.PrivateKey, 2+r.IntN(3))
		for i := range keys {
			keys[i] = signingtest.Key(t)
		}
		owner, evil := line(t, time.Time{}, keys...), signingtest.Key(t)
		said := owner.Statements()
		pinned, data, heard := r.IntN(len(keys)), t.TempDir(), 0
		s := hostOf(t, 1, data, keys[pinned])
		for range 20 {
			upTo := 1 + r.IntN(len(said))
			if heard == 0 {
				upTo = max(upTo, pinned+1) // then a fork can be told from the line
				upTo = min(upTo, len(said))
			}
			honest, _ := signing.ReadLine(said[:upTo])
			lines := []*signing.Line{honest}
			forks := 0
			if heard > 0 && r.IntN(2) == 0 { // from a key that has been followed
				at := r.IntN(heard)
				forged := &signing.Line{}
				for _, statement := range said[:at] {
					_ = forged.Add(statement)
				}
				if _, err := keys[at].Follow(forged, evil, time.Time{}, time.Time{}); err != nil {
					t.Fatal(err)
				}
				lines, forks = []*signing.Line{forged}, 1
			}
			if r.IntN(3) == 0 {
				lines = append(lines, line(t, time.Time{}, signingtest.Key(t), signingtest.Key(t)))
			}
			r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			refused := follow(t, s, lines...)
			if forks == 0 {
				heard = max(heard, upTo)
			}
			if concerned := forks == 1 && slices.Contains(lineIDs(lines), keys[pinned].Public().ID()); len(refused) > 0 != concerned {
				t.Fatalf("with %d forks it refuses %v", forks, refused)
			}
			if r.IntN(5) == 0 {
				s = hostOf(t, 1, data, keys[pinned])
			}
			for i, k := range keys {
				trusted := refuses(s, signedCode("new", 60, k)) == ""
				if want := i == pinned || i > pinned && i <= heard; trusted != want {
					t.Fatalf("pinned %d, heard %d: key %d counts: %v", pinned, heard, i, trusted)
				}
			}
			if refuses(s, signedCode("new", 60, evil)) == "" {
				t.Fatal("the attacker's key counts")
			}
		}
	}
}

// lineIDs are the ids of the keys of lines.
func lineIDs(lines []*signing.Line) []string {
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.IDs()...)
	}
	return ids
}

// Code that was accepted in time is loaded, however long that takes; but only while it
// is assigned.
func TestAcceptedInTimeIsLoadedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := signingtest.Key(t)
		s := hostOf(t, 1, t.TempDir(), key)
		code := someCode("slow")
		item := wire.Assigned{Revision: wire.RevisionOf(code), Code: code}
		item.Signatures = []wire.Signature{wire.Sign(key, item.Revision, signing.Statement{
			Use: signing.UseRun, Number: 5, UntilMS: time.Now().Add(time.Minute).UnixMilli(),
		})}
		s.begin([]wire.Assigned{item}, nil)
		time.Sleep(time.Hour)
		if why := refuses(s, &item); why != "" {
			t.Error(why)
		}
		if _, err := s.CheckTrial(&item.Code, item.Signatures); err == nil {
			t.Error("a trial begins after the end")
		}
		s.begin(nil, nil) // something else is assigned
		if why := refuses(s, &item); !strings.Contains(why, "was good until") {
			t.Errorf("assigned again later: %q", why)
		}
		s.begin([]wire.Assigned{item}, nil)
		s.Ran(&item)
		if why := refuses(s, &item); why == "" {
			t.Error("what was refused counts as run")
		}
	})
}

// Code in the old form is not newer than the time of its key either: a host begins with
// none by a key that does not count yet, or not any more. What it runs goes on.
func TestOldFormKeepsTheTimeOfTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, data := signingtest.Key(t), signingtest.Key(t), t.TempDir()
		old := func(source string, k signing.PrivateKey) *wire.Assigned {
			code := someCode(source)
			revision := wire.RevisionOf(code)
			return &wire.Assigned{Revision: revision, Code: code, Signatures: []wire.Signature{wire.Sign(k, revision, signing.Statement{})}}
		}
		s, l := hostOf(t, 1, data, first), &signing.Line{}
		if _, err := first.Follow(l, second, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		mustFollow(t, s, l)
		if why := refuses(s, old("new", second)); !strings.Contains(why, "is by a key that counts from") {
			t.Errorf("before the key counts: %q", why)
		}
		s.Ran(old("runs", first))
		accepted := old("is loading", first)
		s.begin([]wire.Assigned{*accepted}, nil)
		time.Sleep(90 * time.Minute)
		if why := refuses(s, old("new", first)) + refuses(s, old("new", second)); why != "" {
			t.Error(why)
		}
		time.Sleep(time.Hour)
		if why := refuses(s, accepted); why != "" {
			t.Errorf("accepted in time: %q", why)
		}
		for range 2 {
			if why := refuses(s, old("new", first)); !strings.Contains(why, "is by a key that counted until") {
				t.Errorf("after the end of the key: %q", why)
			}
			if why := refuses(s, old("runs", first)) + refuses(s, old("new", second)); why != "" {
				t.Error(why)
			}
			s = hostOf(t, 1, data, first)
		}
	})
}

// A signature of code that was refused all the same, because another is missing, is no
// better later: the host has not begun with the code.
func TestRefusedCodeHasNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := signingtest.Key(t), signingtest.Key(t)
		s := hostOf(t, 2, t.TempDir(), first, second)
		item := signedCode("new", 60)
		sign := func(k signing.PrivateKey, until time.Duration) {
			item.Signatures = append(item.Signatures, wire.Sign(k, item.Revision, signing.Statement{
				Use: signing.UseRun, Number: 60, UntilMS: time.Now().Add(until).UnixMilli(),
			}))
		}
		sign(first, time.Minute)
		s.begin([]wire.Assigned{*item}, nil)
		time.Sleep(time.Hour)
		sign(second, time.Minute)
		if why := refuses(s, item); !strings.Contains(why, "was good until") {
			t.Errorf("with one signature that is over, the host says %q", why)
		}
	})
}

// Code goes on under the name of other code where a key is revoked that has signed it, if
// enough others have signed it too.
func TestEnoughOthersHaveSigned(t *testing.T) {
	a, b, c := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	all := []signing.PrivateKey{a, b, c}
	for need := 1; need <= 3; need++ {
		for revoked := range 4 {
			s := hostOf(t, need, t.TempDir(), all...)
			running := signedCode("old", 50, all...)
			s.begin([]wire.Assigned{*running}, nil)
			for _, k := range all[:revoked] {
				l := &signing.Line{}
				if _, err := k.Revoke(l, k.Public()); err != nil {
					t.Fatal(err)
				}
				mustFollow(t, s, l)
			}
			by, enough := s.left(running.Revision, []string{"whoever"})
			if enough != (3-revoked >= need) {
				t.Errorf("of three signers %d are revoked, and %d needed: what runs goes on: %v", revoked, need, enough)
			}
			for i, k := range all {
				if revoked > 0 && slices.Contains(by, k.Public().ID()) != (i >= revoked) {
					t.Errorf("of three signers %d are revoked, and left are %v", revoked, by)
				}
			}
		}
	}
}

// A host tells keys apart as a whole: one whose id is that of a key in its configuration
// counts for nothing, and neither does a line of it. Such keys cost years to make, so the
// test has the host name another key by that id.
func TestHostKnowsKeysByMoreThanTheirIDs(t *testing.T) {
	for seat := range 3 {
		first, second, twin, named := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
		s := hostOf(t, 1, t.TempDir(), first, named)
		delete(s.known, named.Public().ID())
		delete(s.wanted, named.Public().ID())
		s.known[twin.Public().ID()], s.wanted[twin.Public().ID()] = named.Public(), named.Public()
		keys := slices.Insert([]signing.PrivateKey{first, second}, seat, twin)
		mustFollow(t, s, line(t, time.Time{}, keys...), line(t, time.Time{}, signingtest.Key(t), signingtest.Key(t)))
		for i, k := range keys {
			why := refuses(s, signedCode("new", 60, k))
			if after := i >= 1 || seat > 0; (why == "") != (after && i != seat) {
				t.Errorf("with the twin as key %d of the line, code of key %d: %q", seat+1, i+1, why)
			}
		}
		if !s.keys[twin.Public().ID()].public.Equal(named.Public()) {
			t.Error("the twin has taken the place of the key that the host names")
		}
	}
	s, twin := hostOf(t, 1, t.TempDir(), signingtest.Key(t)), signingtest.Key(t)
	s.known[twin.Public().ID()] = signingtest.Key(t).Public()
	mustFollow(t, s, line(t, time.Time{}, twin, signingtest.Key(t)))
	if len(s.lines) > 0 {
		t.Error("the host follows the line of a key that it does not name")
	}
}
