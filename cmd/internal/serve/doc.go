// Package serve has the commands that run a master, alone or with an agent beside
// it, and those that write and read its state.
package serve
