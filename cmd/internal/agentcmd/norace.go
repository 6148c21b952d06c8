//go:build !race

package agentcmd

// dataBytes is the memory limit of a script host; 0 is the default.
const dataBytes = 0
