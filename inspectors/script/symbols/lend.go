package symbols

import (
	"errors"
	"fmt"
	"slices"
)

// errEnded is what a script gets from a state of package fmt that it has held on
// to: fmt uses it again for whatever is printed or scanned next.
var errEnded = errors.New("cannot use this state: Format or Scan, to which it was given, has returned")

// lentState is a fmt.State until its end.
type lentState struct{ state fmt.State }

func lendState(s fmt.State) (lent fmt.State, end func()) {
	l := &lentState{s}
	return l, func() { l.state = nil }
}

// Write adds to what is printed.
func (l *lentState) Write(p []byte) (int, error) {
	if l.state == nil {
		return 0, errEnded
	}
	return l.state.Write(p)
}

// Width returns the width that the verb asks for.
func (l *lentState) Width() (int, bool) {
	if l.state == nil {
		return 0, false
	}
	return l.state.Width()
}

// Precision returns the precision that the verb asks for.
func (l *lentState) Precision() (int, bool) {
	if l.state == nil {
		return 0, false
	}
	return l.state.Precision()
}

// Flag reports whether the verb has a flag.
func (l *lentState) Flag(c int) bool { return l.state != nil && l.state.Flag(c) }

// lentScanState is a fmt.ScanState until its end.
type lentScanState struct{ state fmt.ScanState }

func lendScanState(s fmt.ScanState) (lent fmt.ScanState, end func()) {
	l := &lentScanState{s}
	return l, func() { l.state = nil }
}

// ReadRune reads the next rune.
func (l *lentScanState) ReadRune() (rune, int, error) {
	if l.state == nil {
		return 0, 0, errEnded
	}
	return l.state.ReadRune()
}

// UnreadRune has the next ReadRune return the same rune again.
func (l *lentScanState) UnreadRune() error {
	if l.state == nil {
		return errEnded
	}
	return l.state.UnreadRune()
}

// SkipSpace skips what is space in the input.
func (l *lentScanState) SkipSpace() {
	if l.state != nil {
		l.state.SkipSpace()
	}
}

// Token returns what comes next, in a slice of the caller's own.
func (l *lentScanState) Token(skipSpace bool, f func(rune) bool) ([]byte, error) {
	if l.state == nil {
		return nil, errEnded
	}
	token, err := l.state.Token(skipSpace, f)
	return slices.Clone(token), err
}

// Width returns the width that the verb asks for.
func (l *lentScanState) Width() (int, bool) {
	if l.state == nil {
		return 0, false
	}
	return l.state.Width()
}

// Read fails, as that of fmt does.
func (l *lentScanState) Read(p []byte) (int, error) {
	if l.state == nil {
		return 0, errEnded
	}
	return l.state.Read(p)
}

// LendState makes of the state of a print one that is of use until end is called:
// package fmt uses the state again for others.
func LendState(s fmt.State) (lent fmt.State, end func()) { return lendState(s) }
