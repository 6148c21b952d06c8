package scriptcheck

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// TestCheckedLoad holds that a script which the checker refuses is not loaded,
// and that one which cannot be checked is tried again.
func TestCheckedLoad(t *testing.T) {
	p := NewPool(plugins.NewPool(plugins.PoolOptions{Dir: t.TempDir()}), []string{"/nonexistent/vedette"})
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := inspectors.Definition{
		Name: "x", Interval: time.Second, Timeout: time.Second,
		Script: &inspectors.Script{File: "x.go", Line: 1, Source: "go func() {}()\nreturn 1, nil"},
	}
	if err := p.Load(t.Context(), d); !errors.Is(err, plugins.ErrUnavailable) {
		t.Errorf("without a checker: %v", err)
	}
	p.checker.Close()
	p.checker = New([]string{os.Args[0], Command})
	var faults inspectors.Diagnostics
	if err := p.Load(t.Context(), d); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Line != 1 || faults[0].Fix == "" {
		t.Errorf("a goroutine: %v", err)
	}
	d.Script = &inspectors.Script{File: "x.go", Line: 1, Source: "return 1, nil"}
	if _, err := p.check(t.Context(), d); err != nil {
		t.Errorf("a good script: %v", err)
	}
	p.checker.Close()
	if _, err := p.check(t.Context(), d); err != nil {
		t.Errorf("a revision that was accepted is checked again: %v", err)
	}
	p.Unload("x")
	if _, err := p.check(t.Context(), d); err == nil {
		t.Error("what was unloaded is still known")
	}
}
