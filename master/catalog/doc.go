// Package catalog stores which inspectors hosts should run, sends each agent its
// assignment, and knows how far each host is.
//
// # Entries and revisions
//
// An inspector of the catalog is an entry: its current revision, the selector of
// its hosts, and its history. A revision is code identified by its content: its id
// is a hash of the code and its settings, so the same code is the same revision,
// whoever pushes it and when. Revisions are never deleted. A deleted entry stays
// as a tombstone with its history, and a push revives it.
//
// A change of an entry (push, rollback, delete) is one write to the state: the
// entry, its history, a new revision, the rollout that begins, the rollout that it
// replaces, and the line of the audit log, all of it or nothing. It is on the disk
// before any host hears of it. The author says which version he has seen; if the
// entry is at another version by then, he is told who changed it, and nothing is
// written. Versions count up and never repeat.
//
// A push with a selector that differs from the entry's is refused if it selects no
// host, unless its author allows that. A rollback restores a change of the
// history, with its revision and its selector: the newest after which the entry
// differed from now, and that some host has shown to do well. For that purpose
// each change records on how many hosts the revision that it replaced was healthy.
//
// Signatures of a revision are stored separately, because later pushes of the same
// code may add more. They go to hosts together with the revision, and only hosts
// can verify them. A signature for the current revision begins no rollout: every
// host that should run the revision gets it, and a refusal by a host becomes
// undecided again.
//
// # Proposals
//
// A change that needs a second person (package twopersons) is stored as a proposal when
// everything else about it has been checked, and changes nothing. Its approval makes
// the same change, on the same version of the entry or not at all, and removes the
// proposal in the same write. Every change of an entry passes through change, which
// decides this; labels that were given on the master pass through Label.
//
// # What a host should run
//
// Of each entry that is not deleted, a host should run one revision or none:
//
//   - During a rollout: the new revision, if the rollout has reached the host and the
//     new selector selects it; otherwise the old one, if the old selector selects it.
//   - Otherwise the current revision, if the selector selects the host.
//
// The old revision is the settled one: the revision that the last completed
// rollout left on its hosts. A push during a rollout replaces it, and hosts that
// the new rollout has not reached go back to the settled revision. A rollout whose
// hosts have all reported success by then is not replaced, but done. A deletion
// reaches every host at once, and is a rollout only to see when they have dropped
// the inspector.
//
// Selectors see the labels of a host's configuration, overlaid with those that
// were given on the master, and the label "host" with its name.
//
// # Assignments
//
// The revisions that a host should run, over all entries, are its assignment,
// which has a hash. An agent says at hello which one it has, and is asked again
// every minute; whenever that differs from its assignment, it is sent the right
// one. So nothing depends on the arrival of a message. There is one call to an
// agent at a time, and changes made meanwhile go with the next. A call that fails
// is repeated, later each time. An agent that does not answer delays nobody else.
// A host that does not accept pushed code is sent nothing.
//
// # Receipts
//
// Agents report how far each revision is. The last receipts of every host are kept
// in memory and, a second or two later, on the disk: a master that starts again
// knows the hosts from before, even if they are away. A receipt for another
// revision than the host should run does not count: the host is pending.
//
// # Rollouts
//
// Package rollout decides; this package shows it the hosts, when something changes
// and when its time has come, and carries out its decisions. The start of a stage
// and the end of a rollout are on the disk before hosts hear of them; the states
// of a stage's hosts follow within a second. A master that was killed at any point
// continues from there. Hosts that were healthy when it stopped count as healthy
// until they are back, but not for long; stages bake again.
//
// A rollout that is rolled back restores the entry by a separate change, whose
// author is "master" unless somebody aborted it.
//
// # Locks
//
// The order is changing, then mu; or flushing, then mu; never changing and flushing
// together. No code waits for the disk or an agent while it holds mu.
// Options.Announce is called with mu held, and HostChanged is called by package
// hosts with its registry locked, so this package never calls the registry.
package catalog
