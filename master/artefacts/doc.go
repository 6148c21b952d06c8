// Package artefacts keeps the programs of pushed plugins, each in a file of the
// name of its SHA-256, and hands them to the agents that run them.
//
// A file appears under its name only when it is whole, on the disk, and what its
// name says; nothing changes it afterwards but the same program sent again, which
// mends it where the disk has damaged it. Nothing is removed by itself: a revision
// that is not current may become so again.
package artefacts
