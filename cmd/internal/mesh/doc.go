// Package mesh has the commands that show what runs: the master, its hosts and their
// inspectors, live and in tables.
package mesh
