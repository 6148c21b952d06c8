package plugins_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

const goodScript = `package good

import "github.com/vedettehq/vedette/inspectors"
import "context"

var n float64

func Inspect(ctx context.Context, r *inspectors.Report) error {
	n++
	r.Counter("runs_total", n)
	r.Gauge("size_bytes", 7, "mount", "/", "device", "sda")
	return nil
}
`

func TestScriptEndToEnd(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("good", goodScript))
	for want := 1.0; want <= 3; want++ {
		o := f.runOne("good")
		if o.Err != nil || len(o.Samples) != 2 {
			t.Fatalf("outcome %+v", o)
		}
		runs, size := o.Samples[0], o.Samples[1]
		if runs.Key != "good/runs_total" || runs.Kind != inspectors.Counter || runs.Value != want {
			t.Errorf("first sample %+v, want good/runs_total %v", runs, want)
		}
		if size.Key != "good/size_bytes" || size.Kind != inspectors.Gauge || size.Labels.String() != `{device="sda",mount="/"}` {
			t.Errorf("second sample %+v", size)
		}
		if !runs.Time.Equal(o.Start.Truncate(1e6)) || o.Duration <= 0 {
			t.Errorf("start %v, sample time %v, duration %v", o.Start, runs.Time, o.Duration)
		}
	}
	if s := f.State("good"); s != (plugins.State{Host: "shared"}) {
		t.Errorf("state %+v", s)
	}
	f.Unload("good")
	if o := f.runOne("good"); !errors.Is(o.Err, plugins.ErrNotLoaded) {
		t.Errorf("after Unload: %v", o.Err)
	}
	eventually(t, "the empty script host is stopped", func() bool { return len(f.Processes()) == 0 })
}

func TestLoadKeepsTheOldOneOnFault(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("good", goodScript))
	bad := script("good", "package bad\n\nfunc Inspect() (float64, error) {\n\treturn nope, nil\n}\n")
	bad.Script.File = "config.yaml"
	bad.Script.Line = 12
	err := f.Load(t.Context(), bad)
	var faults inspectors.Diagnostics
	if !errors.As(err, &faults) || !strings.HasPrefix(err.Error(), "config.yaml:15:") {
		t.Fatalf("Load of a bad script: %v", err)
	}
	if o := f.runOne("good"); o.Err != nil || o.Samples[0].Value != 1 {
		t.Errorf("the old one: %+v", o)
	}
}

func TestSameRevisionKeepsState(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	d := script("good", goodScript)
	f.mustLoad(d)
	f.runOne("good")
	d.Interval *= 2
	f.mustLoad(d)
	if o := f.runOne("good"); o.Samples[0].Value != 2 {
		t.Errorf("a new schedule lost the script's state: %+v", o.Samples[0])
	}
	d.Script = &inspectors.Script{File: "good.go", Line: 1, Source: goodScript + "\n// changed\n"}
	f.mustLoad(d)
	if o := f.runOne("good"); o.Samples[0].Value != 1 {
		t.Errorf("a new revision kept the state of the old: %+v", o.Samples[0])
	}
}

func TestLoadRefusesWhatIsNotValid(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	err := f.Load(t.Context(), inspectors.Definition{Name: "a b"})
	if !errors.Is(err, inspectors.ErrName) {
		t.Errorf("Load: %v", err)
	}
}

func TestClosedPool(t *testing.T) {
	f := nativePool(t)
	f.mustLoad(script("sleeper", "sleep"))
	done := make(chan plugins.Outcome, 1)
	go f.Run(t.Context(), []plugins.Job{{Name: "sleeper", Timeout: testTimeout}}, func(o plugins.Outcome) { done <- o })
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if o := patience.Receive(t, "the end of the run", done); !errors.Is(o.Err, plugins.ErrClosed) {
		t.Errorf("a run that Close cut off: %v", o.Err)
	}
	if err := f.Load(t.Context(), script("x", "ok")); !errors.Is(err, plugins.ErrClosed) {
		t.Errorf("Load: %v", err)
	}
	if o := f.runOne("sleeper"); !errors.Is(o.Err, plugins.ErrClosed) {
		t.Errorf("Run: %v", o.Err)
	}
	f.Unload("sleeper")
	if len(f.Processes()) != 0 {
		t.Errorf("processes are left: %v", f.Processes())
	}
}
