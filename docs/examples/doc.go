// Package examples holds agents in other languages than Go, each without
// third-party packages, and the test that runs them. The agent proper is ten
// lines; what is above it is the WebSocket that the language's standard library
// lacks.
package examples
