//go:build !race

package check_test

// every is of how many programs of the corpus one is run.
const every = 1
