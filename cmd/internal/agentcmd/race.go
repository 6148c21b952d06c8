//go:build race

package agentcmd

// dataBytes lifts the limit of a script host's memory: the race detector alone
// needs more.
const dataBytes = -1
