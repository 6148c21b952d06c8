// Package adapt makes inspectors of measuring programs that people have already.
// Each becomes a script: it is checked, run, bounded and isolated as any other.
package adapt
