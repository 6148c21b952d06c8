package neighbours

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

var update = flag.Bool("update", false, "write down what programs of the release before say to each other")

// recorded is the file with the messages of the release before.
const recorded = "testdata/before.jsonl"

// said is one call or notification, with its answer.
type said struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"` // absent for a notification
}

// row says how today's programs decode and encode the messages of a method.
type row struct {
	inOrder        bool
	params, result func(raw []byte) (again []byte, err error)
}

// again decodes a message strictly, and encodes it again.
func again[T any](raw []byte) ([]byte, error) {
	var value T
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

func of[P, R any](m wire.Method[P, R]) (string, row) {
	return m.Name, row{m.InOrder, again[P], again[R]}
}

// rows returns the methods between agents and masters: those that a master serves, and
// those that an agent serves.
func rows() (master, agent map[string]row) {
	master, agent = make(map[string]row), make(map[string]row)
	add := func(to map[string]row) func(name string, r row) { return func(name string, r row) { to[name] = r } }
	add(master)(of(wire.MasterHello))
	add(master)(of(wire.MasterReport))
	add(master)(of(wire.MasterStatus))
	add(master)(of(wire.MasterReceipt))
	add(master)(of(wire.MasterAlerts))
	add(master)(of(wire.MasterTrial))
	add(master)(of(wire.MasterLive))
	add(agent)(of(wire.AgentRelease))
	add(agent)(of(wire.AgentAssign))
	add(agent)(of(wire.AgentAssigned))
	add(agent)(of(wire.AgentKeys))
	add(agent)(of(wire.AgentTry))
	add(agent)(of(wire.AgentUntry))
	add(agent)(of(wire.AgentBoost))
	add(agent)(of(wire.AgentLogs))
	return master, agent
}

// without removes members that say nothing, at any depth, because an absent member means
// the same.
func without(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, e := range v {
			if e = without(e); e == nil || reflect.ValueOf(e).IsZero() || isEmpty(e) {
				delete(v, name)
			} else {
				v[name] = e
			}
		}
	case []any:
		for i := range v {
			v[i] = without(v[i])
		}
	}
	return value
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func same(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(without(x), without(y))
}

// Today's programs understand every member of each message of the release before.
// TestNeighbours runs the programs; this test names the message that makes it fail.
func TestMessagesOfTheReleaseBefore(t *testing.T) {
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	master, agent := rows()
	seen := make(map[string]bool)
	for n, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var s said
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		r, known := master[s.Method]
		if !known {
			r, known = agent[s.Method]
		}
		if !known {
			t.Errorf("line %d: nobody knows %s any more, which the release before calls", n+1, s.Method)
			continue
		}
		seen[s.Method] = true
		for _, m := range []struct {
			what string
			raw  []byte
			read func([]byte) ([]byte, error)
		}{{"params", s.Params, r.params}, {"result", s.Result, r.result}} {
			if len(m.raw) == 0 {
				continue
			}
			got, err := m.read(m.raw)
			switch {
			case err != nil:
				t.Errorf("line %d: the %s of %s cannot be read: %v\n%s", n+1, m.what, s.Method, err, m.raw)
			case !same(m.raw, got):
				t.Errorf("line %d: of the %s of %s something is lost:\n%s\nis read as\n%s", n+1, m.what, s.Method, m.raw, got)
			}
		}
	}
	for _, must := range []string{
		wire.MasterHello.Name, wire.MasterReport.Name, wire.MasterReceipt.Name, wire.AgentAssign.Name, wire.AgentTry.Name, wire.AgentBoost.Name,
	} {
		if !seen[must] {
			t.Errorf("%s has no message of %s", recorded, must)
		}
	}
}

// recorder stands between agents and a master. It passes everything on, and records it.
type recorder struct {
	*testing.T
	master string // its address

	mu    sync.Mutex
	peers map[*rpc.Peer]*rpc.Peer // connections to the master, by the agent's connection
	lines []string
	kinds map[string]bool // messages recorded already
}

// toMaster returns the connection to the master for an agent's connection.
func (r *recorder) toMaster(agent *rpc.Peer) (*rpc.Peer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if peer := r.peers[agent]; peer != nil {
		return peer, nil
	}
	_, methods := rows()
	handler := r.passOn(methods, func(*rpc.Peer) (*rpc.Peer, error) { return agent, nil })
	peer, err := rpc.Dial(patience.Context(r), "http://"+r.master, rpc.DialOptions{Handler: handler})
	if err == nil {
		r.peers[agent] = peer
	}
	return peer, err
}

// passOn handles methods by calling them at the other end.
func (r *recorder) passOn(methods map[string]row, to func(from *rpc.Peer) (*rpc.Peer, error)) *rpc.Mux {
	mux := rpc.NewMux()
	for name, row := range methods {
		pass := func(ctx context.Context, req *rpc.Request) (any, error) {
			var params, result any
			if err := req.Decode(&params); err != nil {
				return nil, err
			}
			peer, err := to(req.Peer)
			if err != nil {
				return nil, err
			}
			if req.Notification {
				r.note(name, params, nil)
				return nil, peer.Notify(ctx, name, params)
			}
			if err := peer.Call(ctx, name, params, &result); err != nil {
				return nil, err
			}
			r.note(name, params, result)
			return result, nil
		}
		if row.inOrder {
			mux.HandleInOrder(name, pass)
		} else {
			mux.Handle(name, pass)
		}
	}
	return mux
}

// note keeps one message of each kind: messages with the same members are of one kind.
func (r *recorder) note(method string, params, result any) {
	line := said{Method: method}
	var err error
	if line.Params, err = json.Marshal(params); err == nil && result != nil {
		line.Result, err = json.Marshal(result)
	}
	if err != nil {
		r.Error(err)
		return
	}
	text, err := json.Marshal(line)
	if err != nil {
		r.Error(err)
		return
	}
	kind := method + " " + strings.Join(members(params, ""), " ") + " " + strings.Join(members(result, ""), " ")
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.kinds[kind] && len(text) < 4000 {
		r.kinds[kind] = true
		r.lines = append(r.lines, string(text))
	}
}

// members lists the names of all members of a message, with their paths.
func members(value any, in string) (names []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, e := range v {
			names = append(append(names, in+name), members(e, in+name+".")...)
		}
	case []any:
		for _, e := range v {
			names = append(names, members(e, in+"[].")...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestRecord records a short conversation between a master and an agent of the release
// before. It only runs with -update, when before.txt has changed.
func TestRecord(t *testing.T) {
	if !*update {
		t.Skip("SKIPPED: it writes " + recorded + "; run: make upgrade-record")
	}
	m := newMesh(t, build(t, before))
	r := &recorder{T: t, master: m.address, peers: make(map[*rpc.Peer]*rpc.Peer), kinds: make(map[string]bool)}
	methods, _ := rows()
	server := &rpc.Server{Handler: r.passOn(methods, r.toMaster)}
	others := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: m.address})
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/rpc" {
			server.ServeHTTP(w, req)
		} else {
			others.ServeHTTP(w, req)
		}
	}))
	defer between.Close()
	m.configure()
	text, err := os.ReadFile(m.file("agent.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("http://"+m.address), []byte(between.URL))
	if err := os.WriteFile(m.file("agent.yaml"), append(text, "  library: none\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	m.be(before, before)
	m.works(before)
	m.works(before)
	m.must(before, "try", m.file("answer.go"), "--on", host, "--for", "3s")
	m.must(before, "boost", host, "answer", "--for", "2s")
	m.must(before, "logs", "answer", "--host", host)
	m.must(before, "inspector", "delete", "answer")
	m.stop("agent")
	m.stop("master")
	slices.Sort(r.lines)
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recorded, []byte(strings.Join(r.lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
