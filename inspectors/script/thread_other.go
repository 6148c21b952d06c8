//go:build !linux

package script

// thread would return the number of the calling thread. Without it clients that
// name no transport share one.
func thread() (id int, known bool) { return 0, false }
