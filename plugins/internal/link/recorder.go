package link

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The flight recorder is a small file in memory that agent and child share. It
// holds one word a slot; the child writes there what it is about to do in the
// name of that slot. After the death of the child the agent reads what was
// going on, however sudden the death was.
//
// The first words are a header: a magic number that the child writes when it
// takes the recorder into use, so that the agent can tell an empty recorder
// from one that was never used.

// Slots is the number of slots of a recorder.
const Slots = 16384 - headerWords

const (
	headerWords   = 16
	recorderBytes = (Slots + headerWords) * wordBytes
	wordBytes     = 4
	magic         = 0x56445431 // VDT1
)

// SlotState is what a child did in the name of one slot.
type SlotState uint32

// The states of a slot.
const (
	Idle      SlotState = iota
	Running             // a run is under way
	Loading             // its code is being built
	Lingering           // a run was given up, and part of it goes on
)

// Recorder is the agent's end. It is read with pread alone, never mapped, so
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

// File returns what the child has to inherit.
func (r *Recorder) File() *os.File { return r.file }

// Close frees the recorder.
func (r *Recorder) Close() error { return r.file.Close() }

// Read returns the slots that are not idle, and whether the child ever took
// the recorder into use.
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

// OpenMarker takes the recorder of the environment into use. It returns nil
// where there is none.
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

// Mark says what is done in the name of a slot from now on.
func (m *Marker) Mark(slot uint32, state SlotState) {
	if m == nil || slot >= Slots {
		return
	}
	m.words[headerWords+slot].Store(uint32(state))
}
