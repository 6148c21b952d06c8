// Package catalog keeps which inspectors hosts are to run, sends each agent what
// its host is to have, and knows how far that is.
//
// # Entries and revisions
//
// An inspector of the catalog is an entry: its current revision, the selector of
// the hosts that it is for, and its history. A revision is code by its content:
// its id is a hash of the code and how it is run, so that the same code is the
// same revision, whoever pushes it and when. Revisions are never deleted. A
// deleted entry stays as a tombstone with its history, and a push revives it.
//
// A change of an entry (push, rollback, delete) is one write to the state, of the
// entry, its history, a new revision, the rollout that begins, the one that it
// replaces, and the line of the audit log: all of it or nothing. It is on the
// disk before any host hears of it. Its author says which version he has seen;
// when the entry is at another by then, he is told who was first, and nothing is
// written. Versions count up and never come twice.
//
// A push with another selector than the entry has is refused where it selects no
// host, unless its author says that it may. A rollback restores a change of the
// history, its revision and its selector: the newest after which the entry was
// another than now, and that some host has shown to do well. For that each change
// notes on how many hosts what it replaced was healthy.
//
// Signatures of a revision are kept beside it, because more may come with later pushes
// of the same code. They go to hosts with it, and only those can verify them. One that
// comes for what is current already makes no rollout: every host that is to run the
// revision gets it, and what it has refused is undecided again.
//
// # What a host is to run
//
// Of each entry that is not deleted, a host is to run one revision or none:
//
//   - While a rollout goes on: the new one, where the rollout has reached the host and
//     its selector selects it; otherwise the one before, where that one's selector
//     does.
//   - Otherwise the current one, where the selector selects the host.
//
// The one before is what was settled last: the revision that the last rollout to
// end left on its hosts. A push in the middle of a rollout replaces it, and hosts
// that the new one has not reached go back to the settled one. One whose hosts have
// all told by then that they are well is not replaced, but done. A deletion reaches
// every host at once, and is a rollout only to see when they have let go.
//
// Selectors see the labels of a host's configuration, overlaid with those that were
// given on the master, and the label "host" with its name.
//
// # Assignments
//
// What a host is to run of all entries is its assignment, with a hash. An agent
// says at hello which one it has, and is asked again every minute; it is sent
// another whenever that differs from what it is to have. So nothing depends on
// a message having arrived. There is one call to an agent at a time, and what
// changes meanwhile goes with the next. A call that fails is made again, later
// each time. An agent that does not answer holds up nobody else. A host that does
// not accept pushed code is sent nothing.
//
// # Receipts
//
// Agents tell how far each revision is. The last receipts of every host are kept in
// memory and, a second or two later, on the disk: a master that starts again knows the
// hosts from before, though they are away. A receipt of another revision than the one
// that the host is to run counts as none: the host is pending.
//
// # Rollouts
//
// Package rollout decides; this package shows it the hosts, when something
// changes and when its time has come, and does what it says. A stage that begins
// and a rollout that ends are on the disk before hosts hear of them; how the hosts
// of a stage are follows within a second. A master that was killed at any point
// goes on from there. Hosts that were healthy when it stopped count so until they
// are back, but not for long; stages bake anew.
//
// A rollout that is rolled back makes the entry what it was before, by a separate
// change, whose author is "master" if nobody aborted it.
//
// # Locks
//
// changing, then mu; keeping, then mu; never both of the former. Nothing waits for
// the disk or an agent with mu held. Options.Announce is called with mu held, and
// HostChanged by package hosts with its registry locked: so this package never
// calls the registry.
package catalog
