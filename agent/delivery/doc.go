// Package delivery brings samples to the master. The Outbox makes reports of them,
// numbers them, and keeps each until the master has acknowledged it. A Link is its
// sending side for one connection. The Spooler moves reports that wait for long
// between the outbox and the disk, where package spool stores them, so that
// nothing else ever waits for the disk.
//
// The package knows nothing of connections: the agent's session takes a report
// from Link.Next, sends it, and tells the link its outcome. DESIGN.md, beside this
// file, gives the rules and their reasons.
package delivery
