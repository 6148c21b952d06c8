// Package backup copies all that a master knows into a folder while the master runs,
// and makes a master of such a folder again: its state, the samples of its history, the
// programs of plugins, and the small files beside them, such as keys. What waits to be
// sent to other stores (master.remote_write) is not part of it.
//
// The master sends a stream (Source.Send), and whoever keeps the backup receives it
// (Folder.Receive): a tar archive that begins with the list of all files and ends with a mark, in which
// each file carries its checksum. Blocks of the history and programs never change, so
// what the folder has of them already is not sent again: a backup that was interrupted goes on
// where it was, and the next backup into one folder sends what is new.
//
// The folder holds backup.json, which lists its files with their checksums. It is replaced last,
// so that the folder is the old backup or the new one, never something between.
package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

const (
	// format is the version of the stream and of the folder.
	//
	// 	1 (2026-11-30)
	format = 1
	// ContentType is that of a stream.
	ContentType = "application/x-tar"

	manifestName = "backup.json"
	receivedName = "received" // what an interrupted backup has brought, a line of JSON each
	lockName     = "lock"
	beginName    = "begin"
	endName      = "end"
	failedName   = "failed"
	sumRecord    = "VEDETTE.sha256"
	statePrefix  = "state-"
	filesPrefix  = "files-"
	historyDir   = "history/"
	artefactsDir = "artefacts/"
	// maxFiles bounds the files of a backup, and maxList the bytes of their list.
	maxFiles = 1_000_000
	maxList  = 256 << 20
)

// ErrNotWhole is wrapped by the error of a stream that ended too soon. The files that
// came are kept, and the next attempt goes on from there.
var ErrNotWhole = errors.New("it ended before all of it had come")

// File is a file of a backup.
type File struct {
	Path   string `json:"path"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	// Kept says, in the list of a stream, that the receiver has it.
	Kept bool `json:"kept,omitempty"`
}

// Manifest lists a backup.
type Manifest struct {
	Format  int    `json:"format"`
	Version string `json:"version"` // of the master
	AtMS    int64  `json:"at_ms"`   // when it was begun, since 1970
	Files   []File `json:"files"`
}

// Bytes is how large it is.
func (m *Manifest) Bytes() (sum int64) {
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// Request is what a receiver has, by path: the sizes of files that never change.
type Request struct {
	Have map[string]int64 `json:"have"`
}

// Progress is told how far something is.
type Progress func(done, total int64)

// check finds what is wrong with a list that somebody else made.
func (m *Manifest) check() error {
	if m.Format > format {
		return fmt.Errorf("its format is %d, and this program knows %d: use the version that made it, %s, or a newer one", m.Format, format, m.Version)
	}
	if m.Format < 1 || len(m.Files) > maxFiles {
		return fmt.Errorf("it is no list of a backup: its format is %d, and it has %d files", m.Format, len(m.Files))
	}
	seen, states := make(map[string]bool, len(m.Files)), 0
	for _, f := range m.Files {
		dir, _, nested := strings.Cut(f.Path, "/")
		isState := strings.HasPrefix(f.Path, statePrefix) && !nested
		known := isState || nested && (dir+"/" == historyDir || dir+"/" == artefactsDir || strings.HasPrefix(dir, filesPrefix))
		if !known || !filepath.IsLocal(f.Path) || filepath.ToSlash(filepath.Clean(f.Path)) != f.Path || seen[f.Path] || f.Size < 0 {
			return fmt.Errorf("it lists the file %.200q of %d bytes, which no backup has", f.Path, f.Size)
		}
		seen[f.Path] = true
		if isState {
			states++
		}
	}
	if states != 1 {
		return fmt.Errorf("it lists %d states, and a backup has one", states)
	}
	return nil
}

// neverChanges tells whether a path stands for one content for ever.
func neverChanges(path string) bool {
	if strings.HasPrefix(path, artefactsDir) {
		return true
	}
	return strings.HasPrefix(path, historyDir) && (strings.Contains(path, "/chunks/") || strings.HasSuffix(path, "/index"))
}

func hexOf(sum []byte) string { return hex.EncodeToString(sum) }

func isSum(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == sha256.Size
}
