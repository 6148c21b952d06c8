// Package trial has the commands that run a draft on hosts and store nothing: try it for a
// while, or ask once for a table of answers.
package trial

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is a command's access to a running master.
type client struct{ remote.Client }
