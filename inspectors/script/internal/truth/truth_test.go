package truth_test

import (
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"github.com/vedettehq/vedette/inspectors/script/internal/truth/generate"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	truth.Child()
	goleak.VerifyTestMain(m)
}

// patience is the deadline of one run of a program that must end.
const patience = 2 * time.Minute

func library(t *testing.T) *truth.Library {
	t.Helper()
	lib, err := truth.NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// programs makes n programs of the seeds from seed on. Where one is not
// well-typed, which is the generator's fault, the next one takes its place.
func programs(t *testing.T, lib *truth.Library, seed int64, n int) []string {
	t.Helper()
	var list []string
	faults := 0
	for ; len(list) < n; seed++ {
		text := generate.Program(seed)
		if _, bad := lib.Check(text); len(bad) > 0 {
			faults++
			if testing.Verbose() {
				t.Logf("seed %d is not well-typed: %v", seed, bad[0])
			}
			continue
		}
		if seed%2 == 0 {
			text = lib.Shadow(text, rand.New(rand.NewSource(seed)))
		}
		list = append(list, text)
	}
	if faults*10 > n {
		t.Errorf("%d of %d programs were not well-typed", faults, n+faults)
	}
	return list
}

// survey holds n programs against Go, each with its state over three runs.
func survey(t *testing.T, lib *truth.Library, seed int64, n int) *truth.Tally {
	t.Helper()
	const chunk = 500 // programs in one native build
	tally := truth.NewTally()
	for done := 0; done < n; done += chunk {
		verdicts, err := lib.Compare(".", programs(t, lib, seed+int64(done)*2, min(chunk, n-done)), 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			tally.Add(v)
			if v.Class == truth.Unfit && os.Getenv("TRUTH_DIR") != "" {
				_ = os.WriteFile(filepath.Join(os.Getenv("TRUTH_DIR"), "unfit-"+v.Job.Name+".txt"), []byte(v.Native.Fault+"\n"+v.Job.Source), 0o600)
			}
		}
		if n > chunk {
			t.Logf("%s: %d done: %v", time.Now().Format(time.TimeOnly), done+len(verdicts), tally.Counts)
		}
	}
	t.Logf("seed %d: %s", seed, tally)
	return tally
}

// shrunk makes some of the bad programs smaller for some time, and shows them. With
// TRUTH_DIR they are written there too, after each step.
func shrunk(t *testing.T, lib *truth.Library, tally *truth.Tally, most int, atMost time.Duration) {
	t.Helper()
	until := time.Now().Add(atMost)
	s := lib.Shrinker(".", tally.Choose(most))
	for more := true; more && time.Now().Before(until); {
		var err error
		if more, err = s.Round(); err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("TRUTH_DIR"); dir != "" {
			for _, v := range s.Verdicts() {
				if err := os.WriteFile(filepath.Join(dir, v.Job.Name+".go"), []byte(v.Show()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, v := range s.Verdicts() {
		t.Logf("%s\n", v.Show())
	}
}

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("cannot read %s: %v", name, err)
	}
	return n
}

// TestTruth is make truth: TRUTH_N programs of a seed that is new each time.
func TestTruth(t *testing.T) {
	n := number(t, "TRUTH_N", 0)
	if n == 0 {
		t.Skip("TRUTH_N says how many programs; make truth sets it")
	}
	lib := library(t)
	tally := survey(t, lib, number(t, "TRUTH_SEED", time.Now().UnixNano()>>20), int(n))
	verify(t, tally, 0.1)
	if len(tally.Bad) > 0 {
		shrunk(t, lib, tally, int(number(t, "TRUTH_MOST", 20)), time.Duration(number(t, "TRUTH_MINUTES", 10))*time.Minute)
	}
}

// TestGenerated holds programs that nobody chose against Go: some hundreds of a
// fixed seed here, any number of any seed by make truth.
func TestGenerated(t *testing.T) {
	const seed = 1
	verify(t, survey(t, library(t), seed, generated), 0.1)
}

// TestProgram holds that a seed stands for one program, and that programs are
// made of every kind of statement.
func TestProgram(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range int64(40) {
		text := generate.Program(seed)
		if text != generate.Program(seed) {
			t.Fatalf("seed %d gives two programs", seed)
		}
		seen[text] = true
	}
	if len(seen) < 40 {
		t.Errorf("40 seeds give %d programs", len(seen))
	}
	if n := len(generate.Kinds()); n < 100 {
		t.Errorf("there are only %d kinds of statements", n)
	}
}

// verify checks the promises about accepted programs: none is wrong, all end, and at most
// some percent fail loudly.
func verify(t *testing.T, tally *truth.Tally, loudPercent float64) {
	t.Helper()
	if n := tally.Counts[truth.Wrong]; n > 0 {
		t.Errorf("%d programs are accepted, and wrong", n)
	}
	if n := tally.Counts[truth.Hang]; n > 0 {
		t.Errorf("%d programs are accepted, and do not end", n)
	}
	if n := tally.Counts[truth.Loud]; float64(n)*100 > loudPercent*float64(tally.Accepted()) {
		t.Errorf("%d of %d programs are accepted, and fail loudly", n, tally.Accepted())
	}
	all := 0
	for _, n := range tally.Counts {
		all += n
	}
	if tally.Accepted()*100 < minAcceptedPercent*all {
		t.Errorf("only %d of %d programs were held against Go: the others say nothing", tally.Accepted(), all)
	}
	for _, v := range tally.Choose(5) {
		t.Logf("%s\n", v.Show())
	}
}

// minAcceptedPercent of the programs must be accepted, and run natively: a
// generator whose programs are unfit or refused would find nothing.
const minAcceptedPercent = 95

// One program that fails before main says nothing, and the others of its build
// all they have to.
func TestProgramsThatFailToInitialise(t *testing.T) {
	const good = "package inspector\n\nfunc Inspect() (float64, error) { return 7, nil }\n"
	const bad = "package inspector\n\nvar m map[string]int\n\nfunc init() { m[\"a\"] = 1 }\n\nfunc Inspect() (float64, error) { return 8, nil }\n"
	var sources []string
	for i := range 7 {
		sources = append(sources, good)
		if i%3 == 1 {
			sources[i] = bad
		}
	}
	verdicts, err := library(t).Compare(".", sources, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		want := truth.Equal
		if sources[i] == bad {
			want = truth.Unfit
		}
		if v.Class != want {
			t.Errorf("program %d is %s, want %s: %s %s", i, v.Class, want, v.Native.Fault, v.Interpreted.Fault)
		}
	}
}
