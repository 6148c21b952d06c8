// Package adapt makes inspectors of existing measuring programs. Each becomes a script,
// which is checked, run, bounded and isolated like any other.
package adapt
