// Package damage damages bbolt files for tests.
package damage

import (
	"encoding/binary"
	"math/rand/v2"
)

// The layout of a page in bbolt: its header, then an element for each key with the
// places of the key and its value.
const (
	pageBytes    = 4096
	flagsAt      = 8
	countAt      = 10
	headerBytes  = 16
	elementBytes = 16
	leafPage     = 0x02
	metaPage     = 0x04
)

// Any returns a copy of a file, damaged in one of three ways in turn: truncated,
// with some bytes changed, or with a page cleared.
func Any(rng *rand.Rand, turn int, content []byte) []byte {
	bad := append([]byte(nil), content...)
	switch turn % 3 {
	case 0:
		return bad[:rng.IntN(len(bad))]
	case 1:
		for range 1 + rng.IntN(20) {
			if at := rng.IntN(len(bad)); !spared(bad, at) {
				bad[at] = byte(rng.Uint32())
			}
		}
	case 2:
		clear(bad[pageBytes*rng.IntN(len(bad)/pageBytes):][:pageBytes])
	}
	return bad
}

// spared reports whether a byte must not be changed. With the race detector only
// bytes with a checksum are changed, which are values and the first two pages:
// otherwise bbolt follows pointers out of the file, and the detector reports a
// race for the memory that it reads there.
func spared(file []byte, at int) bool {
	if !raceEnabled {
		return false
	}
	page := file[at/pageBytes*pageBytes:]
	if len(page) < pageBytes {
		return true
	}
	at %= pageBytes
	switch binary.LittleEndian.Uint16(page[flagsAt:]) {
	case metaPage:
		return at < headerBytes
	case leafPage:
		count := int(binary.LittleEndian.Uint16(page[countAt:]))
		for i := range count {
			if page[headerBytes+elementBytes*i] != 0 { // the value is a bucket
				return true
			}
		}
		return at < headerBytes+elementBytes*count
	}
	return true
}
