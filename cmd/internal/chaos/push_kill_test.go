package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// killMesh is a master and agents in their own processes, which run scripts in real script
// hosts.
type killMesh struct {
	*chaos
	config string
	agents map[string]*chaosProcess
	value  int // the value of the revision that was pushed last
}

func newKillMesh(t testing.TB) *killMesh {
	folder := shortFolder(t)
	m := &killMesh{chaos: &chaos{TB: t, addr: freeport.Address(t), folder: folder}, agents: make(map[string]*chaosProcess)}
	m.config = filepath.Join(folder, "agent.yaml")
	if err := os.WriteFile(m.config, []byte("agent: { library: none, accept_pushed_inspectors: true }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, a := range m.agents {
			a.signal(syscall.SIGCONT)
			a.stop()
		}
		m.end()
	})
	return m
}

func (m *killMesh) startAgents(names ...string) {
	for _, name := range names {
		m.agents[name] = m.spawn(name, []string{"TMPDIR=" + m.folder}, nil, "vedette", "agent", "--host", name,
			"--config", m.config, "--master", "http://"+m.addr, "--data", filepath.Join(m.folder, name))
	}
}

// operator connects to the master as soon as it listens.
func (m *killMesh) operator() *rpc.Peer {
	m.Helper()
	deadline := time.After(patience.Limit)
	for {
		peer, err := rpc.Dial(m.Context(), "http://"+m.addr, rpc.DialOptions{Codec: wire.SubprotocolJSON})
		if err == nil {
			hangUpWith(m.TB, peer)
			return peer
		}
		select {
		case <-deadline:
			m.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitHosts waits until the given number of hosts are connected.
func (m *killMesh) awaitHosts(n int) {
	m.Helper()
	askUntil(m.TB, m.operator(), wire.HostsList.Name, nil, fmt.Sprint(n, " hosts are up"), func(r wire.HostsResult) bool {
		up := 0
		for _, h := range r.Hosts {
			if h.State == wire.HostUp {
				up++
			}
		}
		return up == n
	})
}

// Bodies of scripts; each revision yields another value.
const (
	goodBody  = "return %d, nil"
	slowBody  = "time.Sleep(3 * time.Second); return %d, nil" // long enough to be observed
	fatalBody = "return float64(len(make([]byte, 1<<40))) + %d, nil"
	badBody   = "return %d, errors.New(\"no such luck\")"
)

// script returns the next revision of the inspector.
func (m *killMesh) script(body string) wire.Code {
	m.value++
	return wire.Code{
		Name: "probe", File: "probe.go", IntervalMS: 10_000,
		Source: "package probe\n\nimport (\n\t\"errors\"\n\t\"time\"\n)\n\nvar _, _ = errors.New, time.Now\n\nfunc Inspect() (float64, error) { " +
			fmt.Sprintf(body, m.value) + " }\n",
	}
}

// killStep is a point of a rollout at which the master is killed.
type killStep struct {
	name string
	body string
	plan wire.Plan
	away bool // one of the agents is stopped until after the kill
	at   func(wire.Rollout) bool
	end  string // how the rollout must end
}

func killSteps() []killStep {
	staged := wire.Plan{Stages: []wire.Stage{{Hosts: 1}, {Percent: 100}}, BakeMS: 300, TimeoutMS: 300_000}
	long, whole := staged, staged
	long.BakeMS, whole.Stages = 6000, []wire.Stage{{Percent: 100}}
	running := func(fits func(wire.Rollout) bool) func(wire.Rollout) bool {
		return func(r wire.Rollout) bool { return r.State == wire.RolloutRunning && fits(r) }
	}
	return []killStep{
		{"as it is accepted", goodBody, staged, false, func(wire.Rollout) bool { return true }, wire.RolloutDone},
		{"waiting for receipts", slowBody, staged, false, running(func(r wire.Rollout) bool { return r.Stages[0].Summary.Pending == 1 }), wire.RolloutDone},
		{"baking", goodBody, long, false, running(func(r wire.Rollout) bool { return r.Stage == 0 && r.Stages[0].HealthyMS != 0 }), wire.RolloutDone},
		{"between stages", slowBody, staged, false, running(func(r wire.Rollout) bool { return r.Stage == 1 }), wire.RolloutDone},
		{"with a host failed", badBody, whole, true, running(func(r wire.Rollout) bool { return len(r.Failures) > 0 }), wire.RolloutRolledBack},
		{"while it is rolled back", badBody, whole, true, func(r wire.Rollout) bool { return r.State == wire.RolloutRolledBack }, wire.RolloutRolledBack},
	}
}

// A master that is killed with kill -9 at any step of a rollout continues it when it is
// started again, and ends it: a good revision is then everywhere, and a bad one nowhere.
// The agents are real, and see the master vanish.
func TestKilledMasterTakesUpItsRollout(t *testing.T) {
	t.Parallel()
	for _, step := range killSteps() {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			killAt(newKillMesh(t), step)
		})
	}
}

func killAt(m *killMesh, step killStep) {
	m.startMaster()
	m.startAgents("a", "b")
	m.awaitHosts(2)
	peer := m.operator()
	settled := ask[wire.PushResult](m.TB, peer, wire.CatalogPush.Name, wire.PushParams{Code: m.script(goodBody)})
	askUntil(m.TB, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: settled.Rollout}, "it is over", wire.Rollout.Ended)
	if step.away {
		m.agents["b"].signal(syscall.SIGSTOP)
	}
	pushed := ask[wire.PushResult](m.TB, peer, wire.CatalogPush.Name, wire.PushParams{Code: m.script(step.body), Plan: step.plan})
	askUntil(m.TB, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: pushed.Rollout}, step.name, step.at)
	m.master.kill()
	m.agents["b"].signal(syscall.SIGCONT)

	m.startMaster()
	peer = m.operator()
	r := askUntil(m.TB, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: pushed.Rollout}, "it is over", wire.Rollout.Ended)
	if r.State != step.end {
		m.Fatalf("the rollout is %s: %s", r.State, r.Reason)
	}
	if r.State == wire.RolloutDone {
		settled = pushed
	}
	askUntil(m.TB, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all have what is settled", allHealthy(settled.Revision, 2))
	list := ask[wire.RolloutsResult](m.TB, peer, wire.RolloutsList.Name, nil).Rollouts
	if len(list) != 2 || list[0].ID != pushed.Rollout {
		m.Errorf("the rollouts are %+v, want %s and one before", list, pushed.Rollout)
	}
	if n := len(ask[wire.AuditResult](m.TB, peer, wire.AuditList.Name, wire.AuditParams{Action: "catalog.push"}).Entries); n != 2 {
		m.Errorf("the audit log has %d pushes, want 2", n)
	}
}

// A revision that kills the script host is rolled back, and the reason names how the host
// died; other inspectors go on.
func TestRevisionThatKillsItsScriptHost(t *testing.T) {
	t.Parallel()
	m := newKillMesh(t)
	m.startMaster()
	m.startAgents("a", "b")
	m.awaitHosts(2)
	peer := m.operator()
	beside := m.script(goodBody)
	beside.Name = "beside"
	ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: beside})
	good := ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: m.script(goodBody)})
	askUntil(t, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: good.Rollout}, "it is over", wire.Rollout.Ended)
	bad := ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: m.script(fatalBody), Plan: wire.Plan{Stages: []wire.Stage{{Hosts: 1}}}})
	r := askUntil(t, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: bad.Rollout}, "it is over", wire.Rollout.Ended)
	if r.State != wire.RolloutRolledBack || r.Stage != 0 || len(r.Failures) != 1 || r.Failures[0].Revision != bad.Revision {
		t.Fatalf("the rollout is %+v", r)
	}
	at := r.Failures[0].Host
	if !strings.Contains(r.Reason, "1 of 1 host failed: "+at+": ") || !strings.Contains(r.Reason, "memory") {
		t.Errorf("it was rolled back because %s", r.Reason)
	}
	askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all have the old", allHealthy(good.Revision, 2))
	askUntil(t, peer, wire.HostsGet.Name, wire.HostParams{Host: at}, "all goes on there", func(h wire.Host) bool {
		well := func(i wire.InspectorStatus) bool { return i.State == wire.StateOK && i.Assigned != bad.Revision }
		return len(h.Inspectors) == 2 && well(h.Inspectors[0]) && well(h.Inspectors[1])
	})
}
