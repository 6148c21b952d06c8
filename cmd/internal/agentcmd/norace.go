//go:build !race

package agentcmd

// dataBytes is the limit of a script host's memory; 0 is the default.
const dataBytes = 0
