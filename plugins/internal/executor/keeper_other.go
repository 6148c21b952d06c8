//go:build !linux

package executor

import "os"

// Asked reports whether this process was started as a keeper.
func Asked() bool { return os.Getenv(EnvKeeper) != "" }

// Keep does nothing: programs run for scripts on Linux only.
func Keep() int { return 1 }
