// Package rollout decides how a revision of an inspector gets onto its hosts:
// which hosts are to have it, when the next ones follow, and when it is taken
// back. It is logic alone: no clock, no store and no goroutine. All that is known
// is in the wire.Rollout, which may be stored and read again at any point; time
// and the state of hosts are arguments.
//
// New begins a rollout. From then on Step is called whenever something is heard of a
// host, and at the time that Next tells; it may be called at any other time too, and
// does nothing where nothing has changed. Has tells who is to have the new revision. A
// Step looks at every host that has it, so one Step after many events is better than
// one after each.
//
// # Stages and gates
//
// A plan with stages has gates. Each stage adds hosts: those that are there and accept
// pushed code first, in an order that is a hash of the rollout and the host. Every host
// of the stage that is there must become healthy within the plan's timeout, which
// counts from when the stage began or the host came. Then the stage bakes: for that
// time none of its hosts may fail a run, exceed its budget, be quarantined or stop
// running the inspector (for three intervals, and at least 45 s, because hosts tell how
// they are every 15 s). The hosts of earlier stages may not fail or be quarantined
// either, until the rollout is over. Then comes the next stage.
//
// A gate fails with the first host. The others that are on their way have two
// seconds more to tell how they fare, so that the story is whole; then all hosts
// are to have the old revision, and Reason says why in words.
//
//   - A host that is away is pending. It fails no gate and holds none up. When it
//     returns while its stage or a later one is going on, it has To, and its own
//     timeout.
//   - A host that does not accept pushed code, or whose policy refuses this one,
//     is refused. It fails no gate, and holds none up in which another host is well.
//   - A stage that has hosts never ends before one of them is well: it waits, however
//     long, and says in Reason that its hosts are not there, or why they refuse; where
//     it was baking, it bakes again. It goes on when a host returns, or accepts the
//     revision after all. The last stage ends all the same if all of its hosts refuse,
//     because no host comes after them.
//   - A host that becomes one of the inspector's during the rollout runs From
//     until the rollout is done.
//
// # All at once
//
// A plan without stages and without a bake has no gates. It is done when every
// host that is there is healthy, has failed or had its timeout. The hosts that
// failed are in Failures and Reason, and are not taken back: where the revision
// does not build, the old one runs on, and where it fails, it fails for a reason
// of that host. Only where not one host got well, and at least one failed, the
// revision itself is at fault: then it is rolled back. Where no host is there at
// all, it is done after the timeout, and hosts get it when they return.
//
// One stage of 100 % is all at once, too, with gates.
//
// # Deletions
//
// A rollout to no revision takes the inspector away. A host is well when it has no
// receipt for it any more. All at once it is never taken back: the inspector that a
// host did not let go is a failure, and stays one of the hosts to hear so again.
//
// # Pause
//
// While a rollout is paused, no further host gets To, and no timeout runs out. A host
// that fails rolls it back all the same: nobody has to watch a paused rollout. After
// Resume the stage bakes again.
//
// # Restart of the master
//
// A master that starts again calls Step once with a view of hosts that are all
// away. Timeouts then count from when the hosts return, not through the time in
// which nobody was there to hear them.
package rollout
