// Package neighbours tests that the programs of two consecutive releases work together: a
// master of one with an agent of the other, and the data of one under the other.
//
// The file before.txt names the commit of the release before. TestNeighbours builds its
// programs and runs them beside today's: `make upgrade-test`. Their recorded messages are
// in testdata, and TestMessagesOfTheReleaseBefore reads them in every run.
package neighbours
