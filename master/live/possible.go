package live

import "strings"

// A subscriber to a pattern that no path can match would wait in vain. The paths
// of events have few forms, so this can be detected: here is a small automaton of
// the forms, through which a pattern is run.

// step is a state of the automaton: the bytes that lead on, and the states they
// lead to.
type step struct {
	fits func(byte) bool
	next []int // possible next states
	last bool  // a path may end after it
}

// form is one kind of path, such as metrics/HOST/KEY.
type form struct {
	name  string
	steps []step // from the first
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// The bytes of names, by the rules of package inspectors.
func startsHost(c byte) bool { return isAlphanumeric(c) }
func isHost(c byte) bool     { return isAlphanumeric(c) || c == '-' || c == '_' || c == '.' }
func startsKey(c byte) bool  { return isAlphanumeric(c) || c == '_' }
func isKey(c byte) bool      { return isHost(c) || c == ':' }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isSlash(c byte) bool    { return c == '/' }

// forms are the forms of all paths that are announced.
func forms() []form {
	return []form{
		newForm("metrics/HOST/KEY"), newForm("hosts/HOST"), newForm("catalog/INSPECTOR"),
		newForm("receipts/HOST/INSPECTOR"), newForm("rollouts/NUMBER"), newForm("boards/BOARD"), newForm("alerts/summary"),
	}
}

// newForm makes the automaton of a form from its name.
func newForm(name string) form {
	f := form{name: name}
	add := func(fits func(byte) bool) int {
		f.steps = append(f.steps, step{fits: fits})
		return len(f.steps) - 1
	}
	before := []int{} // states that lead to the next
	follow := func(first int, ends ...int) {
		for _, b := range before {
			f.steps[b].next = append(f.steps[b].next, first)
		}
		before = ends
	}
	for i, word := range strings.Split(name, "/") {
		if i > 0 {
			slash := add(isSlash)
			follow(slash, slash)
		}
		switch word {
		case "HOST", "BOARD":
			first, rest := add(startsHost), add(isHost)
			follow(first, first, rest)
			f.steps[first].next = append(f.steps[first].next, rest)
			f.steps[rest].next = append(f.steps[rest].next, rest)
		case "KEY", "INSPECTOR":
			first, rest, slash := add(startsKey), add(isKey), add(isSlash)
			follow(first, first, rest)
			f.steps[first].next = append(f.steps[first].next, rest, slash)
			f.steps[rest].next = append(f.steps[rest].next, rest, slash)
			f.steps[slash].next = append(f.steps[slash].next, first)
		case "NUMBER":
			digit := add(isDigit)
			follow(digit, digit)
			f.steps[digit].next = append(f.steps[digit].next, digit)
		default:
			for _, c := range []byte(word) {
				letter := add(func(b byte) bool { return b == c })
				follow(letter, letter)
			}
		}
	}
	for _, end := range before {
		f.steps[end].last = true
	}
	return f
}

// matches reports whether some path of the form matches a pattern.
func (f *form) matches(p Pattern) bool {
	// at holds the possible next states; -1 means that the path may end here.
	at := map[int]bool{0: true}
	for i, part := range p.parts {
		if i > 0 {
			f.anything(at)
		}
		for _, c := range []byte(part) {
			next := make(map[int]bool)
			for s := range at {
				if s >= 0 && f.steps[s].fits(c) {
					f.leave(s, next)
				}
			}
			at = next
		}
	}
	return at[-1]
}

// anything adds the states that any run of bytes leads to.
func (f *form) anything(at map[int]bool) {
	for grown := true; grown; {
		n := len(at)
		for s := range at {
			if s >= 0 {
				f.leave(s, at)
			}
		}
		grown = len(at) > n
	}
}

// leave adds the states that may follow a state.
func (f *form) leave(s int, to map[int]bool) {
	for _, next := range f.steps[s].next {
		to[next] = true
	}
	if f.steps[s].last {
		to[-1] = true
	}
}

// Possible reports whether an event can have a path that matches.
func (p Pattern) Possible() bool {
	for _, f := range forms() {
		if f.matches(p) {
			return true
		}
	}
	return false
}

// Forms lists the forms of the paths of events.
func Forms() string {
	var names []string
	for _, f := range forms() {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}
