// Package remote lets commands speak with a running master. It has the flags that name the
// master, connections and calls, and errors that say what to do.
package remote
