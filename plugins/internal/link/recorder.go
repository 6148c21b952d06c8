package link

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The flight recorder is a small file in memory that agent and child share. It has
// one word for each slot, in which the child writes what it is about to do for
// that slot. After the death of the child, however sudden, the agent reads what
// was going on.
//
// The first words are a header: a magic number that the child writes when it
// begins to use the recorder, so that the agent can tell an empty recorder from
// one that was never used.

// Slots is the number of slots of a recorder.
const Slots = 16384 - headerWords

const (
	headerWords   = 16
	recorderBytes = (Slots + headerWords) * wordBytes
	wordBytes     = 4
	magic         = 0x56445431 // VDT1
)

// SlotState is what a child does for one slot.
type SlotState uint32

// The states of a slot.
const (
	Idle      SlotState = iota
	Running             // it runs
	Loading             // its code is being built
	Lingering           // a run was given up, and part of it continues
)

// Recorder is the agent's end. It is only read with pread and never mapped, so
// that nothing a child does to the file can harm the agent.
type Recorder struct {
	file *os.File
}

// NewRecorder makes an empty recorder.
func NewRecorder() (*Recorder, error) {
	file, err := recorderFile(recorderBytes)
	if err != nil {
		return nil, fmt.Errorf("cannot make a flight recorder: %w", err)
	}
	return &Recorder{file: file}, nil
}

// File returns the file that the child has to inherit.
func (r *Recorder) File() *os.File { return r.file }

// Close frees the recorder.
func (r *Recorder) Close() error { return r.file.Close() }

// Read returns the slots that are not idle, and whether the child ever began to
// use the recorder.
func (r *Recorder) Read() (busy map[uint32]SlotState, used bool, err error) {
	data := make([]byte, recorderBytes)
	if _, err := r.file.ReadAt(data, 0); err != nil {
		return nil, false, fmt.Errorf("cannot read the flight recorder: %w", err)
	}
	if binary.NativeEndian.Uint32(data) != magic {
		return nil, false, nil
	}
	busy = make(map[uint32]SlotState)
	for slot := range uint32(Slots) {
		word := binary.NativeEndian.Uint32(data[(headerWords+slot)*wordBytes:])
		if s := SlotState(word); s != Idle && s <= Lingering {
			busy[slot] = s
		}
	}
	return busy, true, nil
}

// Marker is the child's end. A nil Marker records nothing.
type Marker struct {
	words []atomic.Uint32
}

// OpenMarker begins to use the recorder of the environment. It returns nil if
// there is none.
func OpenMarker() (*Marker, error) {
	file, err := inherited(EnvRecorder)
	if file == nil {
		return nil, err
	}
	defer file.Close()
	return mapMarker(file)
}

func mapMarker(file *os.File) (*Marker, error) {
	data, err := unix.Mmap(int(file.Fd()), 0, recorderBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map the flight recorder: %w", err)
	}
	// The mapping is aligned to a page and lives as long as the process.
	words := unsafe.Slice((*atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(data))), Slots+headerWords)
	words[0].Store(magic)
	return &Marker{words: words}, nil
}

// Mark says what the child does for a slot from now on.
func (m *Marker) Mark(slot uint32, state SlotState) {
	if m == nil || slot >= Slots {
		return
	}
	m.words[headerWords+slot].Store(uint32(state))
}
