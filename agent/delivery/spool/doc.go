// Package spool keeps an agent's reports on its disk while the master does not
// take them. A Store is one file, bounded in bytes and in age, from which the
// oldest goes first; a Claim makes the folder one agent's own, and counts what
// would be lost if the process ended now.
//
// A Store decides nothing about delivery: it is told what to keep, gives out what is
// oldest, and is told what the master has. Reports survive a killed process and a power
// failure: each Apply is one transaction, on the disk before it returns. An Apply is
// thus slow, some milliseconds on a good disk and a second on a bad one, and belongs on
// its own goroutine, with many reports in one call.
//
// Only a Claim's Note is safe for concurrent use.
package spool
