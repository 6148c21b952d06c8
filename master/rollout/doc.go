// Package rollout decides how a revision of an inspector gets onto its hosts:
// which hosts should have it, when the next ones follow, and when it is rolled
// back. It is logic alone: no clock, no store and no goroutine. All its state is
// in the wire.Rollout, which may be stored and read again at any point; time and
// the state of hosts are arguments.
//
// New begins a rollout. From then on Step is called whenever there is news about a
// host, and at the time that Next returns; it may be called at any other time too,
// and does nothing if nothing has changed. Has says which hosts should have the
// new revision. A Step looks at every host that has it, so one Step after many
// events is better than one after each.
//
// # Stages and gates
//
// A plan with stages has gates. Each stage adds hosts: those that are connected
// and accept pushed code first, in an order that is a hash of the rollout and the
// host. Every connected host of the stage must become healthy within the plan's
// timeout, which counts from the start of the stage or from when the host
// connected. Then the stage bakes: for that time none of its hosts may fail a run,
// exceed its budget, be quarantined or stop running the inspector (for three
// intervals, and at least 45 s, because hosts report every 15 s). The hosts of
// earlier stages may not fail or be quarantined either, until the rollout is over.
// Then comes the next stage.
//
// A gate fails with its first failing host. The other hosts that are on their way
// have two more seconds to report, so that the reason is complete; then all hosts
// should have the old revision, and Reason says why in words.
//
//   - A host that is away is pending. It fails no gate and delays none. When it
//     returns during its stage or a later one, it gets To, and its own timeout.
//   - A host that does not accept pushed code, or whose policy refuses this one, is
//     refused. It fails no gate, and delays none in which another host is well.
//   - A stage that has hosts never ends before one of them is well: it waits for as
//     long as it takes, and says in Reason that its hosts are not connected, or why
//     they refuse; if it was baking, it bakes again. It continues when a host returns,
//     or accepts the revision after all. The last stage ends in any case if all of its
//     hosts refuse, because no host comes after them.
//   - A host that joins the inspector's hosts during the rollout runs From until the
//     rollout is done.
//
// # All at once
//
// A plan without stages and without a bake has no gates. It is done when every
// connected host is healthy, has failed or had its timeout. The hosts that failed
// are in Failures and Reason, and are not rolled back: if the revision does not
// build, the old one continues, and if it fails, it fails for a reason of that
// host. Only if no host got well, and at least one failed, is the revision itself
// at fault: then it is rolled back. If no host is connected at all, it is done
// after the timeout, and hosts get it when they return.
//
// One stage of 100 % is all at once, too, with gates.
//
// # Deletions
//
// A rollout to no revision removes the inspector. A host is well when it has no
// receipt for it any more. All at once, it is never rolled back: a host that did
// not drop the inspector is a failure, and stays among the hosts, so that it is
// told again.
//
// # Pause
//
// While a rollout is paused, no further host gets To, and no timeout expires. A
// host that fails rolls it back in any case, because nobody has to watch a paused
// rollout. After Resume the stage bakes again.
//
// # Restart of the master
//
// A master that starts again calls Step once with a view of hosts that are all
// away. Timeouts then count from when the hosts return, not through the time in
// which no master could hear them.
package rollout
