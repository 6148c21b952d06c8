//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package spool

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lock locks the file until it is closed or the process ends.
func lock(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrClaimed
	}
	return err
}

// mapFile maps the beginning of the file, shared.
func mapFile(file *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func unmap(mem []byte) error {
	if mem == nil {
		return nil
	}
	return unix.Munmap(mem)
}

// storeWord writes eight aligned bytes at once: a killed process has written all
// or none of them.
func storeWord(b []byte, n uint64) {
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], n)
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&b[0])), *(*uint64)(unsafe.Pointer(&word)))
}
