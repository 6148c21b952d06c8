package bounds

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

func plain() parser.Parser { return parser.NewParser(parser.Options{}) }

func TestTextThatIsNotParsed(t *testing.T) {
	many := func(n int, text string) string { return strings.Repeat(text, n) }
	for name, input := range map[string]string{
		"a long name":            many(MaxBytes+1, "x"),
		"a long string":          `label_replace(x, "a", "` + many(MaxBytes, "y") + `", "b", "")`,
		"a long regular one":     `{a=~"` + many(MaxBytes, "(a|b)*") + `"}`,
		"terms":                  "1" + many(8000, "+1"),
		"terms of all kinds":     "x" + many(70, " and x * x ^ x"),
		"comparisons":            "x" + many(300, " > bool 1"),
		"brackets":               many(8000, "(") + "1" + many(8000, ")"),
		"brackets left open":     many(8000, "("),
		"calls":                  many(250, "abs(") + "x" + many(250, ")"),
		"aggregations":           many(201, "sum(") + "x" + many(201, ")"),
		"signs":                  many(16000, "-") + "1",
		"signs with space":       many(5000, "- + ") + "1",
		"subqueries of another":  "x" + many(2000, "[1h:1m]"),
		"offsets":                "x" + many(1000, " offset 1m"),
		"times":                  "x" + many(1000, " @ 1"),
		"terms in brackets":      many(15, "(1"+many(15, "+1")+"+") + "1" + many(15, ")"),
		"terms after brackets":   many(150, "(") + "1" + many(150, ")") + many(60, "+1"),
		"terms in an argument":   "round(x, 1" + many(250, "+1") + ")",
		"terms after a comma":    "f(1,1,1,1" + many(250, "+1") + ")",
		"terms behind a comment": "1" + many(150, "+1 #((((\n") + many(60, "+1"),
	} {
		err := Text(input)
		if !errors.Is(err, ErrText) {
			t.Errorf("%s: %v", name, err)
		}
		for _, parse := range []func(string) error{
			func(s string) error { _, err := Parser(plain()).ParseExpr(s); return err },
			func(s string) error { _, err := Parser(plain()).ParseMetric(s); return err },
			func(s string) error { _, err := Parser(plain()).ParseMetricSelector(s); return err },
			func(s string) error { _, err := Parser(plain()).ParseMetricSelectors([]string{"up", s}); return err },
			func(s string) error { _, _, err := Parser(plain()).ParseSeriesDesc(s); return err },
		} {
			if err := parse(input); !errors.Is(err, ErrText) {
				t.Errorf("%s: a parser gave %v", name, err)
			}
		}
	}
	if _, err := Parser(plain()).ParseMetricSelectors(strings.Split(many(MaxSelectors, "x ")+"x", " ")); !errors.Is(err, ErrText) {
		t.Errorf("many selectors: %v", err)
	}
	if _, err := Parser(plain()).ParseMetricSelectors([]string{many(MaxBytes-10, "x"), "yyyyyyyyyyyy"}); !errors.Is(err, ErrText) {
		t.Errorf("long selectors: %v", err)
	}
}

func TestTextThatIsParsed(t *testing.T) {
	wide := "f(" + strings.Repeat("1+1,", 1000) + "1)"
	sets := `x{` + strings.Repeat(`a!="b",`, 1000) + `}`
	for _, input := range []string{
		"", "(", "x{", "1 +", `sum by (host) (rate(x{a="b",c!~"d|e"}[5m] offset 1d)) / on (host) group_left x > bool 3`,
		"max_over_time(rate(x[5m])[1d:1m])", wide, sets, strings.Repeat("(", 198) + "1" + strings.Repeat(")", 198), "1" + strings.Repeat("+1", 198),
	} {
		if err := Text(input); err != nil {
			t.Errorf("%.80s: %v", input, err)
		}
	}
}

// depth returns how many nodes are within each other.
func depth(node parser.Node) int {
	deepest := 0
	for child := range parser.ChildrenIter(node) {
		deepest = max(deepest, depth(child))
	}
	return 1 + deepest
}

// Whatever passes is not deeper than the limit says, give or take the level of a
// leaf. The texts are made by chance.
func TestRandomTextIsAsDeepAsItSeems(t *testing.T) {
	words := []string{
		"(", "(", "(", ")", ")", "-", "+", "1", "x", "x", "abs(", "sum(", "sum by (a) (", ",", "{", "}", `a="b"`, "[5m]", "[1h:1m]", "[1h:]",
		" offset 1m", " @ 5", " @ end()", " and ", " == bool ", "*", "^", "rate(", " on (a) ", " unless ", "\n", "#", "round(", " atan2 ",
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	parsed := 0
	for range 4000 {
		var b strings.Builder
		if random.IntN(2) == 0 {
			grow(random, &b, 2+random.IntN(250))
		} else {
			for range random.IntN(400) {
				b.WriteString(words[random.IntN(len(words))])
			}
		}
		expr, err := Parser(plain()).ParseExpr(b.String())
		if err != nil {
			continue
		}
		parsed++
		if d := depth(expr); d > MaxLevels+1 {
			t.Fatalf("%d levels passed:\n%s", d, b.String())
		}
	}
	if parsed < 200 {
		t.Errorf("only %d texts were expressions", parsed)
	}
}

// grow writes an expression of so many levels.
func grow(random *rand.Rand, b *strings.Builder, levels int) {
	if levels <= 0 {
		b.WriteString("x")
		return
	}
	switch random.IntN(7) {
	case 0:
		b.WriteString("(")
		grow(random, b, levels-1)
		b.WriteString(")")
	case 1:
		grow(random, b, levels-1)
		b.WriteString([]string{" + 1", " and x", " * x", " ^ 2", " > bool 1"}[random.IntN(5)])
	case 2:
		b.WriteString("1 - ")
		grow(random, b, levels-1)
	case 3:
		b.WriteString("-")
		grow(random, b, levels-1)
	case 4:
		b.WriteString("sum by (a, b) (")
		grow(random, b, levels-1)
		b.WriteString(")")
	case 5:
		b.WriteString("max_over_time((")
		grow(random, b, levels-3)
		b.WriteString(")[1h:1m])")
	default:
		b.WriteString("round(")
		grow(random, b, levels-1)
		b.WriteString(", 5)")
	}
}

func FuzzText(f *testing.F) {
	f.Add("sum(rate(x[5m])) / 2")
	f.Add("((((")
	f.Add("x[1h:1m][1h:1m]")
	f.Fuzz(func(t *testing.T, input string) {
		expr, err := Parser(plain()).ParseExpr(input)
		if err == nil && depth(expr) > MaxLevels+1 {
			t.Errorf("%d levels passed", depth(expr))
		}
	})
}

func steps(t *testing.T, query string, r Range) error {
	t.Helper()
	expr, err := plain().ParseExpr(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return Steps(expr, r, time.Minute)
}

var (
	now     = time.Unix(1_800_000_000, 0)
	instant = Range{Start: now, End: now}
	day     = Range{Start: now.Add(-24 * time.Hour), End: now, Step: 10 * time.Second}
	tiny    = Range{Start: now.Add(-11 * time.Second), End: now, Step: time.Millisecond}
)

func TestStepsThatAreTooMany(t *testing.T) {
	for _, query := range []string{
		"sum_over_time(vector(1)[15d:1ms])",
		"sum_over_time(vector(1)[15d:1ms] @ 1)",
		"sum_over_time(vector(1)[15d:1ms] @ end())",
		"sum_over_time(vector(1)[15d:1ms] offset 30d)",
		"sum_over_time(vector(1)[15d:1ms] offset -30d)",
		"1 + (2 * -sum(absent_over_time(x[15d:1ms])))",
		"max_over_time(sum_over_time(x[1h:1s])[1d:1s])",
		"max_over_time(max_over_time(max_over_time(x[1h:1s])[1h:1s])[1h:1s])",
		"max_over_time((((max_over_time(max_over_time(x[1h:1s])[1h:1s]))))[1h:1s])",
		"max_over_time(max_over_time(max_over_time(max_over_time(x[5m:1s])[5m:1s])[5m:1s])[5m:1s])",
		"quantile_over_time(0.5, max_over_time(x[1d:10s])[1d:10s])",
		"x[15d:1ms]",
		"max_over_time(x[10y:])",
		"label_replace(max_over_time(x[290y:1ms]), \"a\", \"$1\", \"b\", \"(.*)\")",
		strings.Repeat("max_over_time(x[1d:1s]) + ", 30) + "1",
		"quantile_over_time(scalar(max_over_time(x[15d:1ms])), y[5m])",
		"sum by (a) (topk(scalar(max_over_time(x[15d:1ms])), y))",
	} {
		for _, r := range []Range{instant, day, tiny} {
			if err := steps(t, query, r); !errors.Is(err, ErrSteps) {
				t.Errorf("%s for %v: %v", query, r, err)
			}
		}
	}
	for _, query := range []string{
		"max_over_time(x[15d:1s])", // 1.3 million points, 8640 times
		"quantile_over_time(0.9, x[7d:1m])",
	} {
		if err := steps(t, query, instant); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		if err := steps(t, query, day); !errors.Is(err, ErrSteps) {
			t.Errorf("%s over a day: %v", query, err)
		}
	}
}

func TestStepsThatPeopleAskFor(t *testing.T) {
	for _, query := range []string{
		"x", "rate(x[5m])", "max_over_time(rate(x[5m])[1h:])", "max_over_time(rate(x[5m])[1d:1m])", "avg_over_time(x[30d:5m])",
		"max_over_time(avg_over_time(x[1h:1m])[1d:1m])", "quantile_over_time(0.99, rate(x[5m])[1d:1m])",
		"max_over_time(x[15d:1s] @ 1800000000)", "sum_over_time(x[7d:1m] @ end())", "x[1h:1m]",
	} {
		for _, r := range []Range{instant, day} {
			if query == "x[1h:1m]" && r != instant {
				continue // not an expression for a range
			}
			if err := steps(t, query, r); err != nil {
				t.Errorf("%s for %v: %v", query, r, err)
			}
		}
	}
}

// Of any two numbers for range and step, however they are nested, what passes
// keeps to the limits.
func TestRandomSubqueries(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	refused, passed := 0, 0
	for range 5000 {
		query, product, sum, span := "vector(1)", 1.0, 0.0, 0.0
		var ranges, stepsMS []float64
		for range 1 + random.IntN(4) {
			width := time.Duration(1+random.Int64N(1<<uint(10+random.IntN(22)))) * time.Millisecond
			step := time.Duration(1+random.Int64N(1<<uint(4+random.IntN(16)))) * time.Millisecond
			query = fmt.Sprintf("sum_over_time(%s[%dms:%dms])", query, width.Milliseconds(), step.Milliseconds())
			ranges, stepsMS = append(ranges, width.Seconds()), append(stepsMS, step.Seconds())
		}
		for i := len(ranges) - 1; i >= 0; i-- { // the last is the outermost
			span += ranges[i]
			sum += span/stepsMS[i] + 1
			product *= max(1, ranges[i]/stepsMS[i])
		}
		err := steps(t, query, instant)
		if within := sum <= maxSubquerySteps && product <= maxNestedSteps; err == nil && !within {
			t.Fatalf("%s passed with %g steps, %g multiplied", query, sum, product)
		}
		if err != nil {
			refused++
		} else {
			passed++
		}
	}
	if refused == 0 || passed == 0 {
		t.Errorf("%d were refused, %d passed", refused, passed)
	}
}
