// Package forward sends the samples that the history has accepted to another store, by
// Prometheus remote write 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/).
//
// All accepted samples are sent, including late ones and those that were waiting when the
// master stopped: before the history acknowledges samples, they are in a queue on the
// disk, packed into requests that are ready to be sent. A request leaves the queue when
// the other end has answered it. So after a crash a request may be sent twice, which the
// other end recognises as the same samples. The queue is bounded: when it is full, the
// oldest requests are dropped, counted and logged.
//
// Requests are sent one after the other, in the order in which samples came. A request
// that fails temporarily is tried until it succeeds. One that the other end refuses is
// halved, and the halves are sent, until only the samples that it does not want are left
// out: many stores refuse a whole request because of one late sample.
package forward
