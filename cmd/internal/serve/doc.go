// Package serve has the commands that run a master, alone or with an agent, those that read
// and write the master's state, and the one that tests alert rules.
package serve
