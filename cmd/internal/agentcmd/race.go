//go:build race

package agentcmd

// dataBytes removes the memory limit of a script host, because the race detector alone
// needs more.
const dataBytes = -1
