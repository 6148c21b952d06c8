package catalog

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is how a command speaks with a running master.
type client struct{ remote.Client }
