package truth_test

import (
	"math/rand"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth/generate"
)

// TestShadow holds that programs with other names are well-typed, and that there
// are some.
func TestShadow(t *testing.T) {
	lib := library(t)
	r := rand.New(rand.NewSource(rand.Int63()))
	changed := 0
	for range 60 {
		text := generate.Program(r.Int63())
		if _, faults := lib.Check(text); len(faults) > 0 {
			continue
		}
		other := lib.Shadow(text, r)
		if _, faults := lib.Check(other); len(faults) > 0 {
			t.Errorf("not well-typed: %v\n%s", faults[0], other)
		}
		if other != text {
			changed++
		}
	}
	if changed < 10 {
		t.Errorf("only %d programs have other names", changed)
	}
}
