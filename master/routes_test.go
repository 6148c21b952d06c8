package master

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

var updateRoutes = flag.Bool("update", false, "write the table of docs/http.md again")

// Callers that a master tells apart. Each letter of an expectation is one:
// nobody, agent, viewer, operator, admin (d) and local; and the sessions of users in a
// browser, a viewer's (V), an operator's (O) and an admin's (D).
const (
	everybody = "navodlVOD"
	known     = "avodlVOD"
	agents    = "al"
	viewers   = "vodlVOD"
	operators = "odlOD"
	admins    = "dlD"
	none      = ""
)

// mayCall says who may call each method, written apart from the rows. Methods that
// an agent serves, and notifications, are nobody's here.
func mayCall() map[string]string {
	return map[string]string{
		"master.login": everybody,

		"master.info": known, "master.unsubscribe": known,

		"master.hello": agents, "master.report": agents, "master.status": agents, "master.reportMetric": agents,
		"master.receipt": agents, "master.alerts": agents, "master.maintenance": agents, "master.trial": agents, "master.live": agents,

		"master.subscribe": viewers, "hosts.list": viewers, "hosts.get": viewers, "history.range": viewers,
		"catalog.check": viewers, "catalog.list": viewers, "catalog.get": viewers, "catalog.revision": viewers, "catalog.receipts": viewers,
		"rollouts.list": viewers, "rollouts.get": viewers, "boards.list": viewers, "boards.get": viewers,

		"hosts.label": operators, "inspectors.release": operators,
		"catalog.push": operators, "catalog.rollback": operators, "catalog.delete": operators,
		"rollouts.pause": operators, "rollouts.resume": operators, "rollouts.abort": operators,
		"trials.start": operators, "trials.stop": operators, "boosts.start": operators, "boosts.stop": operators,
		"alerts.list": viewers, "alerts.explain": viewers, "alerts.thresholds": viewers, "silences.list": viewers,
		"alerts.test": operators, "alerts.ack": operators, "alerts.threshold": operators, "silences.add": operators, "silences.end": operators,
		"maintenances.list": viewers, "maintenances.add": operators, "maintenances.end": operators,
		"keys.list": viewers, "keys.add": operators,
		"proposals.list": operators, "proposals.get": operators, "proposals.approve": operators, "proposals.refuse": operators,
		"boards.put": operators, "boards.delete": operators,
		"audit.list": operators, "audit.verify": operators,
		"logs.get":      operators,
		"tokens.create": admins, "tokens.list": operators, "tokens.revoke": admins, "tokens.join": admins,
		"users.list": admins, "users.add": admins, "users.role": admins, "users.remove": admins, "users.link": admins,
		"users.passwd": viewers, "users.logout": viewers,
		"hosts.members": viewers, "hosts.approve": operators, "hosts.revoke": operators,
		"authority.show": viewers, "authority.rotate": admins,

		"agent.keys":    none,
		"agent.release": none, "agent.assign": none, "agent.assigned": none, "agent.try": none, "agent.untry": none, "agent.boost": none, "agent.logs": none,
		"event": none, "samples": none, "lost": none, "heartbeat": none, "trial": none,
	}
}

// mayAsk says who may ask each route for what, written apart from the rows.
func mayAsk() map[string]string {
	rows := map[string]string{
		"GET /rpc": everybody, "GET /": everybody, "GET /api/client": everybody, "GET /-/healthy": everybody, "GET /-/ready": everybody,
		"GET /static/": everybody, "GET /graph": everybody,
		"GET /metrics": viewers, "GET /api/v1/": viewers, "POST /api/v1/": viewers,
		"POST /api/v1/write": agents, "POST /write": agents, "POST /api/v2/write": agents,
		"POST /v1/metrics": agents, "POST /api/v1/otlp/v1/metrics": agents,
		"POST /-/backup": admins,
		"GET /api/login": everybody, "POST /api/login": everybody, "DELETE /api/login": known, "POST /api/password": everybody,
		"GET /api/oidc/login": everybody, "GET /api/oidc/callback": everybody,
		"POST /api/oidc/confirm": everybody, "POST /api/oidc/token": everybody,
		"GET /artefacts/": known, "PUT /artefacts/": operators,
		"GET /alertmanager/": viewers, "POST /alertmanager/": operators, "DELETE /alertmanager/": operators,
		"POST /api/join": everybody, "POST /api/renew": everybody,
	}
	for _, path := range strings.Fields("query query_range query_exemplars format_query labels series") {
		rows["GET /api/v1/"+path], rows["POST /api/v1/"+path] = viewers, viewers
	}
	for _, path := range strings.Fields(`label/{name}/values metadata rules alerts alertmanagers targets targets/metadata
		status/tsdb status/buildinfo status/runtimeinfo status/config status/flags`) {
		rows["GET /api/v1/"+path] = viewers
	}
	for row, who := range maps.Clone(rows) {
		if path, ok := strings.CutPrefix(row, "GET "); ok && path != wire.Path && !strings.HasPrefix(path, "/api/oidc/") {
			rows["HEAD "+path] = who
		}
	}
	return rows
}

// rowsOfMethods are the names of all rows of rpc/wire.
func rowsOfMethods(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "../rpc/wire/methods.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok && fmt.Sprint(pair.Key) == "Name" {
			name, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		return true
	})
	return names
}

// callers are a master with tokens, one without, and who asks which.
type callers struct {
	closed, open *Master
}

func startCallers(t *testing.T) callers {
	t.Helper()
	static := map[string]string{"/static": t.TempDir()}
	return callers{
		closed: start(t, config.Master{Static: static, Tokens: []config.Token{
			token("web-1", "agent", "web-1"), token("wall", "viewer", ""),
			token("ops", "operator", ""), token("boss", "admin", ""),
		}}),
		open: start(t, config.Master{Static: static}),
	}
}

// session returns what a browser sends in which the user of a letter has just logged in.
func (c callers) session(t *testing.T, who rune) http.Header {
	t.Helper()
	role := map[rune]string{'V': "viewer", 'O': "operator", 'D': "admin"}[who]
	if !c.closed.users.Has(role + "-user") {
		addUser(t, c.closed, role+"-user", role)
	}
	return browser(c.closed, logIn(t, c.closed, role+"-user"))
}

// as returns the master that a caller asks, and the credentials it shows.
func (c callers) as(t *testing.T, who rune) (*Master, http.Header) {
	t.Helper()
	switch who {
	case 'V', 'O', 'D':
		return c.closed, c.session(t, who)
	case 'd':
		return c.closed, bearer("boss")
	case 'l':
		return c.open, http.Header{}
	case 'a':
		return c.closed, bearer("web-1")
	case 'v':
		return c.closed, bearer("wall")
	case 'o':
		return c.closed, bearer("ops")
	}
	return c.closed, http.Header{}
}

// Over real connections every method of the wire is for those whom mayCall names,
// and for nobody else; a row without an expectation fails.
func TestEveryMethodTimesEveryRole(t *testing.T) {
	want, masters := mayCall(), startCallers(t)
	names := rowsOfMethods(t)
	if len(names) != len(want) {
		t.Errorf("there are %d rows and %d expectations", len(names), len(want))
	}
	for _, name := range names {
		who, ok := want[name]
		if !ok {
			t.Errorf("mayCall says nothing of %s", name)
			continue
		}
		for _, caller := range everybody {
			m, header := masters.as(t, caller)
			peer := dial(t, m, nil, rpc.DialOptions{Header: header})
			var params any
			if name == wire.MasterLogin.Name {
				params = wire.LoginParams{Token: "secret-wall"}
				if m == masters.open {
					params = wire.LoginParams{Token: m.key}
				}
			}
			code := codeOf(t, peer, name, params)
			refusal := wire.CodeForbidden
			switch {
			case caller == 'n':
				refusal = wire.CodeUnauthenticated
			case who == none:
				refusal = rpc.CodeMethodNotFound
			}
			allowed := code != wire.CodeForbidden && code != wire.CodeUnauthenticated && code != rpc.CodeMethodNotFound
			if expected := strings.ContainsRune(who, caller); allowed != expected || !allowed && code != refusal {
				t.Errorf("%s by %c: code %d; allowed should be %v", name, caller, code, expected)
			}
			hangUp(t, peer)
		}
	}
}

// codeOf calls a method and returns the code of its error, or 0.
func codeOf(t *testing.T, peer *rpc.Peer, method string, params any) int {
	t.Helper()
	err := peer.Call(patience.Context(t), method, params, nil)
	if refusal, ok := errors.AsType[*rpc.Error](err); ok {
		return refusal.Code
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return 0
}

// Over real connections every row of the routes is for those whom mayAsk names,
// and for nobody else; a row without an expectation fails.
func TestEveryRouteTimesEveryRole(t *testing.T) {
	want, masters := mayAsk(), startCallers(t)
	static, err := staticRoutes(masters.open.cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range append(routes(), static...) {
		for _, method := range row.Methods {
			who, ok := want[method+" "+row.Path]
			delete(want, method+" "+row.Path)
			if !ok {
				t.Errorf("mayAsk says nothing of %s %s", method, row.Path)
				continue
			}
			for _, caller := range everybody {
				m, header := masters.as(t, caller)
				status, text := request(t, m, header, method, pathOf(row))
				refused := status == http.StatusUnauthorized || status == http.StatusForbidden && !strings.Contains(text, "has no inspector with that program")
				if method == http.MethodHead && row.Path == wire.ArtefactPath && caller == 'a' {
					refused = false // the same, and a HEAD has no text
				}
				if expected := strings.ContainsRune(who, caller); refused == expected || status == http.StatusMethodNotAllowed {
					t.Errorf("%s %s by %c: %d %.200q; allowed should be %v", method, row.Path, caller, status, text, expected)
				}
				if want := http.StatusUnauthorized; refused && (status == want) != (caller == 'n') {
					t.Errorf("%s %s by %c: %d", method, row.Path, caller, status)
				}
			}
		}
	}
	for row := range want {
		t.Errorf("%s has an expectation and no row", row)
	}
}

// A link to an expression in a Prometheus leads to the page that shows it, and nowhere
// else.
func TestLinksOfPrometheusLeadToExplore(t *testing.T) {
	for asked, want := range map[string]string{
		"/graph": "/explore", "/graph?g0.tab=1": "/explore", "/graph?g0.expr=up+%3D%3D+0&g0.tab=1": "/explore?q=up+%3D%3D+0",
		"/graph?g0.expr=a%26b&g2.expr=c%0Ad&g9.expr=e": "/explore?q=a%26b&q2=c%0Ad", "/graph?g0.expr=//example.org/": "/explore?q=%2F%2Fexample.org%2F",
	} {
		w := httptest.NewRecorder()
		serveGraph(w, httptest.NewRequest(http.MethodGet, asked, nil))
		if got := w.Header().Get("Location"); w.Code != http.StatusFound || got != want {
			t.Errorf("%s: %d to %q, want %q", asked, w.Code, got, want)
		}
	}
}

// pathOf is a path that a row serves.
func pathOf(row route) string {
	at := strings.ReplaceAll(row.Path, "{name}", "x")
	if row.Path == wire.ArtefactPath {
		at += strings.Repeat("0", 64)
	}
	return at
}

func request(t *testing.T, m *Master, header http.Header, method, path string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(patience.Context(t), method, m.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	return send(t, r)
}

// No other method gets anywhere at a path of the table, whoever sends it, and the
// answer says which do. Methods and paths are chosen at random.
func TestOtherMethodsOfRoutes(t *testing.T) {
	masters := startCallers(t)
	methods := make(map[string][]string)
	for _, row := range routes() {
		methods[row.Path] = append(methods[row.Path], row.Methods...)
	}
	paths := slices.Sorted(maps.Keys(methods))
	candidates := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "Post", "X"}
	for range 300 {
		at, method := paths[rand.IntN(len(paths))], candidates[rand.IntN(len(candidates))]
		if slices.Contains(methods[at], method) {
			continue
		}
		caller := []rune(everybody)[rand.IntN(len(everybody))]
		m, header := masters.as(t, caller)
		r, err := http.NewRequestWithContext(t.Context(), method, m.URL()+pathOf(route{Path: at}), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Method, r.Header = method, header.Clone()
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		allow := strings.Split(response.Header.Get("Allow"), ", ")
		response.Body.Close()
		slices.Sort(methods[at])
		if response.StatusCode != http.StatusMethodNotAllowed || !slices.Equal(allow, methods[at]) {
			t.Errorf("%s %s by %c: %s, allowed are %v; want %v", method, at, caller, response.Status, allow, methods[at])
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// A body that is longer than its row allows is refused before it is read, or where
// the bound is crossed; a row without a body sees none.
func TestBodiesOfRoutes(t *testing.T) {
	const most = 1000
	read := func(*Master) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%d %v", n, err)
		})
	}
	m := start(t, config.Master{})
	mux, err := m.newMux([]route{
		{Path: "/some", Methods: []string{http.MethodPost}, For: wire.Anybody, Body: most, serve: read},
		{Path: "/none", Methods: []string{http.MethodPost}, For: wire.Anybody, serve: read},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	for i := range 200 {
		n, told := rand.IntN(2*most), rand.IntN(2) == 0
		path, want := "/some", fmt.Sprintf("200 %d <nil>", n)
		switch {
		case i%4 == 0:
			path, want = "/none", "200 0 <nil>"
		case n > most && told:
			want = fmt.Sprintf("413 /some takes at most 1000 bytes; this request has %d\n", n)
		case n > most:
			want = "200 1000 http: request body too large"
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(strings.Repeat("x", n)))
		if err != nil {
			t.Fatal(err)
		}
		if !told {
			r.ContentLength = -1
		}
		if status, text := send(t, r); fmt.Sprint(status, " ", text) != want {
			t.Errorf("%s of %d bytes, announced %v: %d %q, want %q", path, n, told, status, text, want)
		}
	}
}

// What changes something is refused to the pages of other origins, also where it
// needs no credential: on a master without tokens the kernel vouches for the browser.
func TestForeignPagesChangeNothing(t *testing.T) {
	m := start(t, config.Master{})
	reached := func(*Master) http.Handler { return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) }
	for _, access := range []wire.Access{wire.Anybody, wire.Known, wire.Agent, wire.Viewer, wire.Operator, wire.Admin} {
		mux, err := m.newMux([]route{{Path: "/x", Methods: []string{http.MethodPost}, For: access, serve: reached}})
		if err != nil {
			t.Fatal(err)
		}
		for origin, want := range map[string]int{"": 200, "http://127.0.0.1": 200, "http://evil.example": 403, "null": 403} {
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/x", nil)
			r = r.WithContext(auth.WithOwner(r.Context(), func() bool { return true }))
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			w := httptest.NewRecorder()
			if mux.ServeHTTP(w, r); w.Code != want {
				t.Errorf("for %s, from %q: %d %s", access, origin, w.Code, w.Body)
			}
		}
	}
}

// One path and method has one row.
func TestRoutesAreServedOnce(t *testing.T) {
	m := start(t, config.Master{})
	row := routes()[0]
	if _, err := m.newMux([]route{row, row}); err == nil || !strings.Contains(err.Error(), strconv.Quote(row.Path)) {
		t.Errorf("two rows of one path: %v", err)
	}
}

// The table of docs/http.md is that of the rows.
func TestRoutesAreDocumented(t *testing.T) {
	const file, begin, end = "../docs/http.md", "<!-- routes: begin -->\n", "<!-- routes: end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no table of routes", file)
	}
	var want strings.Builder
	want.WriteString("| path | methods | for | bound | body | |\n|---|---|---|---|---|---|\n")
	for _, row := range routes() {
		says := row.Says
		if row.Audit != "" {
			says += " Audited as `" + row.Audit + "`."
		}
		body := ""
		if row.Body > 0 {
			body = fmt.Sprintf("%d MiB", row.Body>>20)
			if row.Body%(1<<20) != 0 {
				body = fmt.Sprintf("%d KiB", row.Body>>10)
			}
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s | %s |\n", row.Path, strings.Join(row.Methods, ", "), row.For, row.Bound, body, says)
	}
	if *updateRoutes {
		if err := os.WriteFile(file, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want.String() {
		t.Errorf("the table of %s is\n%s\nand the rows are\n%s\nmake it again with: go test ./master -run TestRoutesAreDocumented -update", file, got, want.String())
	}
}
