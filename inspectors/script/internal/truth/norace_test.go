//go:build !race

package truth_test

// generated is how many programs are held against Go in each run of the tests.
const generated = 300

// panicking is how many programs panic in each run of the tests.
const panicking = 150
