// Package compare says whether two ways to run one inspector, compiled and
// interpreted, measure the same, and what each costs.
//
// What an inspector measures moves by itself, so a difference between two runs
// proves nothing. So each round has three runs: compiled, interpreted, and
// compiled again in a process of its own. The two compiled runs are the measure
// of what moves by itself:
//
//   - A series on which the two agree in every round is settled: it stands still,
//     or moves as the script makes it. The interpreter must agree with it in every
//     round as well. One round may be off by chance, where something came and went
//     while the interpreted run was under way; not the first, since that is where
//     a script starts from nothing.
//   - A series on which the two do not always agree is live. The median of what
//     was interpreted must lie within what the compiled runs have seen, give or
//     take the tolerance, and it must move where they do.
//
// Keys, labels and errors are held to the same rule; kinds must agree always.
package compare
