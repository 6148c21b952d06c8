// Package spool keeps an agent's reports on its disk while the master does not
// take them. A Store is one file, bounded in bytes and in age, from which the
// oldest reports are dropped first. A Claim gives the folder to one agent, and
// counts what would be lost if the process ended now.
//
// A Store decides nothing about delivery: it is told what to store, gives out the
// oldest reports, and is told which ones the master has. Reports survive a killed
// process and a power failure: each Apply is one transaction, on the disk before
// it returns. An Apply is therefore slow, some milliseconds on a good disk and a
// second on a bad one, and belongs on its own goroutine, with many reports in one
// call.
//
// Only a Claim's Note is safe for concurrent use.
package spool
