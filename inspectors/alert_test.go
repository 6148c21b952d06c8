package inspectors

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAlertDirectives(t *testing.T) {
	const source = "// Package disk.\n" +
		"//vedette:alert filling warning  used_percent > 90 for 10m keep 2m \"{{ $labels.mount }} is {{ $value | printf \"%.0f\" }} % full\"\n" +
		"//vedette:alert full critical used_percent > 97 keep 0s for 1d\n" +
		"//vedette:alert odd info count_values(\"a b\", x{mount=\"for 1m\"}) > 1 \"it \\\"is\\\"\"\n" +
		"//vedette:unit used_percent percent\n//vedette:unit free bytes\n" +
		"//vedette:help used_percent share of the space\n//vedette:runbook https://wiki.example.org/disk\n" +
		"//vedette:x-later whatever it is\npackage disk\n"
	said, err := ParseDirectives("disk.go", source)
	if err != nil {
		t.Fatal(err)
	}
	want := []Alert{
		{
			Name: "filling", Severity: "warning", Expr: "used_percent > 90", For: 10 * time.Minute, Keep: 2 * time.Minute,
			Summary: "{{ $labels.mount }} is {{ $value | printf \"%.0f\" }} % full",
		},
		{Name: "full", Severity: "critical", Expr: "used_percent > 97", For: 24 * time.Hour},
		{Name: "odd", Severity: "info", Expr: `count_values("a b", x{mount="for 1m"}) > 1`, Keep: DefaultAlertKeep, Summary: `it "is"`},
	}
	lines := strings.Split(source, "\n")
	for i, a := range said.Alerts {
		if got := lines[a.At.Line-1][a.At.Col-1:]; !strings.HasPrefix(got, a.Expr) {
			t.Errorf("the place of %q is that of %q", a.Expr, got)
		}
		a.At = Diagnostic{}
		if i >= len(want) || a != want[i] {
			t.Errorf("got %+v", a)
		}
	}
	if len(said.Alerts) != len(want) || said.Units["used_percent"] != "percent" || said.Units["free"] != "bytes" ||
		said.Helps["used_percent"] != "share of the space" || said.Runbook != "https://wiki.example.org/disk" {
		t.Errorf("got %+v", said)
	}
	if err := said.PassedOver.Err(); errorText(err) != "disk.go:9:1: //vedette:x-later is not known here, and is ignored" {
		t.Errorf("passed over: %v", err)
	}
}

func TestBadAlertDirectives(t *testing.T) {
	const fix = "; write //vedette:alert filling warning used_percent > 90 for 10m"
	for line, want := range map[string]string{
		"alert a warning":                                    "x.go:1:1: alert: it has no expression" + fix,
		"alert a loud x > 1":                                 `x.go:1:1: alert: "loud" is not a severity; use info, warning, critical` + fix,
		"alert a/b info x > 1":                               `x.go:1:1: alert: its name: '/' is not allowed; use letters, digits, "_", "-", "." and ":"` + fix,
		"alert a info x > 1 clear 5":                         `x.go:1:1: alert: clear: "5" is not a comparison with a number; write it as clear < 85` + fix,
		"alert a info x > 1 clear":                           `x.go:1:1: alert: clear: "" is not a comparison with a number; write it as clear < 85` + fix,
		"alert a info x > 1 clear < y for 1m":                `x.go:1:1: alert: clear: "< y" is not a comparison with a number; write it as clear < 85` + fix,
		"alert a info x > 1 clear < NaN":                     `x.go:1:1: alert: clear: "< NaN" is not a comparison with a number; write it as clear < 85` + fix,
		"alert a info x > 1 for soon":                        `x.go:1:1: alert: for: "soon" is not a time; write it as 90s, 10m or 1d` + fix,
		"alert a info x > 1 for":                             `x.go:1:1: alert: for: "" is not a time; write it as 90s, 10m or 1d` + fix,
		"alert a info x > 1 keep 8d":                         "x.go:1:1: alert: keep: 8d is not between 0s and 7d" + fix,
		"alert a info x > 1 for 1m for 2m":                   "x.go:1:1: alert: for is given twice" + fix,
		"alert a info x\n//vedette:alert a info y":           `x.go:2:1: the alert "a" is given twice; give each its own name`,
		"unit used_percent":                                  "x.go:1:1: //vedette:unit used_percent says nothing; write //vedette:unit used_percent percent",
		"help x y\n//vedette:help x z":                       "x.go:2:1: //vedette:help x is given twice; keep one",
		"runbook wiki/disk":                                  `x.go:1:1: runbook "wiki/disk" is not the address of a page; write //vedette:runbook https://wiki.example.org/disk`,
		"alert a info " + strings.Repeat("x", MaxAlertBytes): fmt.Sprintf("x.go:1:1: the alert is %d bytes long; at most 4096 are allowed", MaxAlertBytes+7),
	} {
		_, err := ParseDirectives("x.go", "//vedette:"+line+"\npackage x")
		if got := errorText(err); got != want {
			t.Errorf("%.80q gives\n%s\nwant\n%s", line, got, want)
		}
	}
}

// Random alerts are read as they were written.
func TestAlertDirectivesRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	exprs := []string{`x > 1`, `rate(y_total[5m]) > 0`, `x{a="b c"} == 0`, `sum by (a) (x{a=~"for 5m"}) unless y`, "x{a='\"'} < -1", "x{a=`\\`} > 2"}
	for range 2000 {
		want := Alert{
			Name: fmt.Sprint("n", rng.IntN(100)), Severity: severities()[rng.IntN(3)], Expr: exprs[rng.IntN(len(exprs))],
			For: time.Duration(rng.IntN(500)) * time.Second, Keep: time.Duration(rng.IntN(500)) * time.Minute,
		}
		times := []string{"for " + want.For.String(), "keep " + want.Keep.String()}
		rng.Shuffle(2, func(i, j int) { times[i], times[j] = times[j], times[i] })
		text := want.Name + " " + want.Severity + strings.Repeat(" ", 1+rng.IntN(3)) + want.Expr + " " + times[0] + " " + times[1]
		switch rng.IntN(3) {
		case 0:
			letters := []rune(`a"'{} \é$%|`)
			for range 1 + rng.IntN(12) {
				want.Summary += string(letters[rng.IntN(len(letters))])
			}
			text += " " + strconv.Quote(want.Summary)
		case 1:
			want.Summary = `{{ $value | printf "%.0f" }} of {{ $labels.host }}`
			text += ` "` + want.Summary + `"`
		}
		got, begin, _, err := parseAlert(text)
		if err != nil || got != want || !strings.HasPrefix(text[begin:], want.Expr) {
			t.Fatalf("seed %d: %s gives %+v at %d, %v; want %+v", seed, text, got, begin, err, want)
		}
	}
}
