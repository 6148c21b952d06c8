// Package probe has the commands that work on the file of an inspector, on this machine
// only: they run it, check it, compare it with its compiled form, and compile it into a
// plugin.
package probe
