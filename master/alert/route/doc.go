// Package route decides who is told of alerts, when, and with what else. It is
// Alertmanager as packages: its routes, groups, inhibition, silences, time
// intervals and receivers, in the configuration that everybody knows.
//
// Its memory is in the master's state, and on the disk before the next step: a silence
// before its author gets the answer, and a notification right after its receiver has
// taken it. Between these two a kill may come; the receiver is then told once more.
// Nothing else is told twice.
//
// New reads nothing, Open takes up the state, Start begins to tell. Alerts that are
// put before Start are known to all groups from the beginning, so that a group is
// never told in part after a restart.
package route
