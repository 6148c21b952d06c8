// Package script runs inspectors that are Go source: it checks them, builds
// each into an interpreter of its own, and runs it as often as it is due.
//
// The language is Go 1.21 without generics and goroutines, with the packages
// and names of the allow-list in package symbols. Check refuses what is outside
// of it, and what the interpreter is known to get wrong.
//
// The interpreter is no sandbox. A script can exhaust memory, overflow the
// stack or run into a fatal error of the runtime, and take the process with it:
// run scripts in a process that may die. What this package promises is that a
// panic in the script's own code is an error, that a run ends when its context
// does, and that what a timeout leaves behind is known (Program.Leaked).
package script
