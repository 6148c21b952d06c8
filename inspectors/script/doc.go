// Package script runs inspectors that are Go source: it checks them, builds each into its
// own interpreter, and runs it when it is due.
//
// The language is Go 1.22 without goroutines, with the packages and names of the allow-list
// in package symbols. Check refuses everything else. Accepted code is translated into a
// part of Go that the interpreter runs correctly; see package lower.
//
// A script is a whole file, or the bare body of an Inspect function, for which the imports
// are inferred. In a file, package main is a package like any other and its main is not
// called. Package variables and func init are initialised when the script is loaded, within
// the timeout of a run, and again after a run that was cut off or that panicked; otherwise
// variables keep their values from run to run.
//
// The output of a script goes to Options.Output. Library functions that wait and take no
// context, such as time.Sleep, net.Dial and http.Get, end with the run that calls them.
//
// The interpreter is no sandbox. A script can exhaust memory, overflow the stack or cause a
// fatal error of the runtime, and take the process with it, so run scripts in a process
// that may die. This package promises that a panic in the script's own code is an error,
// that a run ends when its context does, and that anything a timeout leaves behind is known
// (Program.Leaked).
package script
