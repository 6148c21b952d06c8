// Package live carries present events to those who watch. A Hub holds every series
// that has reported recently with its latest value, and a set of subscriptions by
// path pattern. An event is put into the buffer of each matching subscription, and
// each subscription is sent by its own goroutine at the pace of its reader.
//
// Nothing waits for a slow reader: its buffer is bounded, further events are
// dropped and counted, and the reader is told how many it missed.
package live
