// Package collect runs the inspectors that the agent performs itself, without code of an
// author: it scrapes Prometheus exporters, counts what programs send in StatsD's format,
// and checks whether services are up.
//
// They run in the agent's own process, with its rights, because only the host's own
// configuration defines them, and because a process for each would cost more than the
// work. Everything they read is bounded before it is read: bytes, series, targets,
// redirects and time.
package collect
