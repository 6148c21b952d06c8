// Package history keeps samples and answers questions about them: in PromQL
// over the Prometheus HTTP API (Handler), and as columns for charts (Range).
//
// The store is Prometheus' own time series database, embedded. One goroutine
// writes; it takes what many connections have ready as one commit, and each
// Append returns when its samples are in the write-ahead log. What Append has
// acknowledged survives the death of the process at any point; the log is
// forced to the disk once a second, so a machine that loses power loses at
// most about the last second.
//
// The database alone does not keep that promise for samples that come late, when
// processes are killed one after the other; late.go, compact.go and open.go say
// what is done about it, and kill_test.go proves it.
//
// A sample is known by its series and time: the same one again is taken as
// often as it comes and is stored once. Samples may come late by up to
// Options.OutOfOrder, and may not come from the future.
//
// The database underneath must never meet a full disk (it ends the process),
// so appends are refused with a BusyError while the file system is nearly
// full, and whoever sends keeps what it has; reading goes on. After a failed
// write the database is closed and opened again, since it would otherwise
// acknowledge what it cannot read back. A damaged log is kept aside, never
// deleted, and said loudly.
package history
