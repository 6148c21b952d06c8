// Package lower translates a script, which the checker has nothing against, into
// Core: the small part of Go that the interpreter is shown to do right.
//
// The interpreter is not Go. It looks at the first condition of a case only,
// does not copy what it puts into an interface, forgets all but the last defer
// of a loop, and so on. Nothing of that is in Core; CORE.md beside this file says
// what is, and why.
package lower
