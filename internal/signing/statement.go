package signing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// statementContext begins the signed message about code with a Statement.
const statementContext = "vedette.v2 code\n"

// The purposes for which code may be signed.
const (
	// UseRun is to be run until something else is assigned; it may be tried too.
	UseRun = "run"
	// UseTry is to be tried only, and not kept.
	UseTry = "try"
)

// Statement is what a signature says about code apart from vouching for it. It is
// signed with the code. The zero value is that of the old form, which says
// nothing.
type Statement struct {
	// Use is UseRun or UseTry.
	Use string
	// Number grows with each statement of a key about an inspector. A host that
	// has run code with one number refuses lower ones.
	Number int64
	// FromMS and UntilMS bound when a host may begin with the code, in
	// milliseconds since 1970 UTC; 0 sets no bound.
	FromMS, UntilMS int64
	// Selector selects hosts by the labels in their configuration; empty
	// selects every host.
	Selector string
}

// Old reports whether it is of the old form.
func (s Statement) Old() bool { return s == Statement{} }

// Check returns the fault of a statement.
func (s Statement) Check() error {
	switch {
	case s.Old():
		return nil
	case s.Use != UseRun && s.Use != UseTry:
		return fmt.Errorf("the use %.20q is neither run nor try", s.Use)
	case s.Number <= 0:
		return fmt.Errorf("the number %d is not above 0", s.Number)
	case s.FromMS < 0 || s.UntilMS < 0 || s.UntilMS > 0 && s.UntilMS <= s.FromMS:
		return errors.New("it ends before it begins")
	case len(s.Selector) > maxSelector || strings.ContainsAny(s.Selector, "\r\n\x00"):
		return errors.New("the selector is too long, or has a new line")
	}
	return nil
}

// maxSelector is the longest selector of a statement.
const maxSelector = 1000

// message is the signed message. No two statements have the same one, because only
// the last part is free text.
func (s Statement) message(revision string) []byte {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []byte(statementContext + strings.Join([]string{revision, s.Use, number(s.Number), number(s.FromMS), number(s.UntilMS), s.Selector}, "\n"))
}

// SignCode returns the signature of a revision with a statement, in base64.
func (k PrivateKey) SignCode(revision string, s Statement) string {
	if s.Old() {
		return k.Sign(revision)
	}
	return k.signs(s.message(revision))
}

// VerifyCode reports whether the signature is by the key, and for the revision
// with the statement.
func (k PublicKey) VerifyCode(revision string, s Statement, signature string) bool {
	if s.Old() {
		return k.Verify(revision, signature)
	}
	return s.Check() == nil && k.verifies(s.message(revision), signature)
}
