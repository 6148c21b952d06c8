// Package route decides who is told of alerts, when, and with what else. It is
// Alertmanager as packages: its routes, groups, inhibition, silences, time intervals and
// receivers, in the configuration that everybody knows.
//
// Its memory is in the master's state, and on the disk before the next step: a silence
// before its author gets the answer, and a notification right after its receiver has
// accepted it. If the master is killed between these two, the receiver is told once more.
// Nothing else is told twice.
//
// New reads nothing, Open reads the state, Start begins to tell. Groups know alerts that
// are put before Start from the beginning, so after a restart no group is told in part.
package route
