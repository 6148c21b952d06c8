package plugins

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

func revisionOf(name string) string {
	d := inspectors.Definition{Name: name, Script: &inspectors.Script{Source: "x"}}
	return d.Revision()
}

// life is one life of an agent: it runs inspectors one after the other, and
// dies while the last of them are running, or ends in good order.
type life struct {
	ran, running string // names
	clean        bool
	convicts     string // that the next life finds out
	suspects     string
}

func TestJournal(t *testing.T) {
	for name, lives := range map[string][]life{
		"twice":              {{ran: "a b", running: "b", suspects: "b"}, {ran: "a b", running: "b", convicts: "b"}},
		"one of two":         {{running: "a b", suspects: "a b"}, {running: "b", convicts: "b"}},
		"not in a row":       {{running: "a", suspects: "a"}, {running: "b", suspects: "b"}, {running: "a", suspects: "a"}},
		"good order between": {{running: "a", suspects: "a"}, {ran: "a", clean: true, suspects: "a"}, {running: "a", convicts: "a"}},
		"good order":         {{running: "a", clean: true}, {running: "a", clean: true}},
		"convicted once":     {{running: "a", suspects: "a"}, {running: "a", convicts: "a"}, {ran: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "running")
			for i, l := range lives {
				l.live(t, path)
				j, convicts, err := openJournal(path)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, c := range convicts {
					if c.revision != revisionOf(c.name) {
						t.Errorf("the revision of %s is %s", c.name, c.revision)
					}
					names = append(names, c.name)
				}
				if got := strings.Join(names, " "); got != l.convicts {
					t.Errorf("after life %d %q are convicted, want %q", i, got, l.convicts)
				}
				for _, name := range []string{"a", "b"} {
					if want := strings.Contains(l.suspects, name); j.suspects(name) != want {
						t.Errorf("after life %d: %s is a suspect: %v, want %v", i, name, !want, want)
					}
				}
				_ = j.close() // looking does not count as a life
			}
		})
	}
}

func (l life) live(t *testing.T, path string) {
	t.Helper()
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		j.enroll(name, revisionOf(name))
	}
	for name := range strings.FieldsSeq(l.ran) {
		j.begin([]string{name})
		j.end(name)
	}
	j.begin(strings.Fields(l.running))
	if l.clean {
		err = j.close()
	} else {
		err = j.file.Close() // as the kernel does
	}
	if err != nil || j.err != nil {
		t.Fatal(err, j.err)
	}
}

func TestJournalForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "running")
	life{running: "a b"}.live(t, path)
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	j.enroll("a", revisionOf("a"))
	for i := range absolution {
		if !j.suspects("a") {
			t.Fatalf("forgotten after %d runs", i)
		}
		j.begin([]string{"a"})
		j.end("a")
	}
	if j.suspects("a") {
		t.Errorf("not forgotten after %d runs", absolution)
	}
	j.enroll("b", revisionOf("another"))
	if j.suspects("b") {
		t.Error("a new revision bears what the old one did")
	}
}

func TestJournalOfTwoAgents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "running")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	if _, _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), "another agent") {
		t.Errorf("a second agent: %v", err)
	}
}

func TestNoJournal(*testing.T) {
	var j *journal
	j.enroll("a", revisionOf("a"))
	j.end("a")
	j.forgive("a")
	_ = j.close()
}

// Whatever stands in the file, an agent starts with it.
func FuzzJournal(f *testing.F) {
	record := bytes.Repeat([]byte{1}, recordBytes)
	header := append([]byte(journalMagic), make([]byte, recordBytes-len(journalMagic))...)
	f.Add(append(header, record...))
	f.Add(header[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "running")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, convicts, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range convicts {
			if inspectors.ValidateKey(c.name) != nil || len(c.revision) != 64 {
				t.Errorf("convict %+v", c)
			}
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Pauses grow from ten seconds to ten minutes; only what a master sent, and was
// running when the agent died, can be kept out for longer, and never for good.
func TestPauses(t *testing.T) {
	p := NewPool(PoolOptions{})
	defer p.Close()
	own, pushed := inspectors.Definition{}, inspectors.Definition{Pushed: true}
	for times, want := range []time.Duration{10 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second} {
		if got := p.pauseOf(quarantineRecord{Times: times}, &own); got != want {
			t.Errorf("quarantine %d lasts %v, want %v", times, got, want)
		}
	}
	for _, times := range []int{7, 8, 100, 1 << 30} {
		for _, killer := range []bool{false, true} {
			if got := p.pauseOf(quarantineRecord{Times: times, Killer: killer}, &own); got != longestPause {
				t.Errorf("quarantine %d lasts %v", times, got)
			}
		}
		if got := p.pauseOf(quarantineRecord{Times: times}, &pushed); got != longestPause {
			t.Errorf("quarantine %d of pushed code lasts %v", times, got)
		}
		if got := p.pauseOf(quarantineRecord{Times: times, Killer: true}, &pushed); got <= longestPause || got > longestPauseOfKillers {
			t.Errorf("quarantine %d of pushed code that was running when the agent died lasts %v", times, got)
		}
	}
}
