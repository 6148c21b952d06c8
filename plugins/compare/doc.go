// Package compare decides whether two ways to run one inspector, compiled and
// interpreted, measure the same, and what each costs.
//
// The values that an inspector measures change by themselves, so a difference
// between two runs proves nothing. Each round therefore has three runs: compiled,
// interpreted, and compiled again in a separate process. The two compiled runs
// show how much the values change by themselves:
//
//   - A series on which the two agree in every round is settled: it is constant, or
//     changes only as the script makes it. The interpreter must agree with it in
//     every round as well. One round may be off by chance, because something came
//     and went during the interpreted run; but not the first, because that is where
//     a script starts from nothing.
//   - A series on which the two do not always agree is live. The median of the
//     interpreted values must lie within the range of the compiled runs, give or
//     take the tolerance, and it must change where they do.
//
// Keys, labels and errors follow the same rule; kinds must always agree.
package compare
