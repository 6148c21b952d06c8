// Package mesh has the commands that look at what runs: the master, its hosts and
// their inspectors, live and in tables, and drafts that are run for a moment.
package mesh
