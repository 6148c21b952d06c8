package agent

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// stated is a signature of code with a number, and what else is set.
func stated(key signing.PrivateKey, code wire.Code, number int64, set ...func(*signing.Statement)) wire.Signature {
	s := signing.Statement{Use: signing.UseRun, Number: number}
	for _, f := range set {
		f(&s)
	}
	return wire.Sign(key, wire.RevisionOf(code), s)
}

// TestReplayedSignaturesAreRefused makes the attacks of a master that holds every
// signature that was ever made: none of them gets other code onto the host.
func TestReplayedSignaturesAreRefused(t *testing.T) {
	key, second := signingtest.Key(t), signingtest.Key(t)
	m, data := newTestMaster(t), t.TempDir()
	m.start()
	options := func(cfg *config.Agent, deps *Deps) {
		bare(cfg, deps)
		wanting(key, second)(cfg, deps)
		cfg.Data, cfg.Labels = data, map[string]string{"role": "db"}
	}
	runner := picky()
	stop := start(t, newTestAgent(t, m, runner, options))
	one, two, three := code("disk", "one"), code("disk", "two"), code("disk", "three")
	refused := func(code wire.Code, want string, signatures ...wire.Signature) {
		t.Helper()
		m.note(func() { clear(m.latest) })
		m.pushSigned(code, signatures...)
		if r := m.awaitLatest(code, wire.ReceiptRefused); !strings.Contains(r.Reason, want) {
			t.Errorf("the reason is %q, and says nothing of %q", r.Reason, want)
		}
	}
	runs := func(code wire.Code, signatures ...wire.Signature) {
		t.Helper()
		m.note(func() { clear(m.latest) })
		m.pushSigned(code, signatures...)
		m.awaitLatest(code, wire.ReceiptHealthy)
	}
	old := stated(key, one, 100)
	runs(one, old)
	runs(two, stated(key, two, 200))
	refused(one, "has number 100, and this host has run number 200", old)
	refused(one, "`vedette inspector sign disk` signs it again", old)
	refused(one, "has no number, and this host has run number 200", signature(key, one))
	edited := old
	edited.Number = 300
	refused(one, "is not of this code", edited)
	edited = stated(key, one, 300, func(s *signing.Statement) { s.Selector = "role=web" })
	edited.Selector = ""
	refused(one, "is not of this code", edited)
	edited = stated(key, one, 300, func(s *signing.Statement) { s.Use = signing.UseTry })
	refused(one, "is for a trial alone", edited)
	edited.Use = signing.UseRun
	refused(one, "is not of this code", edited)
	refused(one, "is for hosts with role=web, and the labels of this host's own configuration are role=db",
		stated(key, one, 300, func(s *signing.Statement) { s.Selector = "role=web" }))
	hour := time.Hour.Milliseconds()
	now := time.Now().UnixMilli()
	refused(one, "was good until", stated(key, one, 300, func(s *signing.Statement) { s.UntilMS = now - hour }))
	refused(one, "is good from", stated(key, one, 300, func(s *signing.Statement) { s.FromMS = now + hour }))
	swapped := stated(key, code("other", "one"), 300)
	refused(one, "is not of this code", swapped)
	// The refused report has not made anything older.
	runs(two, stated(key, two, 200))

	// Another number of another inspector, and of another key, is another matter.
	m.pushSigned(code("other", "one"), stated(key, code("other", "one"), 5))
	m.awaitLatest(code("other", "one"), wire.ReceiptHealthy)
	runs(two, stated(key, two, 200))

	// Two revisions of one number take turns, and a restart forgets nothing.
	runs(one, stated(key, one, 200), old)
	runs(two, stated(key, two, 200))
	bounded := func(s *signing.Statement) { s.Selector, s.FromMS, s.UntilMS = "role in (db)", now-hour, now+hour }
	runs(three, stated(key, three, 400, bounded))
	stop()
	m.note(func() { clear(m.latest); m.peer = nil })
	stop = start(t, newTestAgent(t, m, picky(), options))
	m.awaitLatest(three, wire.ReceiptHealthy)
	refused(two, "has number 200, and this host has run number 400", stated(key, two, 200))
	runs(two, stated(second, two, 1))
	stop()
	m.stop()
}

// A draft that was signed to be tried is not kept, and neither old nor foreign drafts
// are tried.
func TestTrialsAreNotReplayed(t *testing.T) {
	key := signingtest.Key(t)
	m, _ := taker(t, picky(), wanting(key))
	master := m.connected()
	disk := code("disk", "two")
	m.pushSigned(disk, stated(key, disk, 200))
	m.awaitLatest(disk, wire.ReceiptHealthy)
	trial := func(id string, number int64, set func(*signing.Statement)) error {
		p := draft(id)
		p.Code.Name = "disk"
		p.Signatures = []wire.Signature{stated(key, p.Code, number, func(s *signing.Statement) { s.Use = signing.UseTry }, set)}
		return master.Call(patience.Context(t), wire.AgentTry.Name, p, nil)
	}
	for _, tt := range []struct {
		want   string
		number int64
		set    func(*signing.Statement)
	}{
		{"has number 100, and this host has run number 200", 100, func(*signing.Statement) {}},
		{"was good until", 300, func(s *signing.Statement) { s.UntilMS = 1 }},
		{"is for hosts with role=web", 300, func(s *signing.Statement) { s.Selector = "role=web" }},
	} {
		var refusal *rpc.Error
		err := trial("bad", tt.number, tt.set)
		if !errors.As(err, &refusal) || refusal.Code != wire.CodeForbidden || !strings.Contains(refusal.Message, tt.want) {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
	if err := trial("good", 300, func(*signing.Statement) {}); err != nil {
		t.Error(err)
	}
	// A trial makes nothing older: it may have been one that is never pushed.
	next := code("disk", "three")
	m.pushSigned(next, stated(key, next, 250))
	m.awaitLatest(next, wire.ReceiptHealthy)
}

// Where a host wants two signatures, one key is one signer, however often it signs.
func TestTwoSignaturesWhereTwoAreNeeded(t *testing.T) {
	key, second, stranger := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	m, _ := taker(t, picky(), func(cfg *config.Agent, deps *Deps) {
		wanting(key, second)(cfg, deps)
		cfg.Policy.SignersNeeded = 2
	})
	disk := code("disk", "one")
	first := stated(key, disk, 1)
	for _, signatures := range [][]wire.Signature{
		{first},
		{first, stated(key, disk, 2)},
		{first, stated(stranger, disk, 1)},
		{first, stated(second, disk, 1, func(s *signing.Statement) { s.Selector = "a=b" })},
	} {
		m.note(func() { clear(m.latest) })
		m.pushSigned(disk, signatures...)
		if r := m.awaitLatest(disk, wire.ReceiptRefused); !strings.Contains(r.Reason, "wants signatures by 2 of ") {
			t.Errorf("the reason is %q", r.Reason)
		}
	}
	m.pushSigned(disk, first, stated(second, disk, 7))
	m.awaitLatest(disk, wire.ReceiptHealthy)
}

// TestNumbersOnlyGrow pushes numbers by lot, with restarts between: the host runs what
// is not older than the newest that it has run, and refuses the rest.
func TestNumbersOnlyGrow(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	key := signingtest.Key(t)
	m, data := newTestMaster(t), t.TempDir()
	m.start()
	options := func(cfg *config.Agent, deps *Deps) {
		bare(cfg, deps)
		wanting(key)(cfg, deps)
		cfg.Data = data
	}
	stop := start(t, newTestAgent(t, m, picky(), options))
	newest := int64(0)
	for i := range 25 {
		if r.IntN(6) == 0 {
			stop()
			m.note(func() { m.peer = nil })
			stop = start(t, newTestAgent(t, m, picky(), options))
		}
		c := code("disk", strings.Repeat("x", i+1))
		number := 1 + r.Int64N(40)
		want := wire.ReceiptHealthy
		if number < newest {
			want = wire.ReceiptRefused
		}
		m.note(func() { clear(m.latest) })
		m.pushSigned(c, stated(key, c, number))
		m.awaitLatest(c, want)
		newest = max(newest, number)
	}
	stop()
	m.stop()
}
