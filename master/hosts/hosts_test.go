package hosts

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const goneAfter = 7 * time.Second

// events collects the announcements of a registry, in the form "host state".
type events []string

func newRegistry() (*Registry, *events) {
	var got events
	return New(goneAfter, func(host wire.Host) {
		got = append(got, host.Host+" "+host.State)
	}), &got
}

func hello(host, agent string) wire.HelloParams {
	return wire.HelloParams{Host: host, AgentID: agent, BootID: "boot", NowMS: time.Now().UnixMilli()}
}

func TestHostGoesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := newRegistry()
		go r.Run(t.Context())
		agent, err := r.Connect(hello("web-1", "a"), "127.0.0.1:1", func() {})
		if err != nil {
			t.Fatal(err)
		}
		// A connected agent may be silent for as long as its inspectors are.
		time.Sleep(time.Hour)
		if h, _ := r.Get("web-1"); h.State != wire.HostUp {
			t.Fatalf("a connected host is %s", h.State)
		}
		r.Disconnect(agent)
		time.Sleep(goneAfter - time.Second)
		if h, _ := r.Get("web-1"); h.State != wire.HostUp {
			t.Errorf("a host is %s before it was silent for %v", h.State, goneAfter)
		}
		time.Sleep(2 * time.Second)
		if h, _ := r.Get("web-1"); h.State != wire.HostGone || time.Since(time.UnixMilli(h.SinceMS)) > 2*time.Second {
			t.Errorf("a silent host is %s since %v", h.State, time.UnixMilli(h.SinceMS))
		}
		if _, err := r.Connect(hello("web-1", "a"), "127.0.0.1:2", func() {}); err != nil {
			t.Fatal(err)
		}
		if h, _ := r.Get("web-1"); h.State != wire.HostUp || h.Remote != "127.0.0.1:2" {
			t.Errorf("after coming back the host is %+v", h)
		}
		if want := "web-1 up,web-1 gone,web-1 up"; strings.Join(*got, ",") != want {
			t.Errorf("announced %v, want %s", *got, want)
		}
	})
}

func TestHostOfSimpleCallsGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, got := newRegistry()
		go r.Run(t.Context())
		for range 3 {
			if err := r.Seen("pi", 1, 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(goneAfter - time.Second)
		}
		time.Sleep(2 * time.Second)
		h, _ := r.Get("pi")
		if h.State != wire.HostGone || h.Samples != 3 || !h.Simple {
			t.Errorf("got %+v", h)
		}
		if want := "pi up,pi gone"; strings.Join(*got, ",") != want {
			t.Errorf("announced %v, want %s", *got, want)
		}
	})
}

func TestTwoAgentsOfOneNameDoNotMerge(t *testing.T) {
	r, _ := newRegistry()
	if _, err := r.Connect(hello("web-1", "a"), "10.0.0.1:1", func() {}); err != nil {
		t.Fatal(err)
	}
	_, err := r.Connect(hello("web-1", "b"), "10.0.0.2:1", func() {})
	if err == nil || !strings.Contains(err.Error(), `host "web-1" is already reported by another agent, from 10.0.0.1:1`) {
		t.Errorf("the second agent got %v", err)
	}
}

func TestSameAgentReplacesItself(t *testing.T) {
	r, _ := newRegistry()
	replaced := 0
	old, err := r.Connect(hello("web-1", "a"), "127.0.0.1:1", func() { replaced++ })
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := r.Connect(hello("web-1", "a"), "127.0.0.1:2", func() { t.Error("the new connection was replaced") })
	if err != nil || replaced != 1 {
		t.Fatalf("replaced %d times, error %v", replaced, err)
	}
	if old.Reports != fresh.Reports {
		t.Error("the reports of one boot are not known on its next connection")
	}
	r.Disconnect(old) // late
	r.Status(old, wire.StatusParams{All: true, Inspectors: []wire.InspectorStatus{{Name: "late"}}})
	r.Status(fresh, wire.StatusParams{All: true, Inspectors: []wire.InspectorStatus{{Name: "now"}}})
	if h, _ := r.Get("web-1"); len(h.Inspectors) != 1 || h.Inspectors[0].Name != "now" {
		t.Errorf("inspectors are %+v", h.Inspectors)
	}
}

func TestStatusIsKeptByInspector(t *testing.T) {
	r, _ := newRegistry()
	agent, _ := r.Connect(hello("h", "a"), "", func() {})
	status := func(name, state string) wire.InspectorStatus {
		return wire.InspectorStatus{Name: name, State: state}
	}
	r.Status(agent, wire.StatusParams{All: true, Inspectors: []wire.InspectorStatus{
		status("b", wire.StateOK), status("a", wire.StateOK),
		status("c", wire.StateOK),
	}})
	changed := r.Status(agent, wire.StatusParams{
		Inspectors: []wire.InspectorStatus{status("a", wire.StateOK), status("b", wire.StateQuarantined)},
		Removed:    []string{"c"},
	})
	if len(changed) != 1 || changed[0].Name != "b" {
		t.Errorf("changed are %+v, want b alone", changed)
	}
	h, _ := r.Get("h")
	var got []string
	for _, i := range h.Inspectors {
		got = append(got, i.Name+" "+i.State)
	}
	if want := "a ok,b quarantined"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	r.Status(agent, wire.StatusParams{All: true})
	if h, _ := r.Get("h"); len(h.Inspectors) != 0 {
		t.Errorf("a whole status without inspectors left %+v", h.Inspectors)
	}
}

func TestHostsAreBounded(t *testing.T) {
	r, _ := newRegistry()
	for len(r.hosts) < MaxHosts {
		r.hosts[string(rune(len(r.hosts)))] = &host{}
	}
	if err := r.Seen("one-more", 1, 1); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("got %v", err)
	}
}

func TestReportsAreTakenOnceInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 500
	seqs := rng.Perm(n)
	r := &Reports{}
	for i, s := range seqs {
		seq := uint64(s + 1)
		for try := range 2 {
			taken, err := r.Take(seq, func() error { return nil })
			if err != nil || taken != (try == 0) {
				t.Fatalf("try %d of report %d: taken %v, %v", try, seq, taken, err)
			}
		}
		if i < n-1 && r.Acked() == n {
			t.Fatal("all acknowledged before all came")
		}
	}
	if r.Acked() != n || len(r.taken) != 1 {
		t.Errorf("mark %d in %d ranges, want %d in 1", r.Acked(), len(r.taken), n)
	}
}

func TestReportThatFailedIsTakenLater(t *testing.T) {
	r := &Reports{}
	broken := errors.New("broken")
	if taken, err := r.Take(1, func() error { return broken }); taken || !errors.Is(err, broken) {
		t.Errorf("taken %v, %v", taken, err)
	}
	if taken, err := r.Take(1, func() error { return nil }); !taken || err != nil {
		t.Errorf("then taken %v, %v", taken, err)
	}
	if _, err := r.Take(0, func() error { return nil }); err == nil {
		t.Error("report 0 was taken")
	}
}

// An agent that drops every other report for days must not fill the memory.
func TestGapsAreBounded(t *testing.T) {
	r := &Reports{}
	for seq := uint64(1); seq < 10*maxRanges; seq += 2 {
		if taken, _ := r.Take(seq, func() error { return nil }); !taken {
			t.Fatalf("report %d was not taken", seq)
		}
	}
	if len(r.taken) > maxRanges {
		t.Errorf("%d ranges, want at most %d", len(r.taken), maxRanges)
	}
	last := r.taken[len(r.taken)-1].last
	if taken, _ := r.Take(last-1, func() error { return nil }); !taken {
		t.Error("a recent gap could not be filled")
	}
}

func TestBootsAreBounded(t *testing.T) {
	h := &host{boots: make(map[string]*Reports)}
	first := h.reports("first")
	for i := range maxBoots {
		h.reports(string(rune('a' + i)))
	}
	if len(h.boots) != maxBoots {
		t.Errorf("%d boots are remembered, want %d", len(h.boots), maxBoots)
	}
	if h.reports("first") == first {
		t.Error("the oldest boot was not the one forgotten")
	}
}

// What an agent has left over from earlier runs never makes the master forget
// which reports of this run it has.
func TestRunThatIsConnectedIsRemembered(t *testing.T) {
	r, _ := newRegistry()
	agent, err := r.Connect(wire.HelloParams{Host: "web-1", AgentID: "a", BootID: "now"}, "", func() {})
	if err != nil {
		t.Fatal(err)
	}
	if r.ReportsOf(agent, "") != agent.Reports || r.ReportsOf(agent, "now") != agent.Reports {
		t.Error("the run that said hello has other reports")
	}
	for i := range 3 * maxBoots {
		boot := string(rune('a' + i))
		old := r.ReportsOf(agent, boot)
		if old == agent.Reports || r.ReportsOf(agent, boot) != old {
			t.Fatalf("the reports of run %q are not its own", boot)
		}
	}
	again, err := r.Connect(wire.HelloParams{Host: "web-1", AgentID: "a", BootID: "now"}, "", func() {})
	if err != nil || again.Reports != agent.Reports {
		t.Errorf("the run that was connected is forgotten: %v", err)
	}
	if n := len(r.hosts["web-1"].boots); n != maxBoots {
		t.Errorf("%d boots are remembered, want %d", n, maxBoots)
	}
}
