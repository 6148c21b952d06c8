// Package chaos only has tests: whole masters and agents on bad days. They are killed,
// starved, stopped and cut off, and must recover, with nothing lost and no inspector
// blamed. `make chaos` runs them at large.
package chaos
