// Package mesh has the commands that look at what runs: the master, its hosts and
// their inspectors, live and in tables.
package mesh
