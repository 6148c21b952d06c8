package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// signature is what the key's holder sends along with code.
func signature(key signing.PrivateKey, code wire.Code) wire.Signature {
	return wire.Signature{Key: key.Public().ID(), Signature: key.Sign(wire.RevisionOf(code))}
}

// wanting has an agent take only code that one of the keys has signed.
func wanting(keys ...signing.PrivateKey) func(*config.Agent, *Deps) {
	return func(cfg *config.Agent, _ *Deps) {
		for _, key := range keys {
			cfg.Policy.Signers = append(cfg.Policy.Signers, key.Public().String())
		}
	}
}

// pushSigned has the agent run one inspector that comes with these signatures.
func (m *testMaster) pushSigned(code wire.Code, signatures ...wire.Signature) {
	m.t.Helper()
	m.mustAssign(wire.Assigned{Revision: wire.RevisionOf(code), Code: code, Signatures: signatures})
}

func TestOnlySignedCodeRuns(t *testing.T) {
	key, second, stranger := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	runner := picky()
	m, _ := taker(t, runner, wanting(key, second))
	refused := func(code wire.Code, want string, signatures ...wire.Signature) {
		t.Helper()
		m.pushSigned(code, signatures...)
		r := m.awaitLatest(code, wire.ReceiptRefused)
		if !strings.Contains(r.Reason, "agent.policy.signers") || !strings.Contains(r.Reason, want) {
			t.Errorf("the reason is %q, and says nothing of %q", r.Reason, want)
		}
		if source := lastLoad(runner, code.Name); source != "" {
			t.Errorf("%s is loaded", source)
		}
	}
	refused(code("unsigned", "one"), "the code is not signed")
	m.mu.Lock()
	told := m.hellos[0].Signers
	m.mu.Unlock()
	ids := []string{key.Public().ID(), second.Public().ID()}
	if slices.Sort(ids); !slices.Equal(told, ids) {
		t.Errorf("the hello names the signers %v, want %v", told, ids)
	}
	refused(code("strange", "one"), "is signed by \""+stranger.Public().ID(), signature(stranger, code("strange", "one")))
	refused(code("replayed", "one"), "whose signature is not of this code", signature(key, code("replayed", "two")))
	refused(code("renamed", "one"), "whose signature is not of this code", signature(key, code("other", "one")))
	faster := code("faster", "one")
	faster.IntervalMS = 200
	refused(code("faster", "one"), "whose signature is not of this code", signature(key, faster))
	pretended := signature(stranger, code("pretended", "one"))
	pretended.Key = key.Public().ID()
	refused(code("pretended", "one"), "whose signature is not of this code", pretended)
	refused(code("empty", "one"), "whose signature is not of this code", wire.Signature{Key: key.Public().ID()})

	// One good signature is enough, by any of the keys.
	disk := code("disk", "one")
	m.pushSigned(disk, signature(stranger, disk), signature(second, disk))
	m.awaitLatest(disk, wire.ReceiptHealthy)
	// Unsigned code leaves the old code in place.
	next := code("disk", "two")
	m.pushSigned(next)
	if r := m.awaitLatest(next, wire.ReceiptRefused); r.Running != wire.RevisionOf(disk) {
		t.Errorf("in its place goes on %q", r.Running)
	}
	// The signature may come later.
	m.pushSigned(next, signature(key, next))
	m.awaitLatest(next, wire.ReceiptHealthy)
}

// The id that a master gives to code is not what is verified.
func TestRevisionIsThatOfTheCode(t *testing.T) {
	key := signingtest.Key(t)
	m, _ := taker(t, picky(), wanting(key))
	good, bad := code("disk", "one"), code("disk", "two")
	m.mustAssign(wire.Assigned{Revision: wire.RevisionOf(good), Code: bad, Signatures: []wire.Signature{signature(key, good)}})
	m.awaitLatest(good, wire.ReceiptRefused)
}

func TestUnsignedPluginIsNotFetched(t *testing.T) {
	key := signingtest.Key(t)
	programs := &testPrograms{fetched: make(chan wire.Artefact, 100), answers: make(chan error, 1)}
	m, _ := taker(t, picky(), func(cfg *config.Agent, deps *Deps) {
		wanting(key)(cfg, deps)
		deps.Programs = programs
	})
	gpu := wire.Code{Name: "gpu", Plugin: here(strings.Repeat("a", 64)), IntervalMS: 100}
	m.pushSigned(gpu)
	m.awaitLatest(gpu, wire.ReceiptRefused)
	if len(programs.fetched) > 0 {
		t.Error("its program is fetched")
	}
	programs.answers <- nil
	m.pushSigned(gpu, signature(key, gpu))
	m.awaitLatest(gpu, wire.ReceiptHealthy)
}

func TestKeptCodeNeedsItsSignatureToo(t *testing.T) {
	key := signingtest.Key(t)
	m, data := newTestMaster(t), t.TempDir()
	m.start()
	with := func(signed bool) func(*config.Agent, *Deps) {
		return func(cfg *config.Agent, deps *Deps) {
			bare(cfg, deps)
			cfg.Data = data
			if signed {
				wanting(key)(cfg, deps)
			}
		}
	}
	stop := start(t, newTestAgent(t, m, picky(), with(false)))
	unsigned, signed := code("unsigned", "one"), code("signed", "one")
	m.mustAssign(
		wire.Assigned{Revision: wire.RevisionOf(signed), Code: signed, Signatures: []wire.Signature{signature(key, signed)}},
		wire.Assigned{Revision: wire.RevisionOf(unsigned), Code: unsigned},
	)
	m.awaitLatest(unsigned, wire.ReceiptHealthy)
	m.awaitLatest(signed, wire.ReceiptHealthy)
	stop()
	m.note(func() { clear(m.latest); m.peer = nil })

	runner := picky()
	stop = start(t, newTestAgent(t, m, runner, with(true)))
	m.awaitLatest(unsigned, wire.ReceiptRefused)
	m.awaitLatest(signed, wire.ReceiptHealthy)
	if lastLoad(runner, "unsigned") != "" {
		t.Error("what was kept without a signature is loaded")
	}
	stop()
	m.stop()
}

func TestTrialsAreOfSignedCode(t *testing.T) {
	key, stranger := signingtest.Key(t), signingtest.Key(t)
	runner := picky()
	m, _ := taker(t, runner, wanting(key))
	master := m.connected()
	try := func(p wire.AgentTryParams) error {
		return master.Call(patience.Context(t), wire.AgentTry.Name, p, nil)
	}
	unsigned, strange, faster := draft("unsigned"), draft("strange"), draft("faster")
	strange.Signatures = []wire.Signature{signature(stranger, strange.Code)}
	faster.Signatures = []wire.Signature{signature(key, faster.Code)}
	faster.Code.IntervalMS++
	for _, p := range []wire.AgentTryParams{unsigned, strange, faster} {
		var refusal *rpc.Error
		if err := try(p); !errors.As(err, &refusal) || refusal.Code != wire.CodeForbidden || !strings.Contains(refusal.Message, "agent.policy.signers") {
			t.Errorf("%s: %v", p.Trial, err)
		}
	}
	good := draft("good")
	good.Signatures = []wire.Signature{signature(key, good.Code)}
	mustTry(t, master, good)
	m.await("a run", func() bool {
		return slices.ContainsFunc(m.trials, func(r wire.TrialReport) bool { return r.Trial == "good" && r.Run != nil })
	})
}

func TestSignersRefuseWhatIsNotUTF8(t *testing.T) {
	key := signingtest.Key(t)
	keys, err := assignment.ParseSigners([]string{key.Public().String()})
	if err != nil {
		t.Fatal(err)
	}
	odd := code("disk", "one \xff")
	if _, err := keys.Check(&odd, []wire.Signature{signature(key, odd)}); !errors.Is(err, inspectors.ErrPolicy) || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("got %v", err)
	}
	if _, err := assignment.ParseSigners([]string{"me"}); err == nil || !strings.Contains(err.Error(), `agent.policy.signers: "me" is not a public key`) {
		t.Errorf("got %v", err)
	}
}

// The master is not told again what was refused before the signature came.
func TestSignatureMakesAReceiptUndecided(t *testing.T) {
	receipts := assignment.NewReceipts()
	disk := code("disk", "one")
	item := wire.Assigned{Revision: wire.RevisionOf(disk), Code: disk}
	state := func() string { return receipts.Take().Receipts[0].State }
	assign := func(item wire.Assigned) {
		a := assignmentOf(item)
		receipts.Assign(&a)
	}
	assign(item)
	receipts.Barred("disk", item.Revision, wire.ReceiptRefused, "not signed", "")
	assign(item)
	if got := state(); got != wire.ReceiptRefused {
		t.Errorf("the same assignment makes it %s", got)
	}
	item.Signatures = []wire.Signature{signature(signingtest.Key(t), disk)}
	assign(item)
	if got := state(); got != wire.ReceiptReceived {
		t.Errorf("with a signature it is %s", got)
	}
}
