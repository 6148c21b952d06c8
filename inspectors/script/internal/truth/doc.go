// Package truth holds scripts against Go: it runs the same programs compiled by
// Go and interpreted, many at a time, and says where the two differ.
//
// Interpret runs scripts in child processes, so that one that hangs or takes its
// process down is found and named. Native renames the package-level names of
// many scripts and builds all of them as one package, so that the compiler is
// called once for hundreds of programs. Shrink reduces a script on which the two
// differ to a few lines. Package generate makes scripts that nobody chose.
//
// Only tests use it; it needs the Go toolchain.
package truth
