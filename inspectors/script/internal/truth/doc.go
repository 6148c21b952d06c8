// Package truth compares scripts with Go: it runs the same programs compiled by Go and
// interpreted, many at a time, and reports where the two differ.
//
// Interpret runs scripts in child processes, so that one that hangs or crashes its process
// is found and named. Native renames the package-level names of many scripts and builds all
// of them as one package, so that the compiler runs once for hundreds of programs. Shrink
// reduces a script on which the two differ to a few lines. Package generate makes random
// scripts.
//
// Only tests use it; it needs the Go toolchain.
package truth
