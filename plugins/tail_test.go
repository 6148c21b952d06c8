package plugins_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// tailing is a script that follows a log, and yields how many lines there were.
func tailing(name, needs, path string) inspectors.Definition {
	return needing(name, "//vedette:needs fs:"+needs, fmt.Sprintf(`package tailing

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

var file = inspectors.NewTail(%q, inspectors.TailOptions{FromStart: true})

func Inspect(ctx context.Context) (float64, error) {
	lines, err := file.Lines(ctx)
	return float64(len(lines)), err
}
`, path))
}

// A script in its sandbox goes on with the file that replaces a log, whether it needs the
// folder or the file alone. What it does not need it cannot follow.
func TestScriptsFollowLogs(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	file := filepath.Join(dir, "app.log")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(tailing("folder", dir, file), tailing("file", file, file), tailing("other", "/var/log/nothing", file))
	lines := func(want float64) {
		t.Helper()
		for name, o := range f.run(testTimeout, "folder", "file") {
			if o.Err != nil || len(o.Samples) != 1 || o.Samples[0].Value != want {
				t.Errorf("%s has %v lines, want %v (%v)", name, o.Samples, want, o.Err)
			}
		}
	}
	write("one\ntwo\nand ha")
	lines(2)
	if o := f.runOne("other"); o.Err == nil || !strings.Contains(o.Err.Error(), "//vedette:needs fs:"+file) {
		t.Errorf("a script without the need: %v, %v", o.Samples, o.Err)
	}
	for i := range 3 {
		if err := os.Rename(file, fmt.Sprintf("%s.%d", file, i)); err != nil {
			t.Fatal(err)
		}
		lines(0)
		write("of a new file\n")
		lines(1)
	}
}
