package secretfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
		want string // or the error
	}{
		"good":  {" hunter2 \n", 0o640, "hunter2"},
		"open":  {"hunter2", 0o644, "chmod o= "},
		"blank": {" \n", 0o600, "2 bytes; 1 to"},
		"long":  {strings.Repeat("a", Max+1), 0o600, "bytes; 1 to"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, file.want) || err != nil && strings.Contains(got, "hunter2") {
			t.Errorf("%s: %q, want %q", name, got, file.want)
		}
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadEnv("VEDETTE_NOT_SET", "dsn_file"); err == nil || !strings.Contains(err.Error(), "VEDETTE_NOT_SET is not set") {
		t.Errorf("a variable that is not set: %v", err)
	}
}
