// Package agent is the process on a host that runs inspectors and reports what
// they measure. It has five parts, each with one job:
//
//   - the scheduler, in package schedule, decides when each inspector runs, and
//     never lets one of them disturb another;
//   - the inspector set loads and replaces code, new before old;
//   - package programs brings the programs of pushed plugins from the master;
//   - the tracker knows the state of each inspector;
//   - package delivery numbers, keeps and sends reports until the master has them.
//
// The agent can also serve metrics about itself to programs on its machine, if the
// configuration says so (metrics.go).
//
// A session connects the last two to the master over package rpc, and comes and
// goes as the network does: inspectors run with or without a master. DESIGN.md,
// beside this file, says where the rules of each part are written.
package agent
