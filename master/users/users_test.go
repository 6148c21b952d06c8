package users

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/internal/patience"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap is for tests that are not about the cost.
func cheap() Cost { return Cost{Passes: 1, KiB: 8, Lanes: 1} }

func open(t *testing.T, file string) (*Store, state.Store) {
	t.Helper()
	store, err := state.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Taken: func(name string) bool { return name == "token" }, Idle: time.Hour, Longest: 24 * time.Hour, Cost: cheap()})
	if err := s.Open(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return s, store
}

func as(who string) context.Context {
	return audit.With(context.Background(), audit.NewAttempt(who, "admin", "192.0.2.1:1", "users.test"))
}

func sumOfSecret(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// world is what must be true of a Store, kept by the test itself.
type world struct {
	passwords map[string]string // by user; "" without one
	roles     map[string]string
	links     map[string]string          // secret by user
	sessions  map[string]map[string]bool // secrets by user; the value says whether it is a browser's
	dead      map[string]bool            // secrets that were good once
}

func (w *world) endSessions(user string) {
	for secret := range w.sessions[user] {
		w.dead[secret] = true
	}
	delete(w.sessions, user)
}

func (w *world) setLink(user, secret string) {
	if old := w.links[user]; old != "" {
		w.dead[old] = true
	}
	w.links[user] = secret
	if secret == "" {
		delete(w.links, user)
	}
}

// In any order of operations, and across restarts, exactly the users, passwords, links and
// sessions in our own list are valid, for exactly their role.
func TestRandomOperationsOverRestarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	w := &world{map[string]string{}, map[string]string{}, map[string]string{}, map[string]map[string]bool{}, map[string]bool{}}
	names := []string{"alice", "bob", "carol@example.org", "dörte", "e.f_g-h+i"}
	for range 6 {
		s, store := open(t, file)
		w.verify(t, s)
		for range 40 {
			w.step(t, s, names[rand.IntN(len(names))])
		}
		w.verify(t, s)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) step(t *testing.T, s *Store, name string) {
	t.Helper()
	_, there := w.roles[name]
	ctx := as("root")
	must := func(err error, ok bool) {
		t.Helper()
		if (err == nil) != ok {
			t.Fatalf("%s: error %v, expected to work: %v", name, err, ok)
		}
	}
	switch rand.IntN(8) {
	case 0, 1:
		p := wire.UserParams{Name: name, Role: []string{"viewer", "operator", "admin"}[rand.IntN(3)]}
		if rand.IntN(2) == 0 {
			p.Password = fmt.Sprintf("password-%d", rand.Uint64())
		}
		made, err := s.Add(ctx, p)
		must(err, !there)
		if err == nil {
			w.roles[name], w.passwords[name] = p.Role, p.Password
			w.setLink(name, made.Link)
		}
	case 2:
		if err := s.Remove(ctx, name); true {
			must(err, there)
		}
		w.endSessions(name)
		w.setLink(name, "")
		delete(w.roles, name)
		delete(w.passwords, name)
	case 3:
		role := []string{"viewer", "operator", "admin"}[rand.IntN(3)]
		_, err := s.SetRole(ctx, name, role, "")
		must(err, there)
		if there {
			w.roles[name] = role
		}
	case 4:
		w.setPassword(t, s, name, there)
	case 5:
		made, err := s.Link(ctx, name)
		must(err, there)
		if there {
			w.setLink(name, made.Link)
		}
	case 6:
		if secret := w.links[name]; secret != "" {
			password := fmt.Sprintf("password-%d", rand.Uint64())
			_, err := s.Choose(ctx, secret, "", password, "192.0.2.1:1")
			must(err, true)
			w.endSessions(name)
			w.setLink(name, "")
			w.passwords[name] = password
		}
	case 7:
		w.logIn(t, s, name)
	}
}

func (w *world) setPassword(t *testing.T, s *Store, name string, there bool) {
	t.Helper()
	var but string
	for secret := range w.sessions[name] {
		but = secret
	}
	password := fmt.Sprintf("password-%d", rand.Uint64())
	if _, err := s.SetPassword(as("root"), name, password, sumOfSecret(but)); (err == nil) != there {
		t.Fatalf("%s: %v", name, err)
	}
	if !there {
		return
	}
	browser := w.sessions[name][but]
	delete(w.sessions[name], but)
	w.endSessions(name)
	if but != "" {
		w.sessions[name] = map[string]bool{but: browser}
	}
	w.setLink(name, "")
	w.passwords[name] = password
}

func (w *world) logIn(t *testing.T, s *Store, name string) {
	t.Helper()
	if w.passwords[name] == "" {
		return
	}
	u, err := s.Check(t.Context(), name, w.passwords[name], "192.0.2.1:1")
	if err != nil {
		t.Fatalf("%s cannot log in: %v", name, err)
	}
	browser := rand.IntN(2) == 0
	secret, _, err := s.Begin(as(name), u, browser, "192.0.2.1:1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if w.sessions[name] == nil {
		w.sessions[name] = make(map[string]bool)
	}
	w.sessions[name][secret] = browser
}

// verify holds the Store against the list.
func (w *world) verify(t *testing.T, s *Store) {
	t.Helper()
	list := s.List(time.Now())
	if len(list) != len(w.roles) {
		t.Fatalf("%d users are listed; there are %d", len(list), len(w.roles))
	}
	for _, info := range list {
		if w.roles[info.Name] != info.Role || info.Sessions != len(w.sessions[info.Name]) || (info.LinkMS != 0) != (w.links[info.Name] != "") {
			t.Errorf("listed is %+v; it is %s with %d sessions and the link %q", info, w.roles[info.Name], len(w.sessions[info.Name]), w.links[info.Name])
		}
		if strings.Contains(fmt.Sprint(info), "argon2") {
			t.Errorf("the hash is in %+v", info)
		}
	}
	for name, sessions := range w.sessions {
		for secret, browser := range sessions {
			p, ok := s.Session(sumOfSecret(secret), browser)
			if !ok || p != (auth.Person{Name: name, Key: "user " + name, Role: auth.Role(w.roles[name])}) {
				t.Errorf("a session of %s is taken for %+v, %v", name, p, ok)
			}
			if _, ok := s.Session(sumOfSecret(secret), !browser); ok {
				t.Errorf("a secret for browser=%v is good as the other", browser)
			}
		}
	}
	for secret := range w.dead {
		_, asCookie := s.Session(sumOfSecret(secret), true)
		_, asToken := s.Session(sumOfSecret(secret), false)
		somewhere := fmt.Sprintf("10.%d.%d.%d:1", rand.IntN(256), rand.IntN(256), rand.IntN(256)) // many wrong ones lock an address
		if _, err := s.Choose(as("nobody"), secret, "x", "another-password", somewhere); err == nil || asCookie || asToken {
			t.Errorf("what has ended is good: %v %v %v", err, asCookie, asToken)
		}
	}
}

// Of many who use one link at once, one gets through; its password is the one that is
// good, also where the link makes the first admin.
func TestLinkIsGoodOnce(t *testing.T) {
	for _, first := range []bool{true, false} {
		s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
		var secret string
		if first {
			var err error
			if secret, err = s.FirstLink(t.Context()); err != nil || secret == "" {
				t.Fatal(secret, err)
			}
		} else {
			made, err := s.Add(as("root"), wire.UserParams{Name: "alice", Role: "viewer"})
			if err != nil {
				t.Fatal(err)
			}
			secret = made.Link
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		var won []string
		for n := range 20 {
			all.Go(func() {
				password := fmt.Sprintf("the password of %d", n)
				if _, err := s.Choose(as("nobody"), secret, "alice", password, "192.0.2.1:1"); err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, password)
				} else if !errors.Is(err, ErrRefused) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d got through", len(won))
		}
		u, err := s.Check(t.Context(), "alice", won[0], "192.0.2.9:1")
		if err != nil || (u.Role == "admin") != first {
			t.Errorf("first %v: %+v %v", first, u, err)
		}
		if again, err := s.FirstLink(t.Context()); again != "" || err != nil {
			t.Errorf("there is an admin, and another first link: %q %v", again, err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Sessions and links end in their time, the sessions in use of a browser do not before
// their absolute end, and neither survives on the disk.
func TestEndsOfSessionsAndLinks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s, store := open(t, file)
		if _, err := s.Add(as("root"), wire.UserParams{Name: "alice", Role: "viewer", Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
		link, err := s.Link(as("root"), "alice")
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Check(t.Context(), "alice", "correct horse", "192.0.2.1:1")
		if err != nil {
			t.Fatal(err)
		}
		begin := func(browser bool, forMS int64) [sha256.Size]byte {
			secret, _, err := s.Begin(as("alice"), u, browser, "192.0.2.1:1", forMS)
			if err != nil {
				t.Fatal(err)
			}
			return sumOfSecret(secret)
		}
		idle, used, token := begin(true, 0), begin(true, 0), begin(false, (50*time.Hour).Milliseconds())
		began, ends := time.Now(), map[string]time.Duration{}
		for time.Since(began) < 80*time.Hour {
			for name, good := range map[string]func() bool{
				"used":  func() bool { _, ok := s.Session(used, true); return ok },
				"token": func() bool { _, ok := s.Session(token, false); return ok },
				"link":  func() bool { _, err := s.LinkFor(link.Link, "192.0.2.1:1"); return err == nil },
				"idle":  func() bool { return s.sessions[idle] != nil },
			} {
				if _, over := ends[name]; !over && !good() {
					ends[name] = time.Since(began)
				}
			}
			time.Sleep(time.Minute)
			if err := s.Sweep(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]time.Duration{"idle": time.Hour, "used": 24 * time.Hour, "token": 50 * time.Hour, "link": inviteFor} {
			if got := ends[name]; got < want || got > want+2*time.Minute {
				t.Errorf("%s ended after %v, want %v", name, got, want)
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		again, store := open(t, file)
		if len(again.sessions) != 0 || len(again.links) != 0 {
			t.Errorf("on the disk are %d sessions and %d links", len(again.sessions), len(again.links))
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Wrong passwords lock a name, the same for one that is there and one that is not,
// whatever the address, longer each time; the user at an address where a session of
// theirs is goes on.
func TestLockOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s, store := open(t, file)
		if _, err := s.Add(as("root"), wire.UserParams{Name: "alice", Role: "viewer", Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
		u, err := s.Check(t.Context(), "alice", "correct horse", "198.51.100.1:1")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Begin(as("alice"), u, true, "198.51.100.1:1", 0); err != nil {
			t.Fatal(err)
		}
		try := func(name, password, from string) bool {
			_, err := s.Check(t.Context(), name, password, from)
			if err != nil && err.Error() != ErrRefused.Error() {
				t.Fatal(err)
			}
			return err == nil
		}
		for n := range wrongPerName {
			for _, name := range []string{"alice", "nobody-there"} {
				if try(name, "wrong", fmt.Sprintf("203.0.113.%d:1", n)) {
					t.Fatal("a wrong password is good")
				}
			}
		}
		if try("alice", "correct horse", "203.0.113.99:1") {
			t.Error("the name is not locked")
		}
		if !try("alice", "correct horse", "198.51.100.1:7") {
			t.Error("strangers keep alice out from where she is logged in")
		}
		slot := func(name string) *tries { return s.locks.slotLocked("name "+name, time.Now()) }
		if a, b := slot("alice"), slot("nobody-there"); a.wrong != 0 || b.wrong != wrongPerName {
			t.Errorf("the counts are %+v and %+v", a, b)
		}
		try("nobody-there", "wrong", "203.0.113.99:1")
		if a, b := slot("alice"), slot("nobody-there"); a.until != b.until || a.until.IsZero() {
			t.Errorf("a name that is there is locked until %v, another until %v", a.until, b.until)
		}
		time.Sleep(firstLock + time.Second)
		if !try("alice", "correct horse", "203.0.113.99:1") {
			t.Error("the lock does not end")
		}
		if n := attemptsIn(t, s, 24*time.Hour); n > 24*wrongPerName+200 {
			t.Errorf("a day of trying gets %d passwords looked at", n)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// attemptsIn tries a password every few seconds for a time, each from another address, and
// returns how many were looked at.
func attemptsIn(t *testing.T, s *Store, length time.Duration) (n int) {
	t.Helper()
	const every = 5 * time.Second
	for at := time.Duration(0); at < length; at += every {
		if s.locks.attempt("alice", fmt.Sprintf("10.%d.%d.%d:1", rand.IntN(256), rand.IntN(256), rand.IntN(256)), false, time.Now()) {
			n++
		}
		time.Sleep(every)
	}
	return n
}

// An address that tries name after name is locked out too, by wrong passwords and wrong
// links together: all of an IPv6 network, no other, for a minute, then for two. A name may
// share a slot with the address, so a few attempts may be missing.
func TestLockOutOfAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLocks()
		from := func() string { return fmt.Sprintf("[2001:db8:1:2::%x]:9", 1+rand.IntN(1<<16-1)) }
		looked := func(remote string) bool { return l.attempt(fmt.Sprint("x", rand.Uint64()), remote, false, time.Now()) }
		for length := firstLock; length <= 2*firstLock; length *= 2 {
			links, n := rand.IntN(wrongPerAddress), 0
			for range links {
				l.link(from(), time.Now())
			}
			for looked(from()) {
				n++
			}
			if n+links > wrongPerAddress || n+links < wrongPerAddress-3 {
				t.Errorf("%d passwords were tried after %d links from one network", n, links)
			}
			if !looked("[2001:db8:1:3::1]:9") {
				t.Error("the next network is locked out as well")
			}
			l.link(from(), time.Now()) // makes no lock longer
			time.Sleep(length - time.Second)
			if looked(from()) {
				t.Errorf("the lock of %v is shorter", length)
			}
			time.Sleep(time.Second)
			if !looked(from()) {
				t.Errorf("the lock of %v is longer", length)
			}
			l.right("x", from(), false, time.Now()) // takes that attempt back
		}
	})
}

// However many names and addresses there are, the memory of them is bounded.
func TestLocksAreBounded(t *testing.T) {
	l := newLocks()
	for range 2 * lockSlots {
		l.attempt(fmt.Sprint("x", rand.Uint64()), fmt.Sprintf("10.%d.%d.%d:1", rand.IntN(256), rand.IntN(256), rand.IntN(256)), false, time.Now())
	}
	if len(l.tries) > lockSlots || len(l.tries) < lockSlots/2 {
		t.Errorf("%d slots", len(l.tries))
	}
}

// Wrong links lock the passwords of their address, and of no other. A right link is looked
// at all the same.
func TestWrongLinks(t *testing.T) {
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	if _, err := s.Add(as("root"), wire.UserParams{Name: "alice", Role: "viewer", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	made, err := s.Link(as("root"), "alice")
	if err != nil {
		t.Fatal(err)
	}
	const attacker, other = "192.0.2.1:1", "192.0.2.2:1"
	for range wrongPerAddress {
		wrong := linkSecret + fmt.Sprint(rand.Uint64())
		if rand.IntN(2) == 0 {
			_, err = s.LinkFor(wrong, attacker)
		} else {
			_, err = s.Choose(as("nobody"), wrong, "alice", "another horse", attacker)
		}
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("a wrong link: %v", err)
		}
	}
	if _, err := s.Check(t.Context(), "alice", "correct horse", attacker); !errors.Is(err, ErrRefused) {
		t.Errorf("after %d wrong links a password is looked at: %v", wrongPerAddress, err)
	}
	if _, err := s.Check(t.Context(), "alice", "correct horse", other); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if name, err := s.LinkFor(made.Link, attacker); err != nil || name != "alice" {
		t.Errorf("the right link: %q, %v", name, err)
	}
}

// A name that is not there takes the same work as one that is, and so does a user
// without a password: while no password can be checked, all wait.
func TestUnknownNamesTakeTheSameWork(t *testing.T) {
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	for name, password := range map[string]string{"alice": "correct horse", "invited": ""} {
		if _, err := s.Add(as("root"), wire.UserParams{Name: name, Role: "viewer", Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	for range hashesAtOnce {
		s.hasher.running <- struct{}{}
	}
	for _, name := range []string{"alice", "invited", "nobody-there"} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := s.Check(ctx, name, "wrong", "192.0.2.1:1"); done <- err }()
		patience.Until(t, "a check that waits for its turn", func() bool { return len(s.hasher.waiting) > 0 })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if slot := s.locks.slotLocked("name "+name, time.Now()); slot.wrong != 0 {
			t.Errorf("%s: a check that was not made counts as %d wrong passwords", name, slot.wrong)
		}
	}
	if slot := s.locks.slotLocked("from 192.0.2.1", time.Now()); slot.wrong != 0 {
		t.Errorf("checks that were not made count as %d wrong passwords of the address", slot.wrong)
	}
}

// A user who is logged out is so on connections without a session too.
func TestEndAllEndsWhatHasNoSession(t *testing.T) {
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	if _, err := s.Add(as("root"), wire.UserParams{Name: "alice", Role: "viewer", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	u, err := s.Check(t.Context(), "alice", "correct horse", "192.0.2.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, good := s.Person("alice", u.Changes); !good {
		t.Fatal("who has just logged in is not")
	}
	if _, _, err := s.EndAll(as("root"), "alice", [sha256.Size]byte{}); err != nil {
		t.Fatal(err)
	}
	if _, good := s.Person("alice", u.Changes); good {
		t.Error("who was logged out is still logged in")
	}
	if _, _, err := s.EndAll(as("root"), "bob", [sha256.Size]byte{}); err == nil || !strings.Contains(err.Error(), `there is no user "bob"`) {
		t.Errorf("the sessions of nobody: %v", err)
	}
}

// A password is good with its own hash and no other, at the cost that RFC 9106
// recommends; a hash that somebody has changed is refused before it costs anything.
func TestHashes(t *testing.T) {
	h := newHasher(cheap())
	for range 20 {
		password := fmt.Sprint("p", rand.Uint64(), rand.Uint64())
		hash, err := h.make(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		for try, want := range map[string]bool{password: true, password + " ": false, password[1:]: false, "": false} {
			if ok, err := h.matches(t.Context(), try, hash); ok != want || err != nil {
				t.Errorf("%q with the hash of %q: %v %v", try, password, ok, err)
			}
		}
	}
	if ok, err := h.matches(t.Context(), "", ""); ok || err != nil {
		t.Error("nobody's password is good", ok, err)
	}
	for text, what := range map[string]string{
		"":             "not argon2id",
		"$2y$10$x$y$z": "not argon2id",
		"$argon2id$v=19$m=4294967295,t=3,p=4$c29tZXNhbHQ$" + strings.Repeat("A", 43): "out of bounds",
		"$argon2id$v=19$m=64,t=99999,p=4$c29tZXNhbHQ$" + strings.Repeat("A", 43):     "out of bounds",
		"$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$" + strings.Repeat("A", 43):         "out of bounds",
		"$argon2id$v=19$m=64,t=1,p=1$!$" + strings.Repeat("A", 43):                   "salt",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AA":                                 "checksum",
	} {
		if _, _, _, err := decodeHash(text); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v, want %q", text, err, what)
		}
	}
	if c := defaultCost(); c != (Cost{3, 64 << 10, 4}) {
		t.Errorf("the cost is %+v", c)
	}
}

// Bad names, roles and passwords are refused with what to write instead.
func TestBadUsers(t *testing.T) {
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	for _, c := range []struct{ name, role, password, want string }{
		{"", "viewer", "", "no name"},
		{"local", "viewer", "", "another name"},
		{"a b", "viewer", "", "without blanks"},
		{"a\x1b[2J", "viewer", "", "without blanks"},
		{"a\xff", "viewer", "", "without blanks"},
		{"<b>", "viewer", "", "without blanks"},
		{strings.Repeat("a", 101), "viewer", "", "100"},
		{"alice", "agent", "", "viewer, operator or admin"},
		{"alice", "king", "", "viewer, operator or admin"},
		{"token", "viewer", "", "there is a token"},
		{"alice", "viewer", "short", "at least 10"},
		{"alice", "viewer", "aaaaaaaaaaaa", "again and again"},
		{"alice-alice", "viewer", "ALICE-alice", "is the name"},
		{"alice", "viewer", strings.Repeat("ab", 600), "at most 1024"},
		{"alice", "viewer", "\xff\xfe aaaaaaaaaaaa", "UTF-8"},
	} {
		if _, err := s.Add(as("root"), wire.UserParams{Name: c.name, Role: c.role, Password: c.password}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q %q: %v, want %q", c.name, c.role, c.password, err, c.want)
		}
	}
	if s.Any() {
		t.Error("a bad user is kept")
	}
}

// FuzzHash finds what decodeHash takes and should not.
func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		c, salt, hash, err := decodeHash(text)
		if err == nil && (c.KiB > maxKiB || c.Passes > maxPasses || c.Lanes > maxLanes || len(salt) > 64 || len(hash) > 64 || c.Lanes == 0 || c.Passes == 0) {
			t.Errorf("%q is taken as %+v", text, c)
		}
	})
}
