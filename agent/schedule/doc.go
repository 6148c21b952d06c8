// Package schedule decides when each inspector runs, and never lets one of them
// disturb another. Inspectors that are due together run in one batch; two runs of
// one inspector never overlap. While somebody watches, an inspector also runs
// between its ticks.
//
// The Scheduler hands batches to a Runner and tells an Observer what became of each
// run. The section "Scheduler" of agent/DESIGN.md gives the rules and their
// reasons.
package schedule
