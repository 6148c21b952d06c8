package plugins_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/inspectortest"
	"github.com/vedettehq/vedette/plugins"
)

// pooled is an inspector that a pool runs in another process.
type pooled struct {
	*fixture
	name string
}

func (p pooled) Inspect(ctx context.Context, r *inspectors.Report) error {
	timeout := time.Minute
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
		ctx = context.WithoutCancel(ctx) // it is the other process that holds the timeout
	}
	var outcome plugins.Outcome
	p.Run(ctx, []plugins.Job{{Name: p.name, Timeout: timeout}}, func(o plugins.Outcome) { outcome = o })
	for _, s := range outcome.Samples {
		var labels []string
		for _, l := range s.Labels {
			labels = append(labels, l.Name, l.Value)
		}
		add := r.Gauge
		if s.Kind == inspectors.Counter {
			add = r.Counter
		}
		add(strings.TrimPrefix(strings.TrimPrefix(s.Key, p.name), "/"), s.Value, labels...)
	}
	if errors.Is(outcome.Err, plugins.ErrTimeout) {
		return errors.Join(context.DeadlineExceeded, outcome.Err)
	}
	return outcome.Err
}

func TestSuiteOfScripts(t *testing.T) {
	t.Parallel()
	inspectortest.Run(t, inspectortest.Kind{
		Contained: true,
		New: func(t *testing.T, behaviour, key string) inspectors.Inspector {
			f := newFixture(t, plugins.PoolOptions{})
			f.mustLoad(script(key, inspectortest.Script(behaviour)))
			return pooled{f, key}
		},
	})
}

func TestSuiteOfExternalPlugins(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inspectortest.Run(t, inspectortest.Kind{
		Contained: true,
		New: func(t *testing.T, behaviour, key string) inspectors.Inspector {
			f := newFixture(t, plugins.PoolOptions{})
			f.mustLoad(inspectors.Definition{
				Name: key, Interval: time.Minute, Timeout: time.Minute,
				Plugin: &inspectors.Plugin{Path: exe, Args: []string{suiteLike, behaviour}},
			})
			return pooled{f, key}
		},
	})
}
