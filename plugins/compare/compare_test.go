package compare

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// values makes the rounds of one series: each string holds the native, the
// interpreted and the control value of a round, "-" for none.
func values(t *testing.T, rounds ...string) []Round {
	t.Helper()
	run := func(word string) Run {
		var v float64
		if word == "-" {
			return Run{}
		}
		if _, err := fmt.Sscan(word, &v); err != nil {
			t.Fatal(err)
		}
		return Run{Samples: []inspectors.Sample{{Key: "k", Value: v}}}
	}
	var list []Round
	for _, r := range rounds {
		w := strings.Fields(r)
		list = append(list, Round{run(w[0]), run(w[1]), run(w[2])})
	}
	return list
}

// show writes a result in short.
func show(r *Result) string {
	var parts []string
	for _, d := range r.Differences {
		s := fmt.Sprintf("%s %s %d@%d %s|%s", d.Series, d.What, d.Rounds, d.First, d.Native, d.Interpreted)
		if d.Chance {
			s += " by chance"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func TestCompareValues(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rounds []string
		want   string
		exact  string // what Exact says, where it is something else
	}{
		{"a constant", []string{"2 2 2", "2 2 2", "2 2 2", "2 2 2"}, "", ""},
		{"another constant", []string{"2 3 2", "2 3 2", "2 3 2", "2 3 2"}, "k value 4@1 2|3", ""},
		{"a difference within the tolerance, but nothing moves", []string{"100 101 100", "100 101 100"}, "k value 2@1 100|101", ""},
		{"rounding", []string{"0.3 0.30000000000000004 0.3"}, "", "k value 1@1 0.3|0.30000000000000004"},
		{"state", []string{"1 1 1", "2 2 2", "3 3 3", "4 4 4"}, "", ""},
		{"lost state", []string{"1 1 1", "2 1 2", "3 1 3", "4 1 4"}, "k value 3@2 2|1", ""},
		{"state of its own", []string{"1 1 1", "2 3 2", "3 5 3", "4 7 4", "5 9 5"}, "k value 4@2 2|3", ""},
		{"a wrong start", []string{"0 7 0", "1 1 1", "2 2 2", "3 3 3"}, "k value 1@1 0|7", ""},
		{"something came and went", []string{"8 8 8", "8 9 8", "8 8 8", "8 8 8"}, "k value 1@2 8|9 by chance", "k value 1@2 8|9"},
		{"something came and went in few rounds", []string{"8 8 8", "8 9 8", "8 8 8"}, "k value 1@2 8|9", ""},
		{"live", []string{"10 11 12", "13 14 15", "9 8 7", "6 9 11"}, "", "k unsteady 4@1 10, then 12|11"},
		{"live and drifting", []string{"10 11 12", "13 14 15", "16 17 18", "19 20 21"}, "", "k unsteady 4@1 10, then 12|11"},
		{"live and near", []string{"10 13 12", "12 13 10", "10 13 12", "12 13.1 10"}, "", "k unsteady 4@1 10, then 12|13"},
		{"live and elsewhere", []string{"10 20 12", "12 21 10", "10 20 12", "12 20 10"}, "k range 4@1 10 to 12|20 to 21", "k unsteady 4@1 10, then 12|20"},
		{"live and in another unit", []string{"10 1024 12", "12 1500 10"}, "k range 2@1 10 to 12|1024 to 1500", "k unsteady 2@1 10, then 12|1024"},
		{"live and below 0", []string{"-10 -11 -12", "-12 -11 -10"}, "", "k unsteady 2@1 -10, then -12|-11"},
		{"live and of the other sign", []string{"-10 11 -12", "-12 11 -10"}, "k range 2@1 -12 to -10|11", "k unsteady 2@1 -10, then -12|11"},
		{"frozen", []string{"1 3 2", "2 3 3", "3 3 4", "4 3 5"}, "k frozen 4@1 1 to 5|3", "k unsteady 4@1 1, then 2|3"},
		{"seldom moves", []string{"1 1 1", "1 1 2", "2 1 2", "2 1 2"}, "", "k unsteady 1@2 1, then 2|1"},
		{"missing", []string{"1 - 1", "1 - 1", "1 - 1", "1 - 1"}, "k missing 4@1 1|-", ""},
		{"extra", []string{"- 1 -", "- 1 -"}, "k extra 2@1 -|1", ""},
		{"missing, though live", []string{"1 - 2", "2 - 3", "3 - 4"}, "k missing 3@1 1 to 4|-", "k unsteady 3@1 1, then 2|-"},
		{"comes and goes", []string{"1 1 -", "- 1 2", "1 - -", "- - 2"}, "", "k unsteady 4@1 1, then -|1"},
		{"unsteady", []string{"1 1 2"}, "", "k unsteady 1@1 1, then 2|1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Compare(values(t, tt.rounds...), Options{Tolerance: DefaultTolerance})
			if got := show(r); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if want := tt.want == "" || strings.HasSuffix(tt.want, "by chance"); r.Same() != want {
				t.Errorf("Same is %v, want %v", r.Same(), want)
			}
			want := tt.exact
			if want == "" {
				want = tt.want
			}
			exact := show(Compare(values(t, tt.rounds...), Options{Exact: true}))
			if !strings.HasPrefix(exact, want) || want == "" && exact != "" {
				t.Errorf("exactly, found %q, want %q", exact, want)
			}
		})
	}
}

func TestCompareLabelsAndKinds(t *testing.T) {
	labels := func(v string) inspectors.Labels { return inspectors.Labels{{Name: "dev", Value: v}} }
	run := func(l inspectors.Labels, k inspectors.Kind) Run {
		return Run{Samples: []inspectors.Sample{{Key: "k", Labels: l, Kind: k, Value: 1}}}
	}
	a := run(labels("sda"), inspectors.Gauge)
	r := Compare([]Round{{a, run(labels("sdb"), inspectors.Gauge), a}}, Options{})
	if got, want := show(r), `k{dev="sda"} missing 1@1 1|-; k{dev="sdb"} extra 1@1 -|1`; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	r = Compare([]Round{{a, run(labels("sda"), inspectors.Counter), a}}, Options{Tolerance: 1})
	if got, want := show(r), `k{dev="sda"} kind 1@1 gauge|counter`; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if r.Settled != 1 || r.Live != 0 || r.Rounds != 1 {
		t.Errorf("%+v", r)
	}
}

func TestCompareErrors(t *testing.T) {
	good := Run{Samples: []inspectors.Sample{{Key: "k", Value: 1}}}
	failed := func(text string) Run { return Run{Err: errors.New(text)} }
	for _, tt := range []struct {
		name   string
		rounds []Round
		want   string
	}{
		{"the same", []Round{{failed("x"), failed("x"), failed("x")}}, ""},
		{"only interpreted", []Round{{good, failed("x"), good}, {good, failed("x"), good}}, " error 2@1 -|x"},
		{"only native", []Round{{failed("x"), good, failed("x")}}, " error 1@1 x|-"},
		{"another text", []Round{{failed("x"), failed("{x 2}"), failed("x")}}, " error 1@1 x|{x 2}"},
		{"panics differ in words", []Round{{failed("panic: index out of range (a.go:3)"), failed("panic: a.go:3:1: reflect"), failed("panic: index")}}, ""},
		{"now and then", []Round{{failed("x"), good, good}, {good, failed("x"), good}}, ""},
		{"texts that always differ", []Round{{failed("from port 1"), failed("from port 2"), failed("from port 3")}}, ""},
		{"now and then only natively", []Round{{failed("x"), good, good}, {good, good, failed("y")}}, ""},
		{"once", []Round{{good, good, good}, {good, good, good}, {good, failed("x"), good}, {good, good, good}}, " error 1@3 -|x by chance"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(Compare(tt.rounds, Options{Tolerance: DefaultTolerance})); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCost(t *testing.T) {
	run := func(ms int) Run {
		return Run{Wall: time.Duration(ms) * time.Millisecond, CPU: time.Duration(ms) * time.Microsecond}
	}
	rounds := []Round{{run(1), run(50), run(2)}, {run(3), run(70), run(100)}, {run(2), run(60), run(2)}}
	if c := NativeCost(rounds); c.Wall != 2*time.Millisecond || c.CPU != 2*time.Microsecond {
		t.Errorf("native %+v", c)
	}
	if c := InterpretedCost(rounds); c.Wall != 60*time.Millisecond || c.CPU != 60*time.Microsecond {
		t.Errorf("interpreted %+v", c)
	}
	if c := NativeCost(nil); c != (Cost{}) {
		t.Errorf("of nothing %+v", c)
	}
}
