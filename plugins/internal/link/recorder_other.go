//go:build !linux

package link

import "os"

// recorderFile makes a file whose name is already gone.
func recorderFile(size int64) (*os.File, error) {
	file, err := os.CreateTemp("", "vedette-recorder")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	if err := file.Truncate(size); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
