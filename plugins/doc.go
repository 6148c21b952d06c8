// Package plugins is the process boundary between the agent and the code that it
// runs. All inspectors run in child processes that speak one gRPC contract over
// hashicorp/go-plugin: scripts in the script host, which is the agent's own binary
// run again, and external programs that call Serve.
//
// The boundary protects the host: a script that loops, leaks, panics or kills its
// process harms neither the agent nor the other inspectors.
//
// Pool is the agent's end, and Serve that of an external plugin in Go. The script
// host is in package scripthost, and the contract itself, for any language, in
// folder proto. DESIGN.md explains how children are supervised.
package plugins
