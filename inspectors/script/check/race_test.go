//go:build race

package check_test

// every is of how many programs of the corpus one is run: under the race detector
// interpreting takes long, and finds races of the checker and the engine as well
// with a few.
const every = 12
