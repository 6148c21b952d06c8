// Package collect runs the inspectors that the agent does itself, without code of an
// author: it scrapes Prometheus exporters, counts what programs send in the form of
// StatsD, and asks services whether they are well.
//
// They run in the agent's own process, with its rights, because they come from the
// host's own configuration alone, and because a process for each would cost more than
// the work. What they read is bounded before it is read: bytes, series, targets,
// redirects and time.
package collect
