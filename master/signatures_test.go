package master

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func signature(key signing.PrivateKey, code wire.Code) wire.Signature {
	return wire.Signature{Key: key.Public().ID(), Signature: key.Sign(wire.RevisionOf(code))}
}

// signable is a script as the master stores it, so that its revision is known.
func signable(value int) wire.Code {
	code := script("disk", value)
	code.File = "disk.go"
	return code
}

// wantsSigned refuses code that the key has not signed, like an agent.
func wantsSigned(key signing.PrivateKey) func(wire.Assigned) wire.Receipt {
	return func(a wire.Assigned) wire.Receipt {
		for _, s := range a.Signatures {
			if s.Key == key.Public().ID() && key.Public().Verify(wire.RevisionOf(a.Code), s.Signature) {
				return wire.Receipt{State: wire.ReceiptHealthy}
			}
		}
		return wire.Receipt{State: wire.ReceiptRefused, Reason: "the code is not signed"}
	}
}

func TestSignaturesReachHosts(t *testing.T) {
	key, second := signingtest.Key(t), signingtest.Key(t)
	data := t.TempDir()
	m, stop := startAgain(t, config.Master{Data: data})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	db := newFakeAgent("db-1", nil)
	db.become = wantsSigned(key)
	db.connect(t, m)

	// Refused without, the same goes on with a signature, which is no new revision.
	code := signable(1)
	result := push(t, operator, wire.PushParams{Code: code})
	rollouts("done", inState(wire.RolloutDone))
	signed := push(t, operator, wire.PushParams{Code: code, Signatures: []wire.Signature{signature(key, code)}})
	if !signed.Signed || signed.Rollout != "" || signed.Revision != wire.RevisionOf(code) || signed.Version != result.Version {
		t.Errorf("the push gave %+v", signed)
	}
	db.waitSigned(t, []wire.Signature{signature(key, code)})

	// A push without a signature takes none away; one that moves hosts adds one too.
	next := signable(2)
	push(t, operator, wire.PushParams{Code: next, Signatures: []wire.Signature{signature(key, next)}})
	rollouts("done", inState(wire.RolloutDone))
	db.waitSigned(t, []wire.Signature{signature(key, next)})
	if again := push(t, operator, wire.PushParams{Code: next}); again.Signed || again.Rollout != "" {
		t.Errorf("the push gave %+v", again)
	}
	if more := push(t, operator, wire.PushParams{Code: code, Signatures: []wire.Signature{signature(second, code)}}); more.Signed || more.Rollout == "" {
		t.Errorf("the push gave %+v", more)
	}
	rollouts("done", inState(wire.RolloutDone))
	want := []wire.Signature{signature(key, code), signature(second, code)}
	slices.SortFunc(want, func(a, b wire.Signature) int { return strings.Compare(a.Key, b.Key) })
	signers := []string{want[0].Key, want[1].Key}
	db.waitSigned(t, want)

	// A rollback hands on what is stored.
	push(t, operator, wire.PushParams{Code: next})
	db.waitSigned(t, []wire.Signature{signature(key, next)})
	back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
	db.waitSigned(t, want)
	rollouts("done", func(r wire.Rollout) bool { return r.ID == back.Rollout && r.State == wire.RolloutDone })
	db.leave()
	stop()

	// And so does a master that is given the state of this one.
	for _, folder := range []string{data, moved(t, data)} {
		m, stop := startAgain(t, config.Master{Data: folder})
		operator := dial(t, m, nil, rpc.DialOptions{})
		revision := call[wire.Revision](t, operator, wire.CatalogRevision.Name, wire.RevisionParams{Name: "disk"})
		if revision.ID != wire.RevisionOf(code) || !slices.Equal(revision.Signatures, want) {
			t.Errorf("the revision is %+v", revision)
		}
		entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
		if got := entry.History[0]; !slices.Equal(got.Signers, signers) {
			t.Errorf("the history begins with %+v", got)
		}
		web := newFakeAgent("web-1", nil)
		web.connect(t, m)
		web.waitSigned(t, want)
		stop()
	}
}

// moved exports a state and imports it into a new folder.
func moved(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	var text bytes.Buffer
	old, err := state.Open(filepath.Join(from, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.Export(t.Context(), &text), old.Close()); err != nil {
		t.Fatal(err)
	}
	fresh, err := state.Open(filepath.Join(to, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fresh.Import(t.Context(), &text), fresh.Close()); err != nil {
		t.Fatal(err)
	}
	return to
}

// waitSigned returns when the agent has one inspector, with these signatures.
func (a *fakeAgent) waitSigned(t *testing.T, want []wire.Signature) {
	t.Helper()
	a.waitFor(t, func() string {
		if has := a.has.Inspectors; len(has) != 1 || !slices.Equal(has[0].Signatures, want) {
			return fmt.Sprintf("it has %+v, want the signatures %+v", has, want)
		}
		return ""
	})
}

// Hosts that begin to want signatures get them without a new revision, and what
// they have refused is undecided until they have told again.
func TestSignatureOfWhatIsCurrent(t *testing.T) {
	key := signingtest.Key(t)
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	receipts := watch[wire.HostReceipt](t, m, "receipts/*/disk")
	db := newFakeAgent("db-1", nil)
	db.connect(t, m)
	code := signable(1)
	push(t, operator, wire.PushParams{Code: code})
	rollouts("done", inState(wire.RolloutDone))
	db.leave()
	db.become = wantsSigned(key)
	db.connect(t, m)
	state := func(state string) func(wire.HostReceipt) bool {
		return func(r wire.HostReceipt) bool { return r.State == state }
	}
	receipts("refused", state(wire.ReceiptRefused))
	if result := push(t, operator, wire.PushParams{Code: code, Signatures: []wire.Signature{signature(key, code)}}); !result.Signed || result.Rollout != "" {
		t.Errorf("the push gave %+v", result)
	}
	receipts("pending", state(wire.ReceiptPending))
	receipts("healthy", state(wire.ReceiptHealthy))
	audit := call[wire.AuditResult](t, operator, wire.AuditList.Name, wire.AuditParams{Subject: "disk"})
	if want := "signed by " + key.Public().ID(); !strings.Contains(audit.Entries[0].Detail, want) {
		t.Errorf("the audit log says %q", audit.Entries[0].Detail)
	}
}

func TestBadSignaturesAreRefused(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	code := signable(1)
	good := signature(signingtest.Key(t), code)
	for want, signatures := range map[string][]wire.Signature{
		"the key \"me\" is not 16 lower-case hex digits":  {{Key: "me", Signature: good.Signature}},
		"the signature is not 64 bytes in base64":         {{Key: good.Key, Signature: "AAAA"}},
		"there are two of the key " + good.Key:            {good, good},
		"17 signatures are given; at most 16 are allowed": slices.Repeat([]wire.Signature{good}, 17),
	} {
		for method, params := range map[string]any{
			wire.CatalogPush.Name: wire.PushParams{Code: code, Signatures: signatures},
			wire.TrialsStart.Name: wire.TrialStartParams{Code: code, Hosts: []string{"a"}, Signatures: signatures},
		} {
			if e := refused(t, operator, method, params); e.Code != rpc.CodeInvalidParams || !strings.Contains(e.Message, want) {
				t.Errorf("%s: %v, want %s", method, e, want)
			}
		}
	}
}
