// Package artefacts keeps the programs of pushed plugins, each in a file of the
// name of its SHA-256, and hands them to the agents that run them.
//
// A file appears under its name only when it is whole, on the disk, and what its
// name says; nothing changes it afterwards but the same program sent again, which
// mends it where the disk has damaged it. What is not needed any more the master
// sweeps: see Store.Sweep.
package artefacts
