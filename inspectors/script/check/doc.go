// Package check says whether a script is in the language of inspectors: Go 1.22
// without goroutines, with the packages and names of the allow-list in package
// symbols, and without the few constructs that cannot be translated into what
// the interpreter does right (package lower). It also has it translated.
//
// It reads a script with the parser and the type checker of Go itself, so that
// what it says about types is what the compiler would say, and then looks at
// it with rules. A rule stands for one thing that the interpreter does
// differently; its comment says what that is. The types of the packages are part
// of the program, as export data: no Go is needed on the machine.
//
// What passes runs as the same file would natively, as far as is known: the
// programs of testdata/corpus, which run both ways in the tests, are how it is
// known.
package check

//go:generate go run ./gen
//go:generate go run ./words ../../../web/src/editor/words.json
