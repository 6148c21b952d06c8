//go:build !unix

package conns

// Descriptors returns how many files and connections this process may have open at
// a time.
func Descriptors() int { return 1 << 14 }

// unused would return how many more descriptors the process may have.
func unused() (n int, known bool) { return 0, false }
