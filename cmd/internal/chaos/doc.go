// Package chaos has no code but its tests: whole masters and agents on bad days.
// They are killed, starved, stopped, and cut off, and then have to be well again,
// with nothing lost and nobody blamed. `make chaos` runs them at large.
package chaos
