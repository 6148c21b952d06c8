// Package examples has agents in other languages than Go, each without third-party
// packages, and the test that runs them. The agent itself is ten lines; the code above it
// is the WebSocket that the language's standard library lacks.
package examples
