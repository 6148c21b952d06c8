// Package promote compiles scripts, unchanged, into one external plugin: a program
// that an agent starts like any other plugin. It is for scripts for which the
// interpreter is too slow, or is not trusted enough.
//
// The compiled copy differs from the author's file only in ways that the compiler
// alone sees. It carries the constraint //go:build go1.22, so that it is compiled
// as the language in which scripts are written. A line directive makes every place
// in errors and panics one of the author's file.
//
// The compiler is that of the machine. The packages of Vedette come from a
// checkout, or from a released version that the module proxy provides. The result
// depends on the scripts, that version and the compiler, and on nothing else: it
// has the same bytes wherever it is built.
package promote
