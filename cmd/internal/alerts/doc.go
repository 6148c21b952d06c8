// Package alerts has the commands about alerts: what fires and why, who is told, and
// who is not for a while.
package alerts

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is how a command speaks with a running master.
type client struct{ remote.Client }
