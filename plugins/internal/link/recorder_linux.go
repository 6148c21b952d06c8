package link

import (
	"os"

	"golang.org/x/sys/unix"
)

// recorderFile makes a file in memory whose size can no longer be changed.
func recorderFile(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("vedette-recorder", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "vedette-recorder")
	if err := file.Truncate(size); err != nil {
		_ = file.Close()
		return nil, err
	}
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		_ = file.Close()
		return nil, os.NewSyscallError("fcntl F_ADD_SEALS", err)
	}
	return file, nil
}
