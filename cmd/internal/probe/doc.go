// Package probe has the commands that work on the file of an inspector, on this
// machine alone: to run it, check it, compare it with what Go makes of it, and
// compile it into a plugin.
package probe
