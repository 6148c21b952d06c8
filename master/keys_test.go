package master

import (
	"context"
	"fmt"
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

// A user who may add statements can make keys without end, and still leaves room for the
// lines of keys that hosts name. A host is told its own lines first.
func TestLinesCannotBeUsedUp(t *testing.T) {
	data := t.TempDir()
	m, stop := startAgain(t, config.Master{Data: data})
	operator := dial(t, m, nil, rpc.DialOptions{})
	add := func(l *signing.Line, by, next signing.PrivateKey) error {
		s, err := by.Follow(l, next, time.Time{}, time.Time{})
		if err == nil {
			_, err = wire.KeysAdd.Call(t.Context(), operator, wire.KeyAddParams{Statement: wire.SaidOf(s)})
		}
		return err
	}
	begun, took := &signing.Line{}, 0
	var last signing.PrivateKey
	for range wire.MaxKeyLines + 5 {
		l, key, next := &signing.Line{}, signingtest.Key(t), signingtest.Key(t)
		if err := add(l, key, next); err != nil {
			if want := "no host names the key " + key.Public().ID(); !strings.Contains(err.Error(), want) {
				t.Fatalf("it says %v, want %q", err, want)
			}
			continue
		}
		begun, last, took = l, next, took+1
	}
	if took != wire.MaxKeyLines {
		t.Errorf("the master took %d lines of keys that nobody names", took)
	}
	if err := add(begun, last, signingtest.Key(t)); err != nil {
		t.Errorf("a line that is there does not go on: %v", err)
	}
	stop()
	m, stop = startAgain(t, config.Master{Data: data})
	defer stop()
	operator = dial(t, m, nil, rpc.DialOptions{})
	for i := range 5 {
		first, told := signingtest.Key(t), make(chan wire.KeyLines, 9)
		db := newFakeAgent(fmt.Sprint("db-", i), nil)
		db.follow = func(_ context.Context, lines wire.KeyLines) (wire.KeysResult, error) {
			told <- lines
			return wire.KeysResult{Signers: db.signers}, nil
		}
		if id := first.Public().ID(); i%2 == 0 {
			db.signers = []string{id}
		} else {
			db.policy = &wire.Policy{Secrets: map[string]wire.SecretRule{"pg": {Signers: []string{id}}}}
		}
		db.connect(t, m)
		patience.Until(t, "the host to be told of keys", func() bool { return len(told) > 0 })
		for len(told) > 0 {
			<-told
		}
		if err := add(&signing.Line{}, first, signingtest.Key(t)); err != nil {
			t.Fatalf("the line of a key that host %s names: %v", db.host, err)
		}
		patience.Until(t, "the host to be told of its line", func() bool { return len(told) > 0 })
		if lines := (<-told).Lines; len(lines) != wire.MaxKeyLines || lines[0].Statements[0].By != first.Public().String() {
			t.Errorf("host %s is told %d lines, and its own is not the first", db.host, len(lines))
		}
		db.leave()
	}
}

// TestForecastKnowsNewKeys has keys follow one another, and be revoked, by lot, while the
// host that names one of them is away. It will be told before it gets code, so a push
// foretells what it will take then.
func TestForecastKnowsNewKeys(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	for round := range 6 {
		keys := []signing.PrivateKey{signingtest.Key(t)}
		for range 1 + r.IntN(4) {
			keys = append(keys, signingtest.Key(t))
		}
		pinned, revoked, over := r.IntN(len(keys)), make(map[int]bool), make(map[int]bool)
		id, host := keys[pinned].Public().ID(), fmt.Sprint("db-", round)
		db := newFakeAgent(host, nil)
		if round%2 == 0 {
			db.signers, db.needed = []string{id}, 1
		} else {
			db.policy = &wire.Policy{Secrets: map[string]wire.SecretRule{"pg": {Signers: []string{id}}}}
		}
		db.connect(t, m)
		db.leave()
		l := &signing.Line{}
		say := func(s signing.Succession, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			call[wire.KeyLine](t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(s)})
		}
		for i := range keys[1:] {
			until := time.Time{}
			if r.IntN(4) == 0 {
				until, over[i] = time.Now().Add(-time.Hour), true
			}
			say(keys[i].Follow(l, keys[i+1], time.Time{}, until))
			if r.IntN(3) == 0 {
				at := r.IntN(i + 1)
				say(keys[i+1].Revoke(l, keys[at].Public()))
				revoked[at] = true
			}
		}
		code := signable(round)
		code.Source = "//vedette:needs secret:pg\n" + code.Source
		if round%2 == 0 {
			code = signable(round)
		}
		for i, k := range keys {
			signatures := []wire.Signature{wire.Sign(k, wire.RevisionOf(code), signing.Statement{Use: signing.UseRun, Number: 1})}
			to := "host=" + host
			got := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Signatures: signatures, Selector: &to})
			if want := i >= pinned && !revoked[i] && !over[i]; len(got.Selected) != 1 || (len(got.Refusals) == 0) != want {
				t.Fatalf("of %d keys the host names %d; revoked are %v, over %v; of code by key %d it is foretold %+v", len(keys), pinned, revoked, over, i, got.Refusals)
			}
		}
	}
}

// A host that has been told, and makes something else of it, is believed.
func TestForecastBelievesTheHost(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	first, second := signingtest.Key(t), signingtest.Key(t)
	s, err := first.Follow(&signing.Line{}, second, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	call[wire.KeyLine](t, operator, wire.KeysAdd.Name, wire.KeyAddParams{Statement: wire.SaidOf(s)})
	db := newFakeAgent("db-1", nil) // it is too old to know of lines
	db.signers, db.needed = []string{first.Public().ID()}, 1
	db.connect(t, m)
	code := signable(1)
	signatures := []wire.Signature{wire.Sign(second, wire.RevisionOf(code), signing.Statement{Use: signing.UseRun, Number: 1})}
	for range 2 {
		patience.Until(t, "the host to be believed", func() bool {
			got := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Signatures: signatures})
			return len(got.Refusals) == 1 && strings.Contains(got.Refusals[0].Reason, "the host wants code that is signed by "+first.Public().ID())
		})
		db.leave() // and while it is away
	}
}
