// Package script runs inspectors that are Go source: it checks them, builds
// each into an interpreter of its own, and runs it as often as it is due.
//
// The language is Go 1.22 without goroutines, with the packages and names of the
// allow-list in package symbols. Check refuses what is outside of it. What is
// left is translated into a part of Go that the interpreter does right; see
// package lower.
//
// A script is a whole file, or the bare body of an Inspect function, for which
// the imports are inferred. In a file, package main is a package as any other
// and its main is not called. Package variables and func init are initialised
// when the script is loaded, within the timeout of a run. They are again after
// a run that had to be cut off or that panicked; otherwise they keep their
// values from run to run.
//
// What a script prints goes to Options.Output. Functions of the library that
// wait and take no context, as time.Sleep, net.Dial and http.Get, end with the
// run that calls them.
//
// The interpreter is no sandbox. A script can exhaust memory, overflow the
// stack or run into a fatal error of the runtime, and take the process with it:
// run scripts in a process that may die. What this package promises is that a
// panic in the script's own code is an error, that a run ends when its context
// does, and that what a timeout leaves behind is known (Program.Leaked).
package script
