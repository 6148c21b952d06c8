// Package check says whether a script is in the language of inspectors: Go 1.22 without
// goroutines, with the packages and names of the allow-list in package symbols, and without
// the few constructs that cannot be translated into code that the interpreter runs
// correctly (package lower). It also has the script translated.
//
// It uses the parser and the type checker of Go itself, so its findings about types are
// those of the compiler, and then applies rules. A rule stands for one thing that the
// interpreter does differently; its comment says which. The types of the packages are
// embedded in the program as export data, so the machine needs no Go.
//
// A script that passes runs like the same file natively, as far as is known. The evidence
// is the programs of testdata/corpus, which the tests run both ways.
package check

//go:generate go run ./gen
//go:generate go run ./words ../../../web/src/editor/words.json
