// Package plugins is the process boundary between the agent and the code that
// it runs. Everything that measures runs in a child process that speaks one
// gRPC contract over hashicorp/go-plugin: scripts in the script host, which is
// the agent's own binary run again, and external programs that call Serve.
//
// The boundary is what protects a host: a script that loops, leaks, panics or
// takes its process down harms neither the agent nor the other inspectors.
package plugins
