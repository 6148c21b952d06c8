// Package history stores samples and answers questions about them: in PromQL over the
// Prometheus HTTP API (Handler), and as columns for charts (Range).
//
// The store is Prometheus' own time series database, embedded. One goroutine writes. It
// commits the samples of many connections at once, and each Append returns when its
// samples are in the write-ahead log. Samples that Append has acknowledged survive the
// death of the process at any point. The log is forced to the disk once a second, so a
// machine that loses power loses at most about the last second.
//
// The database alone does not keep that promise for late samples when processes are killed
// one after the other; late.go, compact.go and open.go explain the remedy, and
// kill_test.go proves it.
//
// A sample is identified by its series and time: one that comes several times is accepted
// each time and stored once. Samples may come late by up to Options.OutOfOrder, and may
// not come from the future.
//
// The database must never meet a full disk, which ends the process. So appends are refused
// with a BusyError while the file system is nearly full, and the senders keep their
// samples; reading goes on. After a failed write the database is closed and opened again,
// since it would otherwise acknowledge samples that it cannot read back. A damaged log is
// put aside, never deleted, and reported as an error.
package history
