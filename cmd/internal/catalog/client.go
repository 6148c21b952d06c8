package catalog

import "github.com/vedettehq/vedette/cmd/internal/remote"

// client is a command's access to a running master.
type client struct{ remote.Client }
