package inspectors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// A line without an end is a line at exactly the length up to which lines are kept, with
// whatever is before it; one byte more and it is cut.
func TestTailBeginsAtTheLongestLine(t *testing.T) {
	for range 50 {
		longest := 1 + rand.IntN(200)
		for _, more := range []int{-1, 0, 1, 2} {
			for _, before := range []string{"", "x\n", strings.Repeat("y", 300) + "\n", "\n"} {
				l := newLogFile(t)
				half := strings.Repeat("z", max(0, longest+more))
				l.write(before + half)
				tail := NewTail(l.path, TailOptions{MaxLineBytes: longest})
				l.wants(tail)
				l.write("end\nnext\n")
				lines, err := tail.Lines(t.Context())
				l.must(err)
				want := []string{(half + "end")[:min(longest, len(half)+3)], "next"[:min(4, longest)]}
				if more > 0 && before != "" || more > 1 { // its beginning is before what was looked at
					want = want[1:]
				}
				if fmt.Sprint(lines) != fmt.Sprint(want) {
					t.Fatalf("longest %d, %d bytes after %q: %q, want %q", longest, len(half), before, lines, want)
				}
			}
		}
	}
}

// kept has a Tail read in a run that leaves its state.
func kept(t *testing.T, tail *Tail, state []byte) (lines []string, left []byte) {
	t.Helper()
	k := NewKept(state)
	lines, err := tail.Lines(WithKept(t.Context(), k))
	if err != nil {
		t.Fatal(err)
	}
	left, _ = k.Leave()
	return lines, left
}

// The number of a file may be that of one that was removed: another file is not read from
// an old place, and one that is not of the log not at all.
func TestTailKnowsForeignFiles(t *testing.T) {
	l := newLogFile(t)
	l.write("one\ntwo\n")
	lines, state := kept(t, NewTail(l.path, TailOptions{FromStart: true}), nil)
	if len(lines) != 2 {
		t.Fatalf("got %q", lines)
	}
	// The same file with other content is one that has got its number.
	l.must(os.WriteFile(l.path, []byte("other\nfile\nwhich is longer\n"), 0o644))
	if lines, _ := kept(t, NewTail(l.path, TailOptions{}), state); fmt.Sprint(lines) != "[other file which is longer]" {
		t.Errorf("got %q", lines)
	}
	l.must(os.Rename(l.path, strings.TrimSuffix(l.path, "app.log")+"foreign.log"))
	l.write("new\n")
	if lines, _ := kept(t, NewTail(l.path, TailOptions{}), state); fmt.Sprint(lines) != "[new]" {
		t.Errorf("got %q", lines)
	}
}

// The kept state is bounded: the entries that have not changed for longest go first.
func TestKeptIsBounded(t *testing.T) {
	state, changed := NewKept(nil).Leave()
	if len(state) != 0 || changed {
		t.Errorf("a run that keeps nothing leaves %q", state)
	}
	for i := range 200 {
		k := NewKept(state)
		k.put(fmt.Sprint("entry ", i), []byte(`"`+strings.Repeat("x", 1000)+`"`))
		k.put("entry 0", fmt.Append(nil, i))
		if state, changed = k.Leave(); !changed || len(state) > MaxKeptBytes {
			t.Fatalf("%d bytes, %v", len(state), changed)
		}
	}
	k := NewKept(state)
	for name, want := range map[string]bool{"entry 0": true, "entry 1": false, "entry 199": true, "entry 180": true} {
		if got := k.get(name) != nil; got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	if left, changed := k.Leave(); changed || !bytes.Equal(left, state) {
		t.Error("a run that puts nothing changes something")
	}
	k = NewKept(state)
	k.put("new", []byte("1"))
	k.Discard()
	if left, changed := k.Leave(); changed || !bytes.Equal(left, state) {
		t.Error("a run that is discarded leaves something")
	}
	(*Kept)(nil).Discard()
}

// Whatever the state is, a Tail does not panic, and reads no line that is not in its file.
func FuzzTailState(f *testing.F) {
	f.Add([]byte(`{"files":[{"dev":1,"ino":2,"offset":4,"half":3,"over":1,"head":{"bytes":4,"sum":"00"},"mark":{"bytes":0}}]}`), true)
	f.Add([]byte(`{"files":null}`), false)
	f.Fuzz(func(t *testing.T, entry []byte, real bool) {
		l := newLogFile(t)
		l.write("one\ntwo\nand half")
		if real { // with the numbers of the file
			info, err := os.Stat(l.path)
			l.must(err)
			dev, ino := numberOf(info)
			entry = bytes.ReplaceAll(entry, []byte(`"dev":1,"ino":2`), fmt.Appendf(nil, `"dev":%d,"ino":%d`, dev, ino))
		}
		k := NewKept(nil)
		k.put(l.path, entry)
		lines, err := NewTail(l.path, TailOptions{}).Lines(WithKept(t.Context(), k))
		l.must(err)
		for _, line := range lines {
			if !strings.Contains("one\ntwo\nand half", line) {
				t.Errorf("%q", line)
			}
		}
		if state, _ := k.Leave(); len(state) > MaxKeptBytes {
			t.Errorf("it leaves %d bytes", len(state))
		}
	})
}
