package agent

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The master hears of the alerts of the host's own inspectors: all of them on each
// connection, the first time before any is loaded, and again when they change.
func TestOwnAlertsAreTold(t *testing.T) {
	m := newTestMaster(t)
	var told []wire.OwnAlertsParams // guarded by m.mu
	m.more = func(mux *rpc.Mux) {
		rpc.Serve(mux, wire.MasterAlerts, func(_ context.Context, p wire.OwnAlertsParams) (wire.OwnAlertsResult, error) {
			m.note(func() { told = append(told, p) })
			return wire.OwnAlertsResult{}, nil
		})
	}
	m.start()
	defer func() { m.stop() }()
	with := func(name, line string) inspectors.Definition {
		return agenttest.Script(name, "//vedette:"+line+"\nreturn 1, nil", time.Second)
	}
	defs := []inspectors.Definition{with("disk", "alert full critical value > 97 for 1m"), with("load", "unit value tasks")}
	a := newTestAgent(t, m, newCounter(), func(_ *config.Agent, d *Deps) { d.Definitions = defs })
	defer start(t, a)()
	text := func(p wire.OwnAlertsParams) string {
		var parts []string
		for _, one := range p.Inspectors {
			parts = append(parts, strings.Join(slices.Concat([]string{one.Inspector}, one.Lines), ": "))
		}
		return strings.Join(parts, "; ")
	}
	is := func(want string) func() bool {
		return func() bool { return len(told) > 0 && text(told[len(told)-1]) == want }
	}
	m.await("the first alerts", func() bool { return len(told) > 0 })
	m.mu.Lock()
	if got, want := text(told[0]), "disk: alert full critical value > 97 for 1m; load"; got != want || told[0].Inspectors[0].IntervalMS != 1000 {
		t.Errorf("at first %q was told, want %q: %+v", got, want, told[0])
	}
	m.mu.Unlock()

	defs[0] = with("disk", "alert full critical value > 98")
	if err := a.Apply(t.Context(), []inspectors.Definition{defs[0], with("new", "alert a info value > 1")}); err != nil {
		t.Fatal(err)
	}
	const after = "disk: alert full critical value > 98; new: alert a info value > 1"
	m.await("what has changed", is(after))
	m.stop()
	m.note(func() { told = nil })
	m.start()
	m.await("all of them after a reconnect", is(after))
}
