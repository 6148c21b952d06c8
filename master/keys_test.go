package master

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// TestMasterTakesStatementsInTurn gives a master what the holders of some lines say, by lot
// and again and again, with restarts between: it has what can follow, and refuses the rest.
func TestMasterTakesStatementsInTurn(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var all []signing.Succession
	var firsts []string
	for range 3 {
		l, key := &signing.Line{}, signingtest.Key(t)
		firsts = append(firsts, key.Public().ID())
		for range 3 {
			next := signingtest.Key(t)
			s, err := key.Follow(l, next, time.Time{}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			all, key = append(all, s), next
		}
	}
	data := t.TempDir()
	m, stop := startAgain(t, config.Master{Data: data})
	operator := dial(t, m, nil, rpc.DialOptions{})
	add := func(s signing.Succession) error {
		_, err := wire.KeysAdd.Call(t.Context(), operator, wire.KeyAddParams{Statement: wire.SaidOf(s)})
		return err
	}
	had := make(map[int]int) // statements, by line
	for i := range 60 {
		if i%20 == 19 {
			stop()
			m, stop = startAgain(t, config.Master{Data: data})
			operator = dial(t, m, nil, rpc.DialOptions{})
		}
		n := r.IntN(len(all))
		line, number := n/3, int(all[n].Number)
		switch err := add(all[n]); {
		case number <= had[line]+1 && err != nil:
			t.Fatalf("statement %d of a line that has %d: %v", number, had[line], err)
		case number > had[line]+1 && err == nil:
			t.Fatalf("statement %d of a line that has %d is taken", number, had[line])
		case err == nil:
			had[line] = max(had[line], number)
		}
	}
	for _, s := range all {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	got := call[wire.KeyLines](t, operator, wire.KeysList.Name, wire.Empty{})
	if len(got.Lines) != 3 {
		t.Fatalf("the master has %d lines", len(got.Lines))
	}
	for _, l := range got.Lines {
		line, err := l.Read()
		if err != nil || len(line.Statements()) != 3 || !strings.Contains(strings.Join(firsts, " "), line.IDs()[0]) {
			t.Errorf("it has the line %+v: %v", l, err)
		}
	}
	stop()
}

// What does not follow is refused with the reason, and by those who may not.
func TestMasterRefusesStatements(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	first, second, stranger := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	l := &signing.Line{}
	good, err := first.Follow(l, second, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it changes nothing
		call[wire.KeyLine](t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(good)})
	}
	fork, _ := first.Follow(&signing.Line{}, stranger, time.Time{}, time.Time{})
	into, _ := stranger.Follow(&signing.Line{}, second, time.Time{}, time.Time{})
	forged := good
	forged.UntilMS = 77
	for _, tt := range []struct {
		code int
		want string
		s    signing.Succession
	}{
		{wire.CodeConflict, "is known, and says something else", fork},
		{wire.CodeConflict, "is in another line, that of " + first.Public().ID(), into},
		{rpc.CodeInvalidParams, "is not of this statement", forged},
		{rpc.CodeInvalidParams, "is no public key", signing.Succession{}},
	} {
		if e := refused(t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(tt.s)}); e.Code != tt.code || !strings.Contains(e.Message, tt.want) {
			t.Errorf("it answers %v, want %q", e, tt.want)
		}
	}
	audit := call[wire.AuditResult](t, operator, wire.AuditList.Name, wire.AuditParams{Action: wire.KeysAdd.Name})
	if n := len(audit.Entries); n != 6 || audit.Entries[n-2].Detail != "" || audit.Entries[n-1].Detail != second.Public().ID()+" follows "+first.Public().ID() {
		t.Errorf("the audit log has %+v", audit.Entries)
	}
}

// A push foretells which signatures are missing where a host wants two.
func TestMissingSecondSignatureIsForetold(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	first, second, other := signingtest.Key(t), signingtest.Key(t), signingtest.Key(t)
	s, err := first.Follow(&signing.Line{}, second, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	call[wire.KeyLine](t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(s)})
	ids := []string{first.Public().ID(), second.Public().ID(), other.Public().ID()}
	db := newFakeAgent("db-1", nil)
	db.signers, db.needed = ids, 2
	db.connect(t, m)
	code := signable(1)
	for _, tt := range []struct {
		by   []signing.PrivateKey
		want string
	}{
		{nil, "the host wants code that is signed by 2 of " + strings.Join(ids, ", ")},
		{[]signing.PrivateKey{other}, "and only " + other.Public().ID() + " has signed it: `vedette inspector sign disk` adds a signature"},
		{[]signing.PrivateKey{first, second}, "and only " + ids[0] + " has signed it"}, // of one line
		{[]signing.PrivateKey{second, other}, ""},
	} {
		var signatures []wire.Signature
		for _, k := range tt.by {
			signatures = append(signatures, wire.Sign(k, wire.RevisionOf(code), signing.Statement{Use: signing.UseRun, Number: 1}))
		}
		got := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Signatures: signatures})
		switch {
		case tt.want == "" && len(got.Refusals) > 0:
			t.Errorf("signed by two it says %v", got.Refusals)
		case tt.want != "" && (len(got.Refusals) != 1 || !strings.Contains(got.Refusals[0].Reason, tt.want)):
			t.Errorf("it says %v, want %q", got.Refusals, tt.want)
		}
	}
}

// A secret for a key is foretold to be for the key that has followed it, and not the other
// way round.
func TestSecretsOfFollowedKeysAreForetold(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	first, second := signingtest.Key(t), signingtest.Key(t)
	s, err := first.Follow(&signing.Line{}, second, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	call[wire.KeyLine](t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(s)})
	for i, of := range []signing.PrivateKey{first, second} {
		db := newFakeAgent(fmt.Sprint("db-", i), nil)
		db.policy = &wire.Policy{Secrets: map[string]wire.SecretRule{"pg": {Signers: []string{of.Public().ID()}}}}
		db.connect(t, m)
	}
	code := signable(1)
	code.Source = "//vedette:needs secret:pg\n" + code.Source
	for _, tt := range []struct {
		by      signing.PrivateKey
		refuses string
	}{{first, "db-1"}, {second, ""}} {
		signatures := []wire.Signature{wire.Sign(tt.by, wire.RevisionOf(code), signing.Statement{Use: signing.UseRun, Number: 1})}
		got := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Signatures: signatures})
		var refuse []string
		for _, r := range got.Refusals {
			refuse = append(refuse, r.Host)
		}
		if strings.Join(refuse, " ") != tt.refuses || len(got.Selected) != 2 {
			t.Errorf("it foretells %+v, want a refusal by %q", got, tt.refuses)
		}
	}
}
