package master

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// three are hosts of two roles.
func three(t *testing.T, m *Master) []*fakeAgent {
	t.Helper()
	var all []*fakeAgent
	for host, role := range map[string]string{"db-1": "db", "db-2": "db", "web-1": "web"} {
		a := newFakeAgent(host, map[string]string{"role": role, "zone": "a"})
		a.become = func(item wire.Assigned) wire.Receipt {
			if strings.Contains(item.Source, "return 666,") {
				return wire.Receipt{State: wire.ReceiptFailed, Reason: "no such luck"}
			}
			return wire.Receipt{State: wire.ReceiptHealthy}
		}
		a.connect(t, m)
		all = append(all, a)
	}
	return all
}

// A selector with a fault in it takes the inspector off no host.
func TestPushToNobody(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	if got := refused(t, operator, wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1), Selector: new("role=db")}); !strings.Contains(got.Message,
		"no host is known to this master yet") {
		t.Errorf("without a host: %v", got)
	}
	agents := three(t, m)
	first := push(t, operator, wire.PushParams{Code: script("disk", 1), Selector: new("role=db")})
	rollouts("the first is done", inState(wire.RolloutDone))
	for selector, want := range map[string]string{
		"role=dbb":              "2 hosts would drop it; no host has role=dbb (known: db, web); where that is meant, set allow_none (--allow-none)",
		"role in (dbb,wep)":     "no host has role in (dbb,wep) (known: db, web)",
		"rolle=db":              "no host has the label rolle (known: host, role, zone)",
		"zone=b,role=db":        "no host has zone=b (known: a)",
		"host=web-1,role=db":    "no host has host=web-1 and role=db at once",
		"!role":                 "every host has the label role",
		"role notin (db,web)":   "no host has role notin (db,web) (known: db, web)",
		"host=db-3":             "no host has host=db-3 (known: db-1, db-2, web-1)",
		"role=db,zone notin(a)": "no host has zone notin (a) (known: a)",
	} {
		checked := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: script("disk", 2), Selector: &selector})
		got := refused(t, operator, wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 2), Selector: &selector})
		if !strings.Contains(got.Message, want) || checked.Nobody == "" || !strings.Contains(got.Message, checked.Nobody) || checked.Hosts != 0 ||
			checked.Drops != 2 {
			t.Errorf("%s: got %v and %+v, want %s", selector, got, checked, want)
		}
	}
	entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
	if entry.Current != first.Revision || entry.Selector != "role=db" || entry.Summary.Healthy != 2 {
		t.Errorf("after what was refused the entry is %+v", entry)
	}

	// An intended change is made, reported, and skipped by a rollback, selector and all.
	second := push(t, operator, wire.PushParams{Code: script("disk", 2), Selector: new("role=dbb"), AllowNone: true})
	if second.Hosts != 0 || second.Drops != 2 || second.Selector != "role=dbb" {
		t.Errorf("a push to nobody gave %+v", second)
	}
	for _, a := range agents {
		a.wait(t, "")
	}
	push(t, operator, wire.PushParams{Code: script("disk", 3), Selector: new("role=web")})
	rollouts("the third is done", func(r wire.Rollout) bool { return r.ToSelector == "role=web" && r.State == wire.RolloutDone })
	back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
	if back.Revision != first.Revision || back.Selector != "role=db" || back.Hosts != 2 || back.Drops != 1 {
		t.Errorf("a rollback past what ran nowhere gave %+v, want %s for role=db", back, first.Revision)
	}
	for _, a := range agents {
		want := ""
		if a.labels["role"] == "db" {
			want = "disk:" + first.Revision[:4]
		}
		a.wait(t, want)
	}
}

// What there is to go back to is told as it is.
func TestRollbackToNothing(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	three(t, m)
	first := push(t, operator, wire.PushParams{Code: script("disk", 1)})
	rollouts("the first is done", inState(wire.RolloutDone))
	if got := refused(t, operator, wire.CatalogRollback.Name,
		wire.RollbackParams{Name: "disk"}); got.Message != fmt.Sprintf("inspector %q has had no other revision than %.8s", "disk", first.Revision) {
		t.Errorf("got %v", got)
	}
	bad := push(t, operator, wire.PushParams{Code: script("disk", 666)})
	rollouts("the bad one is rolled back", inState(wire.RolloutRolledBack))
	got := refused(t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
	if want := fmt.Sprintf("has had no other revision that did well: %.8s was rolled back in rollout %s; name it", bad.Revision,
		bad.Rollout); !strings.Contains(got.Message, want) {
		t.Errorf("got %v, want %s", got, want)
	}

	// The same code for other hosts is something to go back from.
	push(t, operator, wire.PushParams{Code: script("disk", 1), Selector: new("role=web")})
	rollouts("the hosts are others", func(r wire.Rollout) bool { return r.ToSelector == "role=web" && r.State == wire.RolloutDone })
	if back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"}); back.Revision != first.Revision ||
		back.Selector != "" {
		t.Errorf("got %+v", back)
	}

	// A deleted inspector is listed as deleted, and comes back as it was.
	call[wire.PushResult](t, operator, wire.CatalogDelete.Name, wire.DeleteParams{Name: "disk"})
	if list := call[wire.CatalogResult](t, operator, wire.CatalogList.Name, nil); len(list.Inspectors) != 0 || len(list.Deleted) != 1 ||
		list.Deleted[0] != "disk" {
		t.Errorf("got %+v", list)
	}
	if back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"}); back.Revision != first.Revision ||
		back.Selector != "" || back.Hosts != 3 {
		t.Errorf("got %+v", back)
	}
	push(t, operator, wire.PushParams{Code: script("net", 666)})
	rollouts("a new one is rolled back", func(r wire.Rollout) bool { return r.Inspector == "net" && r.State == wire.RolloutRolledBack })
	if got := refused(t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "net"}); !strings.Contains(got.Message,
		"has had no other revision that did well: ") {
		t.Errorf("got %v", got)
	}
}

// was is an inspector as it was after one change.
type was struct {
	revision, selector string
	well               bool // on some host
	takenBack          bool
}

// A rollback restores what was there, whatever was done before: the newest that
// did well and is another than what is there now.
func TestRollbackRestoresWhatWas(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	three(t, m)
	random := rand.New(rand.NewPCG(4, uint64(time.Now().UnixNano())))
	var past []was
	var done []string // what was done, for whoever has to find out
	now := was{}
	for range 60 {
		var result wire.PushResult
		switch random.IntN(5) {
		case 0, 1, 2:
			p := wire.PushParams{Code: script("disk", []int{1, 2, 3, 666}[random.IntN(4)]), AllowNone: true}
			if random.IntN(2) == 0 {
				p.Selector = new([]string{"", "role=db", "role=web", "role=dbb"}[random.IntN(4)])
			}
			result = push(t, operator, p)
			done = append(done, fmt.Sprintf("push %.4s to %q", result.Revision, result.Selector))
		case 3:
			if now.revision == "" {
				continue
			}
			result = call[wire.PushResult](t, operator, wire.CatalogDelete.Name, wire.DeleteParams{Name: "disk"})
			done = append(done, "delete")
		case 4:
			want, ok := expected(past, now)
			if !ok {
				refused(t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
				continue
			}
			result = call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
			done = append(done, fmt.Sprintf("rollback to %.4s for %q", result.Revision, result.Selector))
			if result.Revision != want.revision || result.Selector != want.selector {
				t.Fatalf("want %.4s for %q after\n%s", want.revision, want.selector, strings.Join(done, "\n"))
			}
		}
		if result.Rollout == "" {
			continue // it was so
		}
		end := rollouts("the end of rollout "+result.Rollout, func(r wire.Rollout) bool {
			return r.ID == result.Rollout && r.State != wire.RolloutRunning
		})
		healthy := 0
		for _, stage := range end.Stages {
			healthy += stage.Summary.Healthy
		}
		now = was{revision: result.Revision, selector: result.Selector, well: result.Revision != "" && healthy > 0, takenBack: end.State == wire.RolloutRolledBack}
		past = append(past, now)
		if now.takenBack {
			entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
			done = append(done, fmt.Sprintf("taken back to %.4s for %q", entry.Current, entry.Selector))
			now = was{revision: entry.Current, selector: entry.Selector, well: entry.Summary.Healthy > 0}
			past = append(past, now)
		}
	}
}

// expected is what a rollback has to go back to.
func expected(past []was, now was) (was, bool) {
	var some was
	found := false
	for i := len(past) - 1; i >= 0; i-- {
		w := past[i]
		same := now.revision != "" && w.revision == now.revision && w.selector == now.selector
		if w.revision == "" || same || w.takenBack {
			continue
		}
		if w.well {
			return w, true
		}
		if !found {
			some, found = w, true
		}
	}
	return some, found
}
