// Package promote compiles scripts, as they are, into one external plugin: a
// program that an agent starts like any other plugin, and that runs what the
// interpreter is too slow for, or is not trusted with.
//
// The copy that is compiled differs from the author's file in what the compiler
// alone sees. It carries the constraint //go:build go1.22, so that it is
// compiled as the language that scripts are written in: a loop has one variable,
// not one for each iteration. And a line directive keeps every place in errors
// and panics that of the author's file.
//
// The compiler is that of the machine, and the packages of Vedette are those of
// a checkout, or of a released version, which the module proxy gives. What is
// built depends on the scripts, that version and the compiler, and on nothing
// else: it has the same bytes wherever it is built.
package promote
