package catalog

import (
	"testing"

	"github.com/vedettehq/vedette/rpc/wire"
)

func TestRevisionDiff(t *testing.T) {
	code := func(source string) wire.Revision {
		return wire.Revision{ID: "aaaaaaaaaa", Code: wire.Code{Name: "x", Source: source}}
	}
	for _, tt := range []struct {
		from, to       string
		added, removed int
	}{
		{"", "", 0, 0},
		{"", "a\nb\n", 2, 0},
		{"a\n", "", 0, 1},
		{"a", "a\n", 0, 0},
		{"a\n\n\nb\n", "a\n\nc\n", 1, 2},
	} {
		text := revisionDiff(code(tt.from), code(tt.to))
		if added, removed := lineCounts(text); added != tt.added || removed != tt.removed {
			t.Errorf("%q to %q: +%d -%d, want +%d -%d:\n%s", tt.from, tt.to, added, removed, tt.added, tt.removed, text)
		}
	}
	if got, want := coloured("@@ -1 +1 @@\n-a\n+b\n", true), "\x1b[36m@@ -1 +1 @@\x1b[m\n\x1b[31m-a\x1b[m\n\x1b[32m+b\x1b[m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlanText(t *testing.T) {
	steps := []applyStep{
		{Name: "cpu", Change: changeNone},
		{Name: "disk", Change: changeCode, Revision: "1234567890", Added: 3, Removed: 1, To: "role=db", WasTo: "every host"},
		{Name: "gpu", Change: changeNew, Revision: "abcdef1234", Added: 12},
		{Name: "net", Change: changeHosts, To: "zone=a", WasTo: "zone=b"},
		{Name: "old", Change: changeLeft},
	}
	want := `  cpu   unchanged
~ disk  changed 12345678, +3 -1 lines, to role=db (was to every host)
+ gpu   new abcdef12, +12 -0 lines, to every host
~ net   same code, to zone=a (was to zone=b)
  old   only on the master
3 changes; --prune would delete what is only on the master
`
	if got := planText(steps, false); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
