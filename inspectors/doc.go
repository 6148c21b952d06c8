// Package inspectors says what an inspector is: a named piece of code that is
// run every interval and yields samples. It holds the contract that every kind
// of inspector meets (Go scripts, built-ins and external plugins alike), the
// rules for keys, labels and host names, and the API that an author of a
// script writes against.
//
// The package knows nothing of how an inspector is run, scheduled or shipped:
// it imports the standard library only, so that the file an author writes
// compiles natively against it as well as under the interpreter.
package inspectors
