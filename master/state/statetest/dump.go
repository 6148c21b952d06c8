package statetest

import (
	"embed"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/vedettehq/vedette/master/state"
)

// fill puts something of everything into a store: three records in the log
// audit, and kind/a among the entries.
func fill(s *S) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	s.put("kind/a", `{"json": ["<&>", 1.0]}`, state.None)
	s.put("kind/binary", string(every), state.None)
	s.put("kind/empty", "", state.None)
	s.put("kind/text", "\x00 \" \\ \n\r\t \u2028 \ufffd é 😀", state.None)
	s.put("kind/cut-rune", "\xf0\x9f\x98", state.None)
	s.put("kind/large", strings.Repeat(string(every), 8<<10), state.None)
	for _, record := range []string{`{"who":"alice"}`, "", string(every)} {
		s.append("audit", record)
		s.append("audit.old", record+"x")
	}
}

// An export is the same whatever engine it comes from and went through.
func testRoundTrip(t *testing.T, s *S) {
	memory := newS(t, state.NewMemory())
	const nothing = "{\"vedette\":\"state\",\"format\":1}\n{\"end\":{\"entries\":0,\"records\":0}}\n"
	if got := s.export(); got != nothing {
		t.Errorf("an empty store is exported as\n%s", got)
	}
	if err := s.Import(t.Context(), strings.NewReader(nothing)); err != nil {
		t.Error(err)
	}
	fill(memory)
	want := memory.export()
	events := s.watch("")
	if err := s.Import(t.Context(), iotest.HalfReader(strings.NewReader(want))); err != nil {
		t.Fatal(err)
	}
	if got := waiting(events); got != "lost" {
		t.Errorf("a watcher got %q of an import", got)
	}
	if got := s.export(); got != want {
		t.Errorf("after an import there is\n%.2000s\nwant\n%.2000s", got, want)
	}
	if seq := s.append("audit", ""); seq != 4 {
		t.Errorf("after three records were imported the next is %d", seq)
	}
	s.put("kind/a", "new", memory.get("kind/a").Version)
	again := newS(t, state.NewMemory())
	if err := again.Import(t.Context(), strings.NewReader(strings.TrimSuffix(s.export(), "\n"))); err != nil {
		t.Fatal(err)
	}
	if again.export() != s.export() {
		t.Error("an export is imported as something else")
	}
	for _, key := range []string{"binary", "empty", "text", "cut-rune", "large"} {
		if got, want := again.get("kind/"+key), memory.get("kind/"+key); string(got.Value) != string(want.Value) {
			t.Errorf("%s has become %.100q", key, got.Value)
		}
	}
}

func testNotEmpty(t *testing.T, s *S) {
	dump := s.export()
	s.append("audit", "x")
	if err := s.Import(t.Context(), strings.NewReader(dump)); !errors.Is(err, state.ErrNotEmpty) {
		t.Errorf("with a record there: %v", err)
	}
	other := newS(t, state.NewMemory())
	other.put("kind/a", "x", state.None)
	if err := other.Import(t.Context(), strings.NewReader(dump)); !errors.Is(err, state.ErrNotEmpty) {
		t.Errorf("with an entry there: %v", err)
	}
}

// faults are exports that are not right. Beside each is what is said of it.
//
//go:embed testdata
var faults embed.FS

func testFaults(t *testing.T, s *S) {
	const dir = "testdata/faults"
	files, err := faults.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, f := range files {
		name, bad := strings.CutSuffix(f.Name(), ".ndjson")
		if !bad {
			continue
		}
		tried++
		content, err := faults.ReadFile(dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		message, err := faults.ReadFile(dir + "/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		wantFaults(t, s, name, string(content), strings.TrimSpace(string(message)))
	}
	if tried < 25 {
		t.Errorf("there were only %d exports with faults", tried)
	}
	broken := errors.New("the disk is broken")
	if err := s.Import(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails gave %v", err)
	}
	s.put("kind/a", "x", state.None)
}

// wantFaults wants an import to fail with a message and to leave nothing.
func wantFaults(t *testing.T, s *S, name, content, message string) {
	t.Helper()
	err := s.Import(t.Context(), strings.NewReader(content))
	if err == nil {
		t.Fatalf("%s: it was imported", name)
	}
	if _, got, _ := strings.Cut(err.Error(), ": "); got != message {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, message)
	}
	if errors.Is(err, state.ErrNewer) != strings.HasPrefix(name, "newer") {
		t.Errorf("%s: %v", name, err)
	}
	all, err := s.List(t.Context(), "")
	if err != nil || len(all) > 0 || s.records(s.Scan(t.Context(), "audit", 0)) != "" {
		t.Errorf("%s: %d entries are left, %v", name, len(all), err)
	}
}

func testCut(t *testing.T, s *S) {
	memory := newS(t, state.NewMemory())
	memory.put("kind/a", "é\xff", state.None)
	memory.put("kind/b", "text", state.None)
	memory.append("audit", "record")
	whole := strings.TrimSuffix(memory.export(), "\n")
	for i := range whole {
		if err := s.Import(t.Context(), strings.NewReader(whole[:i])); err == nil {
			t.Fatalf("the first %d of %d bytes were imported", i, len(whole))
		}
	}
	if err := s.Import(t.Context(), strings.NewReader(whole)); err != nil {
		t.Error(err)
	}
}
