// Package childenv says which variables of the agent's environment its child processes
// get. The others may hold secrets.
package childenv

import (
	"slices"
	"strings"
)

// Passes reports whether children get the variable of a name.
func Passes(name string) bool {
	return slices.Contains([]string{
		"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR",
		"GORACE", // how the race detector reports, if it is built in
	}, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "HOST_")
}

// Of returns the variables of an environment that children get.
func Of(environ []string) []string {
	var env []string
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); Passes(name) {
			env = append(env, pair)
		}
	}
	return env
}
