// Package state stores everything that a master must not forget: entries, each a
// value under a key, and logs, which only grow. It knows nothing about their
// meaning.
//
// There is one interface, Store, and one suite that every engine passes, in
// statetest. Open keeps the state in a file of the master's data folder, NewMemory
// in memory. An export by one engine can be imported by the other.
//
// # Writing
//
// Every write is compare-and-set: it says which version of an entry its author has
// seen, and is refused with ErrConflict if the version is another by then. Of
// several writes that have seen the same version, exactly one wins. Apply does
// several writes at once, all of them or none.
//
// # Versions
//
// A Version is the checksum of a value. It identifies the value, not how often it
// was written: when an entry went from A to B and back to A, an author who has
// seen the first A may write as if nothing had happened (the "ABA problem"). Most
// callers want this, because a decision that was right for A is right for A. A
// caller that does not want it adds something to the value that never repeats,
// such as a counter or the time of the change. It should do so wherever an entry
// is deleted and made again.
//
// Because the version follows from the content, putting the same value again
// changes nothing, costs no disk write and notifies no watcher.
//
// # Errors
//
// A write that failed with one of the errors of this package, or because its
// context ended, has done nothing. After any other error, such as one from a full
// or broken disk, it is most likely not done, but may be: Get shows which. The
// store stays usable, and writes again as soon as the disk does.
package state
