package plugins_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

func TestTry(t *testing.T) {
	for _, c := range []struct {
		inspect     func(context.Context, *inspectors.Report) error
		status      int
		out, faults string
	}{
		{func(_ context.Context, r *inspectors.Report) error { r.Gauge("a", 1, "l", "v"); return nil }, 0, "x/a{l=\"v\"} 1\n", ""},
		{func(_ context.Context, r *inspectors.Report) error { r.Gauge("a", 1); return errors.New("half") }, 1, "x/a 1\n", "half\n"},
		{func(_ context.Context, r *inspectors.Report) error { r.Gauge("a", 1); r.Gauge("a", 2); return nil }, 1, "x/a 1\n", "given twice"},
	} {
		var out, faults strings.Builder
		status := plugins.Try("x", c.inspect, &out, &faults)
		if status != c.status || out.String() != c.out || !strings.Contains(faults.String(), c.faults) || c.faults == "" && faults.Len() > 0 {
			t.Errorf("status %d, %q, %q; want %d, %q, %q", status, out.String(), faults.String(), c.status, c.out, c.faults)
		}
	}
}
