package master

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestWhoMayStorePrograms(t *testing.T) {
	const program = "program"
	sum := sha256.Sum256([]byte(program))
	path := wire.ArtefactPath + hex.EncodeToString(sum[:])
	data := t.TempDir()
	m := start(t, config.Master{
		Data:   data,
		Tokens: []config.Token{token("web-1", "agent", "web-1"), token("wall", "viewer", ""), token("ops", "operator", "")},
	})
	for _, c := range []struct {
		method, token, origin string
		status                int
		want                  string
	}{
		{"PUT", "", "", 401, "send a token as \"Authorization: Bearer TOKEN\"; this takes an operator's\n"},
		{"PUT", "nobody", "", 401, ""},
		{"PUT", "web-1", "", 403, "the credential \"web-1\" is for the role agent; this takes an operator's\n"},
		{"PUT", "wall", "", 403, "the credential \"wall\" is for the role viewer; this takes an operator's\n"},
		{"PUT", "ops", "https://evil.example", 403, ""},
		{"GET", "ops", "", 404, ""},
		{"PUT", "ops", "", 201, "stored\n"},
		{"GET", "", "", 401, ""},
		{"GET", "web-1", "", 403, "host \"web-1\" has no inspector with that program\n"},
		{"GET", "wall", "", 200, program},
		{"HEAD", "ops", "", 200, ""},
		{"GET", "ops", "https://evil.example", 403, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, m.URL()+path, strings.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			r.Header = bearer(c.token)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		status, text := send(t, r)
		if status != c.status || c.want != "" && text != c.want {
			t.Errorf("%s by %q of %q: %d %q, want %d %q", c.method, c.token, c.origin, status, text, c.status, c.want)
		}
	}
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	var lines []string
	for _, e := range call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Action: "artefacts."}).Entries {
		lines = append(lines, e.Who+" "+e.Outcome)
	}
	if got := strings.Join(lines, ","); got != "ops ok,ops 403 Forbidden,wall 403 Forbidden,web-1 403 Forbidden" {
		t.Errorf("the audit log has %s", got)
	}
	push := func(size int64) wire.PushParams {
		artefact := wire.Artefact{SHA256: hex.EncodeToString(sum[:]), Size: size}
		return wire.PushParams{Code: wire.Code{Name: "gpu", Plugin: &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{"linux/amd64": artefact}}}}
	}
	if got := refused(t, ops, wire.CatalogPush.Name, push(1)); !strings.Contains(got.Message, "is not on the master") {
		t.Errorf("a push of a program that is another: %v", got)
	}
	agent := newFakeAgent("web-1", nil)
	agent.token = "web-1"
	agent.connect(t, m)
	call[wire.PushResult](t, ops, wire.CatalogPush.Name, push(int64(len(program))))
	r, err := http.NewRequestWithContext(t.Context(), "GET", m.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = bearer("web-1")
	if status, text := send(t, r); status != 200 || text != program {
		t.Errorf("of what it is to run, an agent gets %d %q", status, text)
	}
	if kept, err := os.ReadFile(filepath.Join(data, "artefacts", hex.EncodeToString(sum[:]))); err != nil || string(kept) != program {
		t.Errorf("%q, %v", kept, err)
	}
}

// Programs stay while somebody may want them: those of the newest revisions, and
// what was stored or pushed lately.
func TestProgramsAreSwept(t *testing.T) {
	m := start(t, config.Master{})
	ops := dial(t, m, nil, rpc.DialOptions{})
	put := func(text string) wire.Artefact {
		sum := sha256.Sum256([]byte(text))
		a := wire.Artefact{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))}
		if _, err := m.programs.Put(a.SHA256, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		return a
	}
	left := func() int {
		list, err := m.programs.List()
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	unnamed := put("unnamed")
	var revisions []string
	for i := range 12 {
		plugin := &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{"linux/amd64": put(fmt.Sprint("program ", i))}}
		revisions = append(revisions, push(t, ops, wire.PushParams{Code: wire.Code{Name: "gpu", Plugin: plugin}}).Revision)
	}
	call[wire.PushResult](t, ops, wire.CatalogDelete.Name, wire.DeleteParams{Name: "gpu"})
	if m.sweepPrograms(t.Context(), time.Now().Add(-time.Hour)); left() != 13 {
		t.Errorf("%d programs are left of 13 that are fresh", left())
	}
	m.sweepPrograms(t.Context(), time.Now().Add(time.Hour))
	if _, err := m.programs.Stat(unnamed.SHA256); err == nil || left() != 10 {
		t.Errorf("%d programs are left, want those of 10 revisions; the one that was never named: %v", left(), err)
	}
	back := func(revision string) wire.RollbackParams { return wire.RollbackParams{Name: "gpu", Revision: revision} }
	if got := refused(t, ops, wire.CatalogRollback.Name, back(revisions[1])); !strings.Contains(got.Message, "is not on the master: PUT it to /artefacts/") {
		t.Errorf("a rollback to what was swept: %v", got)
	}
	call[wire.PushResult](t, ops, wire.CatalogRollback.Name, back(revisions[2]))
}

// On a master that is open to everybody on loopback a name that an attacker has
// pointed there does not do.
func TestProgramsByForeignName(t *testing.T) {
	m := start(t, config.Master{Data: t.TempDir()})
	r, err := http.NewRequestWithContext(t.Context(), "PUT", m.URL()+wire.ArtefactPath+strings.Repeat("0", 64), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	if status, text := send(t, r); status != 403 {
		t.Errorf("%d %q", status, text)
	}
}

func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
