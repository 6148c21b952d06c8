package plugins

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Children have another current directory, so the folder of their sockets must not depend
// on ours.
func TestRunFolderIsAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, _, err := newRunDir("relative")
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

// A data folder that cannot be used, whatever is wrong with it, leaves the sockets
// elsewhere and says why.
func TestRunFolderElsewhere(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp") // a short one
	for name, spoil := range map[string]func(dir string) error{
		"a file": func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
		"a file above it": func(dir string) error {
			return errors.Join(os.Remove(filepath.Dir(dir)), os.WriteFile(filepath.Dir(dir), nil, 0o600))
		},
		"a lock that is a folder": func(dir string) error { return os.MkdirAll(filepath.Join(dir, lockName), 0o700) },
		"a link":                  func(dir string) error { return os.Symlink("/nowhere/at/all", dir) },
	} {
		t.Run(name, func(t *testing.T) {
			above, err := os.MkdirTemp("/tmp", "x")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(above)
			data := filepath.Join(above, "data")
			if err := spoil(data); err != nil {
				t.Fatal(err)
			}
			dir, instead, err := newRunDir(data)
			if err != nil || instead == nil {
				t.Fatalf("got %v, %v, %v; want a folder and why it is elsewhere", dir, instead, err)
			}
			if within := strings.HasPrefix(dir.path, above); within {
				t.Errorf("the folder is %q", dir.path)
			}
			if err := dir.remove(); err != nil {
				t.Error(err)
			}
		})
	}
}
