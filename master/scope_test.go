package master

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// What a caller who is bound to some hosts may do with a method or a route.
const (
	bindsNobody = "nobody" // it is about no host, or about an agent's own
	bindsHost   = "host"   // the host that is named must be one of them
	bindsAnswer = "answer" // the answer has them alone
	refuses     = "refused"
)

// howBound says of each method how it keeps to the hosts of its caller, written apart
// from the rows.
func howBound() map[string]string {
	all := make(map[string]string)
	for how, names := range map[string]string{
		bindsNobody: `master.login master.unsubscribe master.hello master.report master.status master.reportMetric master.receipt master.alerts master.trial master.maintenance
			master.live trials.stop boards.list boards.get boards.put boards.delete authority.show keys.list
			users.passwd users.logout`,
		refuses: `audit.list audit.verify tokens.create tokens.list tokens.revoke tokens.join
			users.list users.add users.role users.remove users.link hosts.approve hosts.revoke authority.rotate
			alerts.test alerts.thresholds alerts.threshold keys.add`,
		bindsHost: `hosts.get hosts.label inspectors.release boosts.start boosts.stop logs.get`,
		bindsAnswer: `master.info hosts.list hosts.members master.subscribe history.range
			catalog.check catalog.push catalog.rollback catalog.delete catalog.list catalog.get catalog.revision
			catalog.receipts proposals.list proposals.get proposals.approve proposals.refuse rollouts.list rollouts.get rollouts.pause rollouts.resume rollouts.abort trials.start
			alerts.list alerts.explain alerts.ack silences.list silences.add silences.end
			maintenances.list maintenances.add maintenances.end`,
	} {
		for _, name := range strings.Fields(names) {
			all[name] = how
		}
	}
	return all
}

// boundToken is the token of somebody who is bound to hosts.
func boundToken(name, role, hosts string) config.Token {
	t := token(name, role, "")
	t.Hosts = hosts
	return t
}

// Over real connections callers who are bound may call what howBound names, if their
// role may, and nothing else; a row without an expectation fails. A host that they do
// not see is answered like one that does not exist.
func TestEveryMethodTimesBoundCallers(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		token("in-1", "agent", "in-1"), token("out-1", "agent", "out-1"),
		boundToken("wall", "viewer", "host in (in-1)"), boundToken("ops", "operator", "host in (in-1)"),
	}})
	for _, host := range []string{"in-1", "out-1"} {
		report(t, dial(t, m, nil, rpc.DialOptions{Header: bearer(host)}), host)
	}
	may, want := mayCall(), howBound()
	for _, name := range rowsOfMethods(t) {
		if may[name] == none {
			continue // an agent serves it
		}
		how, ok := want[name]
		if delete(want, name); !ok {
			t.Errorf("howBound says nothing of %s", name)
		}
		for who, role := range map[string]string{"wall": "v", "ops": "o"} {
			peer := dial(t, m, nil, rpc.DialOptions{Header: bearer(who)})
			allowed := strings.Contains(may[name], role) && how != refuses
			code := codeOf(t, peer, name, map[string]any{"host": "in-1", "token": "secret-" + who})
			if forbidden := code == wire.CodeForbidden; forbidden == allowed {
				t.Errorf("%s by %s, who is bound: code %d; allowed should be %v", name, who, code, allowed)
			}
			if how == bindsHost && allowed {
				hidden, unknown := refusalOf(t, peer, name, "out-1"), refusalOf(t, peer, name, "out-2")
				if hidden.Code != wire.CodeNotFound || strings.ReplaceAll(hidden.Message, "out-1", "out-2") != unknown.Message {
					t.Errorf("%s by %s of a hidden host: %v; of an unknown one: %v", name, who, hidden, unknown)
				}
			}
			hangUp(t, peer)
		}
	}
	for name := range want {
		t.Errorf("%s has an expectation and no row", name)
	}
}

// refusalOf calls a method about a host and returns its error.
func refusalOf(t *testing.T, peer *rpc.Peer, method, host string) *rpc.Error {
	t.Helper()
	params := map[string]any{"host": host}
	switch method {
	case wire.HostsGet.Name:
	case wire.HostsLabel.Name:
		params["labels"] = map[string]string{"role": "db"}
	default:
		params["inspector"] = "load"
	}
	err := peer.Call(patience.Context(t), method, params, nil)
	refusal, ok := err.(*rpc.Error)
	if !ok {
		t.Fatalf("%s about %s: %v, want a refusal", method, host, err)
	}
	return refusal
}

// report sends one sample of a host, which is known to the master then.
func report(t *testing.T, peer *rpc.Peer, host string) {
	t.Helper()
	value := 1.0
	call[any](t, peer, wire.MasterReportMetric.Name, wire.ReportMetricParams{
		Hostname: host, Metric: wire.Metric{TS: time.Now().UnixMilli(), Key: "load/average-1", Val: &value},
	})
}

// Routes that bound callers may ask; all others that need a credential refuse them.
func boundMayAsk() []string {
	all := []string{wire.ArtefactPath, wire.LoginPath, "/api/v1/"}
	for _, path := range strings.Fields(`query_exemplars format_query alertmanagers targets targets/metadata status/buildinfo status/config status/flags
		query query_range labels label/{name}/values series metadata rules alerts`) {
		all = append(all, "/api/v1/"+path)
	}
	return all
}

// Over real connections a route that does not say how it is bound is not for callers
// who are.
func TestEveryRouteTimesBoundCallers(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{boundToken("wall", "viewer", "role=db"), boundToken("ops", "operator", "role=db")}})
	for _, row := range routes() {
		if row.Bound == "" {
			t.Errorf("the row of %s does not say how it keeps to the hosts of who asks", row.Path)
		}
		for _, method := range row.Methods {
			who := mayAsk()[method+" "+row.Path]
			if who == everybody {
				continue
			}
			for name, role := range map[string]string{"wall": "v", "ops": "o"} {
				allowed := strings.Contains(who, role) && slices.Contains(boundMayAsk(), row.Path)
				status, text := request(t, m, bearer(name), method, pathOf(row))
				if (status == http.StatusForbidden) == allowed {
					t.Errorf("%s %s by %s, who is bound: %d %.200q; allowed should be %v", method, row.Path, name, status, text, allowed)
				}
			}
		}
	}
}

// A host that loses the label is out at once, also of a subscription that runs, and one
// that gets it is in.
func TestScopeFollowsLabelsOfHosts(t *testing.T) {
	for _, format := range []string{"events", "columns"} {
		t.Run(format, func(t *testing.T) {
			m := start(t, config.Master{Tokens: []config.Token{
				token("stays", "agent", "stays"), token("moves", "agent", "moves"), token("ops", "operator", ""), boundToken("wall", "viewer", "role=db"),
			}})
			agents := make(map[string]*fakeAgent)
			for _, host := range []string{"stays", "moves"} {
				agents[host] = newFakeAgent(host, map[string]string{"role": "db"})
				agents[host].token = host
				agents[host].connect(t, m)
			}
			ops, heard := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")}), make(notes, 1000)
			wall := dial(t, m, map[string]notes{wire.NotifyEvent.Name: heard, wire.NotifySamples.Name: heard}, rpc.DialOptions{Header: bearer("wall")})
			call[wire.SubscribeResult](t, wall, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "metrics/*", Format: format})
			value := 1e6
			// tell has both hosts report, and returns what is heard up to the one that stays.
			tell := func() (text string, moved string) {
				value += 2
				for i, host := range []string{"moves", "stays"} {
					call[any](t, agents[host].peer, wire.MasterReportMetric.Name, []any{host, map[string]any{
						"ts": time.Now().UnixMilli(), "key": "level", "val": value + float64(i),
					}})
				}
				for !strings.Contains(text, fmt.Sprintf("%.0f", value+1)) {
					text += heard.next(t)
				}
				return text, fmt.Sprintf("%.0f", value)
			}
			for round := range 6 {
				inside := round%2 == 0
				role := map[bool]string{true: "db", false: "web"}[inside]
				call[wire.Host](t, ops, wire.HostsLabel.Name, wire.LabelParams{Host: "moves", Labels: map[string]string{"role": role}})
				text, moved := tell()
				if strings.Contains(text, moved) != inside {
					t.Errorf("with role=%s the subscription tells %s; the other host's value %s should be there: %v", role, text, moved, inside)
				}
				past := call[wire.HistoryRangeResult](t, wall, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: "metrics/*", FromMS: -600_000, Points: 10})
				if want := map[bool]int{true: 2, false: 1}[inside]; len(past.Series) != want {
					t.Errorf("with role=%s there are %d series in the past, want %d", role, len(past.Series), want)
				}
				_, body := request(t, m, bearer("wall"), http.MethodGet, "/api/v1/query?query=level")
				if strings.Contains(body, `"moves"`) != inside || !strings.Contains(body, `"stays"`) {
					t.Errorf("with role=%s a query gives %s", role, body)
				}
			}
		})
	}
}
