package inspectors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func newReport() *Report {
	return NewReport("disk", time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC))
}

// Random bytes as the value of a label: the sample is accepted, different values stay
// different, and valid values do not change.
func FuzzLabelValues(f *testing.F) {
	for _, s := range []string{"/", "a<b>", "\x1b[31m", "\xff\xfe", `\x3c`, "<", `\\x3c`, "\u202e", "\ufffd", "é", "a\x00b", `C:\dir`, `\`, `\\x`} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > MaxLabelValueBytes/4 || len(b) > MaxLabelValueBytes/4 {
			t.Skip("too long when escaped")
		}
		r := NewReport("x", time.Now())
		r.Gauge("v", 1, "l", a)
		if a != b {
			r.Gauge("v", 2, "l", b)
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Samples() {
			if err := s.Labels.Validate(); err != nil {
				t.Error(err)
			}
			if shown, differs := BearableStored(s.Labels); differs {
				t.Errorf("a sample of %s is shown as one of %s", s.Labels, shown)
			}
		}
		for _, raw := range []string{a, b} {
			if shown, _ := BearableStored(Labels{{"l", raw}}); shown.Validate() != nil {
				t.Errorf("%q is shown as %s", raw, shown)
			}
		}
		if (Labels{{"l", a}}).Validate() == nil && !strings.Contains(a, `\x`) && r.Samples()[0].Labels.Get("l") != a {
			t.Errorf("%q has become %q", a, r.Samples()[0].Labels.Get("l"))
		}
	})
}

// A label with an empty value is not a label: two samples that differ in nothing else belong
// to one series, and neither is lost silently.
func TestEmptyLabelIsNoLabel(t *testing.T) {
	r := NewReport("x", time.Now())
	r.Gauge("v", 1, "a", "", "b", "1")
	r.Gauge("v", 2, "b", "1")
	r.Gauge("w", 1, "a", "")
	r.Gauge("w", 2)
	r.Gauge("u", 3, "a", "", "z", "")
	if n := len(r.Samples()); n != 3 {
		t.Errorf("%d samples are taken, want 3: %v", n, r.Samples())
	}
	if got := r.Samples()[0].Labels.String() + r.Samples()[1].Labels.String() + r.Samples()[2].Labels.String(); got != `{b="1"}` {
		t.Errorf("the labels are %s", got)
	}
	err := r.Err()
	for _, want := range []string{`x/v{b="1"}: given twice in one run`, "x/w: given twice in one run"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
}

func TestReport(t *testing.T) {
	r := newReport()
	r.Gauge("", 1)
	r.Gauge("used_percent", 2, "mount", "/")
	r.Gauge("used_percent", 3, "mount", "/home")
	r.Counter("io/bytes_total", 4)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range r.Samples() {
		lines = append(lines, fmt.Sprintf("%s%s %s %v %s", s.Key, s.Labels, s.Kind, s.Value, s.Time.Format("05.000000")))
	}
	want := `disk gauge 1 05.678000
disk/used_percent{mount="/"} gauge 2 05.678000
disk/used_percent{mount="/home"} gauge 3 05.678000
disk/io/bytes_total counter 4 05.678000`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReportRefuses(t *testing.T) {
	r := newReport()
	r.Gauge("a", math.NaN(), "x", "y")
	r.Gauge("b", math.Inf(-1))
	r.Gauge("bad name", 1)
	r.Gauge("c", 1, "host", "x")
	r.Gauge("d", 1, "x", "y")
	r.Counter("d", 2, "x", "y")
	r.Gauge("d", 3)
	want := `samples refused: disk/a{x="y"}: the value is NaN, not a finite number
disk/b: the value is -Inf, not a finite number
bad name: key "disk/bad name": ' ' is not allowed; use letters, digits, "_", "-", "." and ":"
disk/c: bad name: label name "host" is set by the master; choose another
disk/d{x="y"}: given twice in one run; tell the two apart by a label`
	if err := r.Err(); err == nil || err.Error() != want || !errors.Is(err, ErrSamples) || !errors.Is(err, ErrName) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if len(r.Samples()) != 2 {
		t.Errorf("samples %v, want the two good ones", r.Samples())
	}
}

func TestReportIsBounded(t *testing.T) {
	r := newReport()
	for i := range MaxSamples + 20 {
		r.Gauge(fmt.Sprint("v", i), 1)
	}
	if len(r.Samples()) != MaxSamples {
		t.Errorf("%d samples, want %d", len(r.Samples()), MaxSamples)
	}
	err := r.Err()
	if err == nil || !strings.Contains(err.Error(), "disk/v10000: more than 10000 samples in one run") || !strings.HasSuffix(err.Error(), "; and 10 more") {
		t.Errorf("the error is %v", err)
	}
}

func TestForkAndMerge(t *testing.T) {
	r := newReport()
	first := r.Fork()
	first.Gauge("a", 1)
	first.Gauge("nan", math.NaN())
	r.Merge(first)
	second := r.Fork()
	second.Gauge("b", 2)
	second.Gauge("a", 3)
	for i := range 12 {
		second.Gauge("", math.Inf(i))
	}
	r.Merge(second)
	if len(r.Samples()) != 2 || r.Samples()[1].Key != "disk/b" || !r.Samples()[1].Time.Equal(r.Time()) {
		t.Errorf("samples %v", r.Samples())
	}
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "disk/a: given twice") || !strings.HasSuffix(err.Error(), "; and 4 more") {
		t.Errorf("the error is %v, want 14 refusals, ten of them in full", err)
	}
}

func TestKind(t *testing.T) {
	for _, k := range []Kind{Gauge, Counter} {
		if got, err := ParseKind(k.String()); got != k || err != nil {
			t.Errorf("ParseKind(%q) = %v, %v", k, got, err)
		}
	}
	if _, err := ParseKind("histogram"); err == nil || err.Error() != `unknown kind "histogram"; use gauge or counter` {
		t.Errorf("the error is %v", err)
	}
}

func TestValue(t *testing.T) {
	r := newReport()
	fail := false
	i := Value(func(context.Context) (float64, error) {
		if fail {
			return 1, errors.New("no")
		}
		return 5, nil
	})
	if err := i.Inspect(context.Background(), r); err != nil || len(r.Samples()) != 1 || r.Samples()[0].Key != "disk" || r.Samples()[0].Value != 5 {
		t.Errorf("samples %v, error %v", r.Samples(), err)
	}
	fail, r = true, newReport()
	if err := i.Inspect(context.Background(), r); err == nil || len(r.Samples()) != 0 {
		t.Errorf("samples %v, error %v: a value beside an error is no value", r.Samples(), err)
	}
}

// BenchmarkReport is the cost of a report of ten samples, as an inspector of
// disks makes it.
func BenchmarkReport(b *testing.B) {
	start := time.Now()
	b.Run("labels", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := NewReport("disk", start)
			for _, mount := range []string{"/", "/home"} {
				r.Gauge("total_bytes", 1, "mount", mount)
				r.Gauge("used_bytes", 2, "mount", mount)
				r.Gauge("free_bytes", 3, "mount", mount)
				r.Gauge("used_percent", 4, "mount", mount)
				r.Gauge("inodes_used_percent", 5, "mount", mount)
			}
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
		for b.Loop() {
			r := NewReport("disk", start)
			for i, name := range names {
				r.Gauge(name, float64(i))
			}
		}
	})
}
