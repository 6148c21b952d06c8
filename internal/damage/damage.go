// Package damage spoils files of bbolt for tests.
package damage

import (
	"encoding/binary"
	"math/rand/v2"
)

// As bbolt lays a page out: its header, then an element for each key, which tells
// where the key and its value are.
const (
	pageBytes    = 4096
	flagsAt      = 8
	countAt      = 10
	headerBytes  = 16
	elementBytes = 16
	leafPage     = 0x02
	metaPage     = 0x04
)

// Any returns a copy of a file that is spoiled in one of three ways, by turns: cut
// short, with some bytes changed, with a page cleared.
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

// spared reports whether a byte stays as it is. With the race detector only what
// has a checksum is spoiled, values and the first two pages: bbolt follows the rest
// out of the file, and the detector takes what it reads there for a race.
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
