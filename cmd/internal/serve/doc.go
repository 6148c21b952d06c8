// Package serve has the commands that run a master, alone or with an agent beside
// it, those that write and read its state, and the one that tests rules.
package serve
