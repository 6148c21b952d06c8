// Package forward sends what the history has taken on to another store, by
// Prometheus remote write 1.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec/).
//
// All accepted samples are sent, including those that came late and those that were
// waiting when the master stopped: before the history acknowledges samples, they are in
// a queue on the disk, packed into requests that are ready to be sent. A request leaves
// the queue when the other end has answered it, so that one may be sent twice after a
// crash, which the other end takes for the same samples. The queue is bounded: when it
// is full, the oldest requests are dropped, counted and logged.
//
// Requests go one after the other, in the order in which samples came. One that
// fails for now is tried until it succeeds. One that the other end refuses is
// halved, and the halves are sent, until only the samples that it does not want
// are left out: many stores refuse a whole request for one late sample.
package forward
