package plugins

import (
	"path/filepath"
	"testing"
)

// Children have a current directory of their own, so that the folder of their
// sockets must not depend on ours.
func TestRunFolderIsAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := newRunDir("relative")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := dir.remove(); err != nil {
			t.Error(err)
		}
	}()
	if !filepath.IsAbs(dir.path) {
		t.Errorf("the folder is %q", dir.path)
	}
}
