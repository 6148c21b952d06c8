package signing

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Whatever two statements say, a signature of one is none of another, nor of the old
// form, nor of other code.
func TestStatementsAreApart(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	const revision = "9f055694"
	random := func() Statement {
		return Statement{
			Use: []string{UseRun, UseTry}[r.IntN(2)], Number: 1 + r.Int64N(30), FromMS: r.Int64N(3), UntilMS: 3 + r.Int64N(20),
			Selector: []string{"", "role=db", "1", "1\\n1", "role in (a,b)"}[r.IntN(5)],
		}
	}
	for range 500 {
		a, b := random(), random()
		signature := key.SignCode(revision, a)
		if !key.Public().VerifyCode(revision, a, signature) {
			t.Fatalf("the signature of %+v is not good", a)
		}
		if a != b && key.Public().VerifyCode(revision, b, signature) {
			t.Fatalf("a signature of %+v is good for %+v", a, b)
		}
		public := key.Public()
		if public.VerifyCode(revision+"0", a, signature) || public.VerifyCode(revision, Statement{}, signature) || public.Verify(revision, signature) {
			t.Fatalf("the signature of %+v is good for something else", a)
		}
	}
	if key.Public().VerifyCode(revision, random(), key.Sign(revision)) {
		t.Error("an old signature is good for a statement")
	}
}

func TestStatementsAreChecked(t *testing.T) {
	good := Statement{Use: UseRun, Number: 1}
	for want, change := range map[string]func(*Statement){
		"neither run nor try":    func(s *Statement) { s.Use = "keep" },
		"is not above 0":         func(s *Statement) { s.Number = 0 },
		"ends before it begins":  func(s *Statement) { s.FromMS, s.UntilMS = 2, 2 },
		"new line":               func(s *Statement) { s.Selector = "a=b\n1" },
		"is too long":            func(s *Statement) { s.Selector = strings.Repeat("a", 1001) },
		"it ends before it begi": func(s *Statement) { s.FromMS = -1 },
	} {
		s := good
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	if good.Check() != nil || (Statement{}).Check() != nil {
		t.Error("a good one is refused")
	}
}
