//go:build !linux

package sandbox

import "runtime"

// Enter does nothing: there are no layers on this system.
func Enter() error { return nil }

// UserFor says that there are no layers on this system.
func UserFor(int) (user int, reason string) { return 0, noLayers() }

// IsRoot reports nothing on this system.
func IsRoot() bool { return false }

// CannotHelp says that there are no layers on this system.
func CannotHelp(bool) string { return noLayers() }

// HideMemory does nothing on this system.
func HideMemory() error { return nil }

// Seal reports that there are no layers on this system.
func Seal() (Report, Settings) {
	var r Report
	for _, layer := range []string{LayerUser, LayerMounts, LayerLandlock, LayerSeccomp} {
		r.Missing = append(r.Missing, Missing{layer, noLayers()})
	}
	return r, Settings{}
}

func noLayers() string {
	return "script hosts are not isolated on " + runtime.GOOS + "; only Linux is supported"
}
