package agent

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The name of a host changes while its master is away. Samples taken under the old names
// are sent under the new one, once, whatever the names are and however often they change.
// Data of other agents stay where they are.
func TestRenamedHostSendsItsSpool(t *testing.T) {
	m := newTestMaster(t)
	base := t.TempDir()
	agentOf := func(host, by string, runner schedule.Runner) *Agent {
		return newTestAgent(t, m, runner, func(c *config.Agent, d *Deps) {
			c.Host, c.Data, c.Spool.On, d.HostBy = host, filepath.Join(base, host), true, by
		})
	}
	// One that the machine named too is running all the while.
	counting := func() (*counter, chan struct{}) {
		runner, counted := newCounter(), make(chan struct{}, 10_000)
		runner.OnRun = notify(runner.OnRun, counted)
		return runner, counted
	}
	running, ran := counting()
	stopRunning := start(t, agentOf("other-3", "machine", running))
	<-ran
	runner, counted := counting()
	name := ""
	for range 3 + rand.IntN(3) {
		name = fmt.Sprintf("host-%d", rand.IntN(4)) // a name may come back
		stop := start(t, agentOf(name, "machine", runner))
		<-counted
		<-counted
		stop()
	}
	others, counted := counting()
	for host, by := range map[string]string{"other-1": "", "other-2": "/etc/vedette.yaml"} {
		stop := start(t, agentOf(host, by, others))
		<-counted
		stop()
	}
	before := runner.count()
	m.greet = func(p wire.HelloParams) error {
		if p.Host == "other-3" {
			return errNotYet
		}
		return nil
	}
	m.start()
	defer m.stop()
	stop := start(t, agentOf("new-name", "machine", runner))
	m.await("what was left under the old names", func() bool {
		for v := 1.0; v <= before; v++ {
			if !m.has(v)() {
				return false
			}
		}
		return true
	})
	stop()
	stopRunning()
	m.mustHaveAll(runner.count())
	for _, hello := range m.hellos {
		if hello.Host != "new-name" {
			t.Errorf("an agent has reported as %q", hello.Host)
		}
	}
	if others.count() == 0 {
		t.Error("the others never ran")
	}
	for _, host := range []string{"other-1", "other-2"} {
		store, err := spool.Open(filepath.Join(base, host, spool.FileName), spool.Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if store.Totals().Samples == 0 {
			t.Errorf("the spool of %s was emptied", host)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
