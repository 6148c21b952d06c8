// Package artefacts stores the programs of pushed plugins, each in a file named
// after its SHA-256, and hands them to the agents that run them.
//
// A file appears under its name only when it is complete, on the disk, and matches
// its name. Nothing changes it afterwards, except that sending the same program
// again repairs damage by the disk. The master sweeps programs that are no longer
// needed: see Store.Sweep.
package artefacts
