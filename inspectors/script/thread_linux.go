package script

import "golang.org/x/sys/unix"

// thread returns the number of the calling thread, which no other one has.
func thread() (id int, known bool) { return unix.Gettid(), true }
