// Package upgrade replaces the agent's own program by one that the master has, and goes
// back by itself if the new one does not do well.
//
// The catalog has the program under wire.AgentProgram, like a plugin: with stages, receipts and
// rollbacks. The policies for plugins and scripts do not apply to it; agent.upgrade does.
//
//  1. Allows: the host's configuration permits it, one of agent.upgrade.keys has signed the
//     program for this platform, no package owns the agent's file, and its folder is
//     writable. All of that is checked before anything is fetched.
//  2. Take: the fetched program, which has the signed checksum, is copied beside the
//     agent's file and run once, to tell its version. A program that does not start, does
//     not end, or is for another machine fails here, while the agent still runs.
//  3. Try: the agent stops everything that it runs and starts the new program as its child,
//     with the same arguments. The child is the agent from then on. The master must have a
//     report of it within agent.upgrade.within.
//  4. If so, the child is stopped, the new file replaces the old one by one rename
//     (the old one stays beside it as FILE.old), and the process becomes the new
//     program by exec: with the same process id, so the service manager notices nothing.
//     If not, the child is killed and the process becomes the old program again, which
//     says why.
//
// At each of these moments the file at the agent's path is a program that has done well,
// and the child dies with its parent. So whatever is killed, and whenever, the service
// manager starts an agent that runs.
package upgrade
