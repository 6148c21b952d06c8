// Package artefacts keeps the programs of pushed plugins, each in a file of the
// name of its SHA-256, and hands them to the agents that run them.
//
// A file appears under its name only when it is whole, on the disk, and what its name
// says; nothing changes it afterwards, except that sending the same program again mends
// damage done by the disk. The master sweeps programs that are not needed any more: see
// Store.Sweep.
package artefacts
