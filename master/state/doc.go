// Package state keeps what a master must not forget: entries, each a value under
// a key, and logs, which only grow. It knows nothing of what they mean.
//
// There is one interface, Store, and one suite that every engine passes, in
// statetest. Open keeps the state in a file of the master's data folder,
// NewMemory in memory. What one engine exports the other imports.
//
// # Writing
//
// Every write is compare-and-set: it says which version of an entry its author
// has seen, and is refused with ErrConflict when there is another by now. Of
// several that saw the same, exactly one wins. Apply does several writes at
// once, all of them or none.
//
// # Versions
//
// A Version is the checksum of a value. It says what the value is, not how often it was
// written: when an entry went from A to B and back to A, somebody who saw the first A
// may write as if nothing had happened (the "ABA problem"). Most callers want this,
// because a decision that was right for A is right for A. A caller that does not puts
// something into the value that never comes twice, such as a number that counts up or
// the time of the change. It should do so wherever an entry is deleted and made again.
//
// Because the version follows from the content, putting the value that is there already
// changes nothing, costs no disk and tells no watcher.
//
// # Errors
//
// A write that failed with one of the errors of this package, or because its context
// ended, has done nothing. After any other error, such as from a disk that is full or
// broken, it is most likely not done, but may be: Get tells. The store stays usable,
// and writes again as soon as the disk does.
package state
