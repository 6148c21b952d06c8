// Package live carries what happens now to those who watch. A Hub holds every
// series that has reported lately with its latest value, and a set of
// subscriptions by path pattern; what is published is put into the buffer of
// each subscription that matches, and each subscription is sent by a goroutine
// of its own at the pace of its reader.
//
// Nothing waits for a slow reader: its buffer is bounded, what does not fit is
// dropped and counted, and the reader is told how much it missed.
package live
