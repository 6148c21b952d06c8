// Package lower translates a script that has passed the checker into Core, the small part
// of Go that the interpreter has been shown to run correctly.
//
// The interpreter differs from Go. It evaluates only the first condition of a case, does
// not copy values that it puts into an interface, forgets all but the last defer of a loop,
// and so on. Core has none of these constructs; CORE.md beside this file says what it has,
// and why.
package lower
