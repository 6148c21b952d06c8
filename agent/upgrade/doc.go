// Package upgrade replaces the agent's own program by one that the master has, and goes
// back by itself where that does not do well.
//
// The catalog has the program under wire.AgentProgram, like a plugin: with stages, receipts and
// rollbacks. Nobody's policy for plugins or scripts has a say; agent.upgrade has.
//
//  1. Allows: the host's configuration lets it, one of agent.upgrade.keys has signed the
//     program for this platform, no package owns the agent's file, and its folder can
//     be written. All of that comes before anything is fetched.
//  2. Take: the program, which was fetched and has the checksum that was signed, is
//     copied beside the agent's file and run once, to tell its version. A program that
//     does not start, does not end, or is for another machine fails here, and the agent has
//     not stopped for it.
//  3. Try: the agent stops all that it runs and starts the new program as its child, with
//     the same arguments. The child is the agent from there. Within agent.upgrade.within
//     the master must have a report of it.
//  4. If so, the child is stopped, the new file takes the place of the old by one rename
//     (the old stays beside it as FILE.old), and the process becomes the new
//     program by exec: with the same number, for whatever service manager there is.
//     If not, the child is killed and the process becomes the old program again, which
//     says why.
//
// The file at the agent's path is a program that has done well at each of these moments,
// and the child dies with its parent. So whatever is killed, and whenever: whoever starts
// agents on this host starts one that runs.
package upgrade
