package inspectors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shownNagios writes a result as one line for each value.
func shownNagios(n NagiosResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", n.State, n.Text)
	for _, v := range n.Values {
		fmt.Fprintf(&b, "%s=%v %s", v.Label, v.Value, v.Unit)
		for _, g := range []*NagiosRange{v.Warning, v.Critical} {
			if g != nil {
				fmt.Fprintf(&b, " [%v %v %v]", g.Start, g.End, g.Inside)
			}
		}
		for _, limit := range []*float64{v.Min, v.Max} {
			if limit != nil {
				fmt.Fprintf(&b, " %v", *limit)
			}
		}
		b.WriteString("\n")
	}
	for _, f := range n.Faults {
		fmt.Fprintf(&b, "! %s\n", f)
	}
	return b.String()
}

// Output of real checks, and examples of the guidelines.
func TestParseNagios(t *testing.T) {
	for _, tt := range []struct {
		status       int
		output, want string
	}{
		{1, "WARNING: hello\n", "1 WARNING: hello\n"},
		{0, "", "0 \n"},
		{7, "what", "3 what\n"},
		{-1, "killed", "3 killed\n"},
		{0, "OK - load: 1 |load1=86.570;5.000;10.000;0; load5=7;;;0;\n", "0 OK - load: 1\nload1=86.57  [0 5 false] [0 10 false] 0\nload5=7  0\n"},
		{
			0, "DISK OK - free space: / 3 MB |/=19525533696B;243497277849;257024904396;0;270552530944\n",
			"0 DISK OK - free space: / 3 MB\n/=1.9525533696e+10 bytes [0 2.43497277849e+11 false] [0 2.57024904396e+11 false] 0 2.70552530944e+11\n",
		},
		{
			2, "PING CRITICAL|rta=0.5ms;100;500 pl=100%;40;80;;",
			"2 PING CRITICAL\nrta=0.0005 seconds [0 0.1 false] [0 0.5 false]\npl=100 percent [0 40 false] [0 80 false]\n",
		},
		{0, "x | a=1c b=2KB;1:;~:3;U;", "0 x\na=1 total\nb=2048 bytes [1024 +Inf false] [-Inf 3072 false]\n"},
		{0, "x|'it''s a = b'=1;@10:20;:5", "0 x\nit's a = b=1  [10 20 true] [0 5 false]\n"},
		{0, "DISK OK|/=1B\nlong\ntext|/boot=2B\n'/v r'=3B\n", "0 DISK OK\n/=1 bytes\n/boot=2 bytes\n/v r=3 bytes\n"},
		{0, "x|t=20.5C;;;  s=U w=5W", "0 x\nt=20.5 C\nw=5 W\n"},
		{0, "x|a=1e3s b=5EB c=10%;80%;90%", "0 x\na=1000 seconds\nb=5.764607523034235e+18 bytes\nc=10 percent [0 80 false] [0 90 false]\n"},
		{0, "x|a=1,5s b=2", "0 x\na=1 ,5s\nb=2 \n"},
		{0, "x|a= b=1;5:1 =3 plain 'open=1", "0 x\n! \"a\": \"\" is not a number with a unit\n! \"b\": its warning threshold: \"5:1\" is not a range\n" +
			"! \"=3\": it has no label; write label=value\n! \"plain\": it has no value; write label=value\n! \"'open=1\": the label's quote is not closed\n"},
		{
			0, "x|a=1 'b' c=2 ''=3 d=1;@ e=nan f=1e999 g=1;Inf h=4",
			"0 x\na=1 \nc=2 \nh=4 \n! \"'b'\": there is no = after the label's quote\n! \"''=3\": the label is empty\n" +
				"! \"d\": its warning threshold: \"@\" is not a range\n! \"e\": \"nan\" is not a number with a unit\n! \"f\": \"1e999\" is not a number with a unit\n" +
				"! \"g\": its warning threshold: \"Inf\" is not a number\n",
		},
	} {
		if got := shownNagios(ParseNagios(tt.status, []byte(tt.output))); got != tt.want {
			t.Errorf("%q:\n%swant:\n%s", tt.output, got, tt.want)
		}
	}
}

// Random performance data come back as they were written.
func TestParseNagiosRandom(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	letters := []rune("ab'=/ ;|:%é\t_-.0")
	for range 2000 {
		label := make([]rune, 1+rng.IntN(8))
		for i := range label {
			label[i] = letters[rng.IntN(len(letters))]
		}
		// A | in a label starts the performance data only in a line without any.
		text := "'" + strings.ReplaceAll(string(label), "'", "''") + "'"
		number := func() float64 { return math.Trunc(rng.NormFloat64()*1e6) / 1e3 }
		v := NagiosValue{Label: string(label), Value: number(), Unit: []string{"", "seconds", "percent", "bytes", "total", "rpm"}[rng.IntN(6)]}
		unit := map[string]string{"seconds": "s", "percent": "%", "bytes": "B", "total": "c"}[v.Unit]
		if v.Unit == "rpm" {
			unit = "rpm"
		}
		low, high := number(), number()
		v.Warning = &NagiosRange{Start: min(low, high), End: max(low, high), Inside: rng.IntN(2) == 0}
		v.Critical = &NagiosRange{Start: math.Inf(-1), End: high}
		v.Max = &low
		f := func(x float64) string { return strconv.FormatFloat(x, "fe"[rng.IntN(2)], -1, 64) }
		at := ""
		if v.Warning.Inside {
			at = "@"
		}
		item := fmt.Sprintf("%s=%s%s;%s%s:%s;~:%s;;%s", text, f(v.Value), unit, at, f(v.Warning.Start), f(v.Warning.End), f(high), f(low))
		got := ParseNagios(0, []byte("ok | before=1 "+item+" after=2"))
		want := NagiosResult{Text: "ok", Values: []NagiosValue{{Label: "before", Value: 1}, v, {Label: "after", Value: 2}}}
		if shownNagios(got) != shownNagios(want) {
			t.Fatalf("seed %d: %s:\n%swant:\n%s", seed, item, shownNagios(got), shownNagios(want))
		}
	}
}

// Random output of a check: its report is good.
func FuzzParseNagios(f *testing.F) {
	for _, text := range []string{
		"OK|load1=86.570;5.000;10.000;0;", "x|'a''b'=1KB;@1:2;~:3;4;5 c=U", "x|a=1\ny|b=2µs;", "x|'", "|=", "x|a=1°C a=1°C", "x|a=-.5e-3%;:;1:;;", "x|<b>=1\x00",
	} {
		f.Add(0, []byte(text))
	}
	f.Fuzz(func(t *testing.T, status int, output []byte) {
		n := ParseNagios(status, output)
		if len(n.Values) > MaxNagiosValues || len(n.Text) > MaxNagiosTextBytes+len("…") || len(n.Faults) > maxFaults || n.State < NagiosOK ||
			n.State > NagiosUnknown {
			t.Fatalf("unbounded: %+v", n)
		}
		r := NewReport("check", time.Unix(0, 0))
		n.report(r)
		if err := r.Err(); err != nil {
			t.Errorf("%q: %v", output, err)
		}
	})
}

func TestParseNagiosIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.Repeat("é", MaxNagiosTextBytes) + "|")
	for i := range MaxNagiosValues + 5 {
		fmt.Fprintf(&b, "v%d=%d ", i, i)
	}
	n := ParseNagios(0, []byte(b.String()))
	if len(n.Values) != MaxNagiosValues || len(n.Text) > MaxNagiosTextBytes+len("…") ||
		!slices.Equal(n.Faults, []string{"more than 1000 values; the rest is left out"}) {
		t.Errorf("%d values, %d bytes of text, %q", len(n.Values), len(n.Text), n.Faults)
	}
}

func shownSamples(r *Report) string {
	var lines []string
	for _, s := range r.Samples() {
		lines = append(lines, fmt.Sprintf("%s%s %v %s", s.Key, s.Labels, s.Value, s.Kind))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestNagiosReports(t *testing.T) {
	run := WithExec(t.Context(), []string{"/check"}, func(context.Context, string, []string) ([]byte, error) {
		return []byte("DISK WARNING|/=5B;10;20:;0;100 n=3c up=1;@1:2;; t=9C /=6B"), &ExitError{Path: "/check", Code: 1, Reason: "exit status 1"}
	})
	r := NewReport("nagios/disk", time.Unix(0, 0))
	n, err := Nagios(run, r, "/check", "-w", "10%")
	if err != nil || n.State != NagiosWarning || r.Err() != nil || !slices.Equal(n.Faults, []string{`"/": the label is given twice`}) {
		t.Fatalf("%+v, %v, %v", n, err, r.Err())
	}
	const want = `nagios/disk/bytes_critical{bound="below",label="/"} 20 gauge
nagios/disk/bytes_max{label="/"} 100 gauge
nagios/disk/bytes_min{label="/"} 0 gauge
nagios/disk/bytes_warning{bound="above",label="/"} 10 gauge
nagios/disk/bytes_warning{bound="below",label="/"} 0 gauge
nagios/disk/bytes{label="/"} 5 gauge
nagios/disk/count_total{label="n"} 3 counter
nagios/disk/status 1 gauge
nagios/disk/value_warning{bound="from",label="up"} 1 gauge
nagios/disk/value_warning{bound="to",label="up"} 2 gauge
nagios/disk/value{label="t",unit="C"} 9 gauge
nagios/disk/value{label="up"} 1 gauge`
	if got := shownSamples(r); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A check that does not end still has a status: it is ended before the run is.
func TestNagiosThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		run := WithExec(ctx, []string{"/check"}, func(ctx context.Context, _ string, _ []string) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		r := NewReport("check", time.Unix(0, 0))
		n, err := Nagios(run, r, "/check")
		if !errors.Is(err, errNagiosTime) || ctx.Err() != nil || n.State != NagiosUnknown || shownSamples(r) != "check/status 3 gauge" {
			t.Errorf("%+v, %v, %v, %s", n, err, ctx.Err(), shownSamples(r))
		}
	})
}
