package truth

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth/generate"
	"go.uber.org/goleak"
)

// TestShrink hides a trap in random programs and makes them smaller with a judge
// that knows it: of each little more than the trap is left, and it is well-typed.
func TestShrink(t *testing.T) {
	defer goleak.VerifyNone(t)
	lib, err := NewLibrary()
	if err != nil {
		t.Fatal(err)
	}
	const trap = "\tfor i, trap := 0, 7; i < 2; i++ {\n\t\tif trap > i {\n\t\t\tfmt.Println(\"trapped\", trap)\n\t\t}\n\t}\n"
	judge := func(jobs []Job) ([]Verdict, error) {
		var list []Verdict
		for _, j := range jobs {
			v := Verdict{Job: j, Class: Equal}
			if _, faults := lib.Check(j.Source); len(faults) > 0 {
				t.Errorf("a smaller program is not well-typed: %v\n%s", faults[0], j.Source)
			}
			if strings.Contains(j.Source, "trap > ") && strings.Contains(j.Source, "for ") {
				v.Class = Wrong
			}
			list = append(list, v)
		}
		return list, nil
	}
	var bad []Verdict
	for r, seed := rand.New(rand.NewSource(rand.Int63())), int64(0); len(bad) < 2; seed = r.Int63() {
		text := generate.Program(seed)
		at := strings.Index(text, "\nfunc Inspect()")
		if at < 0 {
			continue
		}
		end := at + strings.Index(text[at+1:], "\n") + 2
		text = text[:end] + trap + text[end:]
		if _, faults := lib.Check(text); len(faults) > 0 {
			continue
		}
		bad = append(bad, Verdict{Job: Job{Name: fmt.Sprint("seed ", seed), Source: text}, Class: Wrong})
	}
	s := lib.shrinker(bad, judge)
	for more, rounds := true, 0; more; rounds++ {
		if more, err = s.Round(); err != nil {
			t.Fatal(err)
		}
		if rounds > 400 {
			t.Fatal("it does not come to an end")
		}
	}
	for i, v := range s.Verdicts() {
		if lines := strings.Count(v.Job.Source, "\n"); lines > 20 {
			t.Errorf("%s: %d lines are left of %d:\n%s", v.Job.Name, lines, strings.Count(bad[i].Job.Source, "\n"), v.Job.Source)
		}
	}
}
