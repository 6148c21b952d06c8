// Package schedule decides when each inspector runs, and never lets one of them
// disturb another. Inspectors that are due together run in one batch; two runs of
// one inspector never overlap. While somebody watches, an inspector also runs
// between its ticks.
//
// The Scheduler hands batches to a Runner and tells an Observer the outcome of each
// run. DESIGN.md, beside this file, gives the rules and their reasons.
package schedule
