// Package inspectors defines what an inspector is: a named piece of code that is
// run every interval and yields samples. It has the contract that every kind of
// inspector meets (Go scripts, built-ins and external plugins alike), the rules
// for keys, labels and host names, and the API that an author of a script writes
// against.
//
// The package knows nothing about how an inspector is run, scheduled or shipped.
// It imports the standard library only, so that an author's file compiles natively
// against it as well as under the interpreter.
package inspectors
