// Package neighbours has the tests that programs of two releases, of which one follows
// the other, work together: a master of one with an agent of the other, and data of one
// under the other.
//
// The file before.txt names the commit of the release before. TestNeighbours builds its
// programs and runs them beside today's: `make upgrade-test`. What they said to each
// other is in testdata, and TestMessagesOfTheReleaseBefore reads it each time.
package neighbours
