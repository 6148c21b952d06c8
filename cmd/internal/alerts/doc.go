// Package alerts has the commands about alerts: which ones fire and why, who is notified,
// and who is not for a while.
package alerts

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is a command's access to a running master.
type client struct{ remote.Client }
