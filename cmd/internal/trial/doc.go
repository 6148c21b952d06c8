// Package trial has the commands that run a draft on hosts, of which nothing is stored:
// try for a while, ask once for a table of answers.
package trial

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is how a command speaks with a running master.
type client struct{ remote.Client }
