package truth_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"github.com/vedettehq/vedette/inspectors/script/internal/truth/generate"
)

// TestPanicsNameTheirLine has random programs panic at random places. A panic that ends
// a run names the line of the author at which Go's own panic was.
func TestPanicsNameTheirLine(t *testing.T) {
	lib := library(t)
	seed := number(t, "TRUTH_SEED", 1)
	n := int(number(t, "TRUTH_PANICS", panicking))
	r := rand.New(rand.NewSource(seed))
	var jobs []truth.Job
	for len(jobs) < n {
		text := generate.Program(r.Int63())
		if text = lib.Panicking(text, r); text != "" {
			jobs = append(jobs, truth.Job{Name: fmt.Sprintf("p%d", len(jobs)), Source: text, Runs: 1, Timeout: patience, AcceptedOnly: true})
		}
	}
	native, err := lib.Native(".", jobs)
	if err != nil {
		t.Fatal(err)
	}
	interpreted, err := truth.Interpret(jobs)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, j := range jobs {
		one, other := native[j.Name], interpreted[j.Name]
		if one.End != truth.EndPanic || other.Refused != "" {
			continue
		}
		typed, _ := lib.Check(j.Source)
		switch want := typed.StatementAt(one.Line); {
		case other.End != truth.EndPanic:
			t.Errorf("%s: natively %s, interpreted %q %s", j.Name, one.Fault, other.End, other.Fault)
		case typed.StatementAt(other.Line) != want:
			t.Errorf("%s: the panic was in line %d (a statement that begins in %d), natively %s, interpreted %s\n%s", j.Name, one.Line, want, one.Fault, other.Fault,
				j.Source)
		default:
			same++
		}
	}
	t.Logf("%d of %d programs panic at the same line", same, len(jobs))
	if same < n/5 {
		t.Errorf("only %d of %d programs panic at all", same, n)
	}
}
