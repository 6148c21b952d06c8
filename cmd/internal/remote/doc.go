// Package remote is how commands speak with a running master: the flags that name
// it, connections and calls, and errors that say what to do.
package remote
